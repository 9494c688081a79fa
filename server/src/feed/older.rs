//! Candles from before the first that is kept, as far back as another server has them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use shared::{Candle, Interval, Time};
use tokio::time::timeout;

use super::{Older, OlderError};

/// So many pages are asked for at once, for one who scrolls back.
const PAGES_MAX: usize = 5;
/// So many pages are kept for those who ask for the same.
const KEPT_PAGES_MAX: usize = 500;
/// Whoever asks waits no longer than this.
const PATIENCE: Duration = Duration::from_secs(4);

/// A page: of an instrument, of an interval, before a time.
type Key = (usize, Interval, Time);

/// Who has older candles.
pub(crate) trait Pages: std::fmt::Debug + Send + Sync {
    /// Where the candles of an instrument begin that are kept here or not closed yet;
    /// `None` if there are none of before.
    fn end(&self, instrument: usize, interval: Interval) -> Option<Time>;

    /// The newest candles that begin before a time, oldest first: as many as it gives
    /// at once.
    fn page(
        &self,
        instrument: usize,
        interval: Interval,
        before: Time,
    ) -> BoxFuture<'_, Result<Vec<Candle>, OlderError>>;
}

/// The candles that another server has of before.
#[derive(Debug)]
pub(crate) struct OlderBars<P> {
    from: P,
    /// Pages of closed candles, which do not change.
    pages: Mutex<HashMap<Key, Arc<Vec<Candle>>>>,
    /// Pages are asked for one after the other: whoever asks for the same finds it.
    turn: tokio::sync::Mutex<()>,
}

impl<P: Pages> OlderBars<P> {
    pub(crate) fn new(from: P) -> Self {
        Self {
            from,
            pages: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    async fn page(&self, key: Key) -> Result<Arc<Vec<Candle>>, OlderError> {
        if let Some(page) = self.pages().get(&key) {
            return Ok(Arc::clone(page));
        }
        let _turn = self.turn.lock().await;
        if let Some(page) = self.pages().get(&key) {
            return Ok(Arc::clone(page));
        }
        let (instrument, interval, before) = key;
        let page = Arc::new(self.from.page(instrument, interval, before).await?);
        let mut pages = self.pages();
        if pages.len() >= KEPT_PAGES_MAX {
            pages.clear();
        }
        pages.insert(key, Arc::clone(&page));
        Ok(page)
    }

    async fn all_before(
        &self,
        instrument: usize,
        interval: Interval,
        first: Time,
        limit: usize,
    ) -> Result<Vec<Candle>, OlderError> {
        let Some(end) = self.from.end(instrument, interval) else {
            return Ok(Vec::new());
        };
        let mut pages = Vec::new();
        let mut first = interval.start_of(first.min(end));
        let mut count = 0;
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
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<Key, Arc<Vec<Candle>>>> {
        // Each change is one step, so a poisoned lock is safe to use.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Pages> Older for OlderBars<P> {
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
            let found = self.all_before(instrument, interval, first, limit);
            let late = || OlderError("it takes too long to fetch them".to_owned());
            timeout(PATIENCE, found).await.map_err(|_| late())?
        })
    }
}
