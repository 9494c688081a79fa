//! A reader of a relay.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use client::Follower;
use shared::{Cursor, FeedStatus, ServerMessage, SnapshotReason, Tick, Transport};
use tokio::time::{Instant, sleep, timeout};

use super::PATIENCE;

/// What a reader has seen.
pub(super) struct Watch {
    follower: Follower,
    pub(super) ticks: Vec<Tick>,
    pub(super) statuses: Vec<FeedStatus>,
    pub(super) snapshots: Vec<SnapshotReason>,
    pub(super) cursor: Option<Cursor>,
    transport: Transport,
}

impl Watch {
    pub(super) async fn new(
        host: &str,
        cursor: Option<Cursor>,
        transport: Transport,
    ) -> anyhow::Result<Self> {
        let mut follower = Follower::new(host, "*", cursor);
        follower.switch(transport).await?;
        Ok(Self {
            follower,
            ticks: Vec::new(),
            statuses: Vec::new(),
            snapshots: Vec::new(),
            cursor,
            transport,
        })
    }

    pub(super) async fn until(
        &mut self,
        what: &str,
        is_so: impl Fn(&Self) -> bool,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        while !is_so(self) {
            ensure!(
                Instant::now() < end,
                "waited in vain until {what}: {:?}, {:?}",
                self.cursor,
                self.statuses.last()
            );
            let messages = timeout(PATIENCE, self.follower.next()).await;
            // A server that begins again ends its connections.
            let Ok(messages) = messages.with_context(|| what.to_owned())? else {
                sleep(Duration::from_millis(50)).await;
                let _ = self.follower.switch(self.transport).await;
                continue;
            };
            for message in messages {
                self.cursor = message.cursor().or(self.cursor);
                match message {
                    ServerMessage::Ticks { ticks, .. } => self.ticks.extend(ticks),
                    ServerMessage::Status { status, .. } => self.statuses.push(status),
                    ServerMessage::Snapshot { reason, .. } => self.snapshots.push(reason),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}
