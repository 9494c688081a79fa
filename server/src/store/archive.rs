//! History from memory and the file combined.

use std::sync::Arc;

use rusqlite::Connection;
use shared::{Candle, Cursor, Interval, Time};
use tokio::sync::Mutex;

use super::blocks::{self, keep_newest};
use super::fresh::Fresh;
use super::old::OldSeries;
use super::schema;
use super::series::Ids;
use crate::catalogue::UnknownSymbol;
use crate::market::{Market, Recent};

/// The history of a market: the candles in memory and, before those, the ones
/// in the store, if there is one. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Archive {
    market: Arc<Market>,
    stored: Option<Stored>,
}

#[derive(Clone, Debug)]
struct Stored {
    feed: Arc<str>,
    ids: Arc<[Ids]>,
    fresh: Fresh,
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
}

impl Archive {
    /// The history of a market without a store.
    pub(crate) fn of_memory(market: Arc<Market>) -> Self {
        Self {
            market,
            stored: None,
        }
    }

    pub(super) fn new(
        market: Arc<Market>,
        feed: &str,
        (ids, fresh): (Arc<[Ids]>, Fresh),
        reader: Connection,
    ) -> Self {
        let stored = Stored {
            feed: feed.into(),
            ids,
            fresh,
            reader: Arc::new(Mutex::new(reader)),
        };
        Self {
            market,
            stored: Some(stored),
        }
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
        let recent = self.market.candles(symbol, interval, (from, to), limit)?;
        let Recent {
            cursor,
            oldest,
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
            stored.range(&reader, (index, &symbol), interval, (from, before), room)
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
    ) -> rusqlite::Result<Vec<Candle>> {
        let series = self.ids[index][interval as usize];
        // First: what is moved from here into a block meanwhile is read there.
        let fresh = self.fresh.range(series, range);
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
