//! Candles from before the first that is kept, as far back as the venue has them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use shared::{Candle, Interval, Time};

use super::catch_up::Ask;
use crate::clock;
use crate::feed::{Older, OlderError};

/// So many pages are asked for at once, for one who scrolls back.
const PAGES_MAX: usize = 5;
/// So many pages are kept for those who ask for the same.
const KEPT_PAGES_MAX: usize = 500;

/// A page: of an instrument, of an interval, before a time.
type Key = (usize, Interval, Time);

/// The candles that venues have of before.
#[derive(Debug)]
pub(super) struct OlderBars {
    /// Whom to ask about each instrument.
    asks: Vec<Ask>,
    /// Pages of closed candles, which do not change.
    pages: Mutex<HashMap<Key, Arc<Vec<Candle>>>>,
}

impl OlderBars {
    pub(super) fn new(asks: Vec<Ask>) -> Self {
        Self {
            asks,
            pages: Mutex::default(),
        }
    }

    async fn page(&self, key: Key) -> Result<Arc<Vec<Candle>>, OlderError> {
        if let Some(page) = self.pages().get(&key) {
            return Ok(Arc::clone(page));
        }
        let (instrument, interval, before) = key;
        let Some(ask) = self.asks.get(instrument) else {
            return Ok(Arc::default());
        };
        let bars = ask.bars(interval, Some(before)).await;
        let bars = bars.map_err(|error| OlderError(format!("{}: {error}", ask.venue.name())))?;
        let page = Arc::new(bars);
        let mut pages = self.pages();
        if pages.len() >= KEPT_PAGES_MAX {
            pages.clear();
        }
        pages.insert(key, Arc::clone(&page));
        Ok(page)
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<Key, Arc<Vec<Candle>>>> {
        // Each change is one step, so a poisoned lock is safe to use.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Older for OlderBars {
    fn until(&self) -> Time {
        // Candles are taken over as a whole.
        Time::MIN
    }

    fn before(
        &self,
        instrument: usize,
        interval: Interval,
        first: Time,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Candle>, OlderError>> {
        Box::pin(async move {
            let mut pages = Vec::new();
            // Later ones are here, or do not exist yet.
            let (mut count, mut first) = (0, first.min(clock::now()));
            while count < limit && pages.len() < PAGES_MAX {
                let page = self.page((instrument, interval, first)).await?;
                let Some(oldest) = page.first() else {
                    break;
                };
                first = oldest.time;
                count += page.len();
                pages.push(page);
            }
            let oldest_first = pages.iter().rev().flat_map(|page| page.iter().cloned());
            let all: Vec<_> = oldest_first.collect();
            let skip = all.len().saturating_sub(limit);
            Ok(all.into_iter().skip(skip).collect())
        })
    }
}
