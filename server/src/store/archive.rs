//! History from memory and the file combined.

use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::Connection;
use shared::{Break, Candle, Cursor, Interval, Time};
use tokio::sync::Mutex;

use super::bars::Now;
use super::blocks::{self, keep_newest};
use super::old::OldSeries;
use super::schema;
use crate::catalogue::UnknownSymbol;
use crate::feed::{Older, OlderError};
use crate::market::{Market, Recent};

/// The history of a market: the candles in memory and, before those, the ones
/// in the store, if there is one. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Archive {
    market: Arc<Market>,
    stored: Option<Stored>,
    /// What there was before all of that.
    older: Option<Arc<dyn Older>>,
}

#[derive(Clone, Debug)]
struct Stored {
    feed: Arc<str>,
    now: Arc<RwLock<Now>>,
    /// When the server was down, oldest first.
    breaks: Arc<[Break]>,
    /// Reads from the disk happen one at a time; each takes milliseconds. A
    /// waiting read does not occupy a thread, since the writer needs one, too.
    reader: Arc<Mutex<Connection>>,
}

/// Why no history can be given.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The symbol is not in the catalogue.
    #[error(transparent)]
    UnknownSymbol(#[from] UnknownSymbol),
    /// The store cannot be read.
    #[error("the store could not be read: {0}")]
    Unreadable(#[from] rusqlite::Error),
    /// The source does not give older ones now.
    #[error("older candles cannot be had now: {0}")]
    Older(#[from] OlderError),
}

impl Archive {
    /// The history of a market without a store.
    pub(crate) fn of_memory(market: Arc<Market>) -> Self {
        Self {
            market,
            stored: None,
            older: None,
        }
    }

    pub(super) fn new(
        market: Arc<Market>,
        feed: &str,
        now: Arc<RwLock<Now>>,
        breaks: Vec<Break>,
        reader: Connection,
    ) -> Self {
        let stored = Stored {
            feed: feed.into(),
            now,
            breaks: breaks.into(),
            reader: Arc::new(Mutex::new(reader)),
        };
        Self {
            market,
            stored: Some(stored),
            older: None,
        }
    }

    /// The same history with this past before it.
    pub(crate) fn before(mut self, older: Option<Arc<dyn Older>>) -> Self {
        self.older = older;
        self
    }

    /// The newest `limit` of a symbol's candles that begin in `from..to`,
    /// oldest first, and the log position that the newest one is as of.
    ///
    /// # Errors
    ///
    /// There is no such symbol, or its past cannot be read.
    pub async fn candles(
        &self,
        symbol: &str,
        interval: Interval,
        (from, to): (Time, Time),
        limit: usize,
    ) -> Result<(Cursor, Vec<Candle>), ArchiveError> {
        let older = self.older.clone();
        let recent = self.market.candles(symbol, interval, (from, to), limit)?;
        let begins = recent.oldest.map_or(to, |oldest| oldest.min(to));
        let (cursor, mut candles) = match &older {
            Some(older) if older.replaces_store() => (recent.cursor, recent.candles),
            _ => {
                self.kept(recent, symbol, interval, (from, to), limit)
                    .await?
            }
        };
        let Some(older) = older else {
            return Ok((cursor, candles));
        };
        let oldest = candles.first().map_or(begins, |oldest| oldest.time);
        let room = limit - candles.len();
        if (room == 0 || from >= oldest) && oldest > older.until() {
            return Ok((cursor, candles));
        }
        let index = self.market.catalogue().find(symbol)?;
        let mut all = match older.before(index, interval, oldest, room + 1).await {
            Ok(all) => all,
            // What is here is given all the same; whoever asks for more is told.
            Err(_) if !candles.is_empty() => return Ok((cursor, candles)),
            Err(error) => return Err(error.into()),
        };
        all.retain(|bar| (from..to).contains(&bar.time));
        if let (Some(last), Some(first)) = (all.last_mut(), candles.first())
            && last.time == first.time
        {
            // The bar in which the market began.
            last.join(first);
            candles.remove(0);
        }
        all.extend(candles);
        Ok((cursor, all.split_off(all.len().saturating_sub(limit))))
    }

    /// When the server was down, as far as that lies between these candles, or
    /// next to them.
    pub fn breaks(&self, candles: &[Candle], interval: Interval) -> Vec<Break> {
        if self
            .older
            .as_ref()
            .is_some_and(|older| older.replaces_store())
        {
            // Whoever has these candles was not down with this server.
            return Vec::new();
        }
        let all = self.stored.iter().flat_map(|stored| stored.breaks.iter());
        let (Some(first), Some(last)) = (candles.first(), candles.last()) else {
            return Vec::new();
        };
        let end = last.time + interval.span();
        all.filter(|found| first.time <= found.until && found.since <= end)
            .copied()
            .collect()
    }

    /// What memory and file have of it.
    async fn kept(
        &self,
        recent: Recent,
        symbol: &str,
        interval: Interval,
        (from, to): (Time, Time),
        limit: usize,
    ) -> Result<(Cursor, Vec<Candle>), ArchiveError> {
        let Recent {
            cursor,
            oldest,
            beginnings,
            candles,
        } = recent;
        let before = oldest.map_or(to, |oldest| oldest.min(to));
        let room = limit - candles.len();
        let (Some(stored), true) = (self.stored.clone(), room > 0 && from < before) else {
            return Ok((cursor, candles));
        };
        let index = self.market.catalogue().find(symbol)?;
        let symbol = symbol.to_owned();
        let reader = Arc::clone(&stored.reader).lock_owned().await;
        let read = tokio::task::spawn_blocking(move || {
            let wanted = (from, before);
            stored.range(
                &reader,
                (index, &symbol),
                interval,
                wanted,
                room,
                beginnings,
            )
        });
        // The task neither panics nor is cancelled while the server runs.
        let mut older = read.await.unwrap_or(Err(rusqlite::Error::InvalidQuery))?;
        older.extend(candles);
        Ok((cursor, older))
    }
}

impl Stored {
    /// The newest `limit` of a series' bars that begin in `from..to`, oldest
    /// first.
    fn range(
        &self,
        database: &Connection,
        (index, symbol): (usize, &str),
        interval: Interval,
        range: (Time, Time),
        limit: usize,
        beginnings: u64,
    ) -> rusqlite::Result<Vec<Candle>> {
        let now = self
            .now
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if now.beginnings != beginnings {
            // The feed has begun anew, and what is stored is of before.
            return Ok(Vec::new());
        }
        let series = now.ids[index][interval as usize];
        // First: what is moved from here into a block meanwhile is read there.
        let fresh = now.fresh.range(series, range);
        // The file as it is at one moment: bars move in it, too.
        let moment = database.unchecked_transaction()?;
        let mut found = blocks::range(&moment, series, range, limit)?;
        // The oldest of these are packed first, so they may be newer than blocks.
        if schema::has_old(&moment)? {
            let old = OldSeries {
                feed: &self.feed,
                symbol,
                interval: interval.name(),
            };
            for (start, bar) in old.range(&moment, range, limit)? {
                found.entry(start).or_insert(bar);
            }
        }
        // These may be newer states of the same bars.
        found.extend(fresh);
        keep_newest(&mut found, limit);
        Ok(found.into_values().collect())
    }
}
