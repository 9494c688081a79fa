//! Markets for tests.

use std::sync::Arc;

use shared::{Epoch, FeedState, FeedStatus, Instrument};

use super::{Market, Past, Start};
use crate::alerts::{AlertBook, PastAlerts};
use crate::catalogue::Catalogue;
use crate::feed::Trade;
use crate::metrics::Work;

/// The status of a feed that is live.
pub(crate) fn live(feed: &str) -> FeedStatus {
    FeedStatus {
        feed: feed.to_owned(),
        label: String::new(),
        state: FeedState::Live,
        detail: String::new(),
        retry_ms: None,
        replay: None,
        venues: Vec::new(),
    }
}

impl Market {
    /// A market of these instruments that nobody else knows.
    pub(crate) fn alone(instruments: Vec<Instrument>, past: Past) -> Arc<Self> {
        let catalogue = Arc::new(Catalogue::new(instruments));
        let alerts = PastAlerts::default();
        let book = AlertBook::new(alerts, Arc::clone(&catalogue), [], false);
        let status = live("test");
        let start = Start::of_epoch(Epoch::from_number(77));
        let work = Work::default();
        Self::new(start, status, catalogue, past, 1_000, Arc::new(book), work)
    }

    /// Takes in one trade.
    pub(crate) fn take_trade(&self, trade: Trade) {
        let entries = self.numbered(&mut vec![self.trade(trade)]);
        self.publish(self.batches(entries));
    }
}
