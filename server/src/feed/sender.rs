//! Where the events of a feed go.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::FeedEvent;
use crate::kept::{Kept, Progress};

/// How many batches may wait between a feed and the market.
const CHANNEL_BATCHES: usize = 64;

/// Sends a feed's events to the market: batches, in the order of their time.
///
/// Its channel is bounded; when the market is slower than its feed, the feed
/// waits.
#[derive(Debug)]
pub struct FeedSender {
    channel: mpsc::Sender<Vec<FeedEvent>>,
    kept: Option<Arc<Kept>>,
    /// What was sent.
    sent: Progress,
}

/// Nobody receives events any more: the server is stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl FeedSender {
    /// A sender, and the market's end. What the market keeps of trades is
    /// `kept`, if there is a store.
    pub fn new(kept: Option<Arc<Kept>>) -> (Self, mpsc::Receiver<Vec<FeedEvent>>) {
        let (channel, events) = mpsc::channel(CHANNEL_BATCHES);
        let sender = Self {
            channel,
            kept,
            sent: Progress::default(),
        };
        (sender, events)
    }

    /// Sends events.
    ///
    /// # Errors
    ///
    /// Nobody receives them.
    pub async fn send(&mut self, events: Vec<FeedEvent>) -> Result<(), Gone> {
        for event in &events {
            match event {
                FeedEvent::Trade(_) => self.sent.trades += 1,
                FeedEvent::Anew(_) => self.sent.beginnings += 1,
                _ => {}
            }
        }
        self.channel.send(events).await.map_err(|_| Gone)
    }

    /// Waits until the store has kept up with what was sent. A feed that is
    /// faster than any market is, as a replay can be, loses no candle by it.
    pub async fn until_kept(&self) {
        if let Some(kept) = &self.kept {
            kept.until_near(self.sent).await;
        }
    }
}
