//! Reads the stream from where a server stands.

use async_nats::jetstream;
use async_nats::jetstream::consumer::pull::Ordered;
use futures_util::StreamExt as _;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::AGAIN;
use super::bus::{Bus, BusError};

/// Reads the stream's messages, in order.
#[derive(Default)]
pub(super) struct Reading {
    records: Option<Ordered>,
    /// In a task, since others do not wait for it.
    opening: JoinSet<Result<Ordered, BusError>>,
}

impl Reading {
    /// The next message; the first one is the one after `shown`. If this is dropped
    /// before it has completed, nothing is lost.
    pub(super) async fn next(&mut self, bus: &Bus, shown: u64) -> jetstream::Message {
        loop {
            if let Some(records) = &mut self.records {
                if let Some(Ok(message)) = records.next().await {
                    return message;
                }
                self.records = None;
            } else {
                if self.opening.is_empty() {
                    let bus = bus.clone();
                    self.opening
                        .spawn(async move { bus.records_from(shown + 1).await });
                }
                if let Some(Ok(Ok(records))) = self.opening.join_next().await {
                    self.records = Some(records);
                    continue;
                }
            }
            sleep(AGAIN).await;
        }
    }

    /// Reads from where the server stands, in a new way: what there was is gone, and
    /// says nothing of it.
    pub(super) fn begin_again(&mut self) {
        // What is being opened takes as long as it takes.
        self.records = None;
    }
}
