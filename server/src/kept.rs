//! How many candles memory has room for, and how far the store has got with them,
//! for feeds that would be faster; a leaf.

use std::time::Duration;

use shared::Interval;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// How much of a market its candles are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How often the feed began anew.
    pub beginnings: u64,
    /// How many trades there were.
    pub trades: u64,
}

/// At most this many candles are kept over all symbols and intervals: 200 MB.
const CANDLES_MAX: usize = 2_000_000;
/// Upper bound of candles for one symbol and interval.
const SERIES_MAX: usize = 10_000;
/// Lower bound of candles for one symbol and interval, however many symbols
/// there are.
const SERIES_MIN: usize = 60;
/// How often a feed that waits asks the store to write.
const ASK_PERIOD: Duration = Duration::from_millis(10);

/// How many candles of a symbol and an interval memory has room for, where there
/// are so many symbols.
pub(crate) fn candle_room(symbols: usize) -> usize {
    let series = symbols * Interval::ALL.len();
    (CANDLES_MAX / series.max(1)).clamp(SERIES_MIN, SERIES_MAX)
}

/// How far the store has got with the market's candles.
#[derive(Debug)]
pub struct Kept {
    /// `None` while it cannot write: nobody waits for a disk that fails.
    progress: watch::Sender<Option<Progress>>,
    /// So many trades may be missing.
    room: u64,
    wanted: Notify,
}

impl Kept {
    /// Nothing, of a market with room for so many candles of a symbol: each trade
    /// begins one at most.
    pub fn new(candles: usize) -> Self {
        Self {
            progress: watch::Sender::new(Some(Progress::default())),
            room: candles as u64 / 2,
            wanted: Notify::new(),
        }
    }

    /// Records how far the store has got; `None` if it cannot write.
    pub fn set(&self, progress: Option<Progress>) {
        self.progress.send_replace(progress);
    }

    /// Waits until what the store lacks of this is still in memory. With a new
    /// beginning, memory may be full of what was before.
    pub async fn until_near(&self, wanted: Progress) {
        let mut kept = self.progress.subscribe();
        let is_near = |kept: &Option<Progress>| {
            kept.is_none_or(|kept| {
                kept.beginnings == wanted.beginnings
                    && wanted.trades.saturating_sub(kept.trades) < self.room
            })
        };
        // What was sent last may not be in the market yet when the store looks: it
        // is asked again.
        while !is_near(&kept.borrow_and_update()) {
            self.wanted.notify_one();
            // Whether it has written or the time is over, it is looked again.
            let _ = timeout(ASK_PERIOD, kept.changed()).await;
        }
    }

    /// Completes when somebody waits for the store.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }
}
