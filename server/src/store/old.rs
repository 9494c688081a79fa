//! Bars of an earlier version of the file: a row each, in the table `candle_5`.
//! They are packed into blocks while the market runs.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use shared::{Candle, Interval, Time};

use super::blocks::{self, Bars};
use super::columns::{decimal, time};
use super::packed::seconds;
use super::retention::Retention;
use super::{schema, series};

/// At most this many bars are packed at once: some hundredths of a second, in
/// which nothing else is written.
const PACKED_AT_ONCE: usize = 20_000;

/// A series of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct OldSeries<'a> {
    pub(super) feed: &'a str,
    pub(super) symbol: &'a str,
    pub(super) interval: &'a str,
}

impl OldSeries<'_> {
    /// The newest `limit` of the bars that begin in `from..to`.
    pub(super) fn range(
        &self,
        database: &Connection,
        (from, to): (Time, Time),
        limit: usize,
    ) -> rusqlite::Result<Bars> {
        self.select(database, (from, to), limit, "DESC")
    }

    fn select(
        &self,
        database: &Connection,
        (from, to): (Time, Time),
        limit: usize,
        order: &str,
    ) -> rusqlite::Result<Bars> {
        let mut select = database.prepare_cached(&format!(
            "SELECT time, open, high, low, close, volume, trades FROM candle_5
             WHERE feed = :feed AND symbol = :symbol AND interval = :interval
                AND time >= :from AND time < :to
             ORDER BY time {order} LIMIT :limit",
        ))?;
        let wanted = named_params! {
            ":feed": self.feed,
            ":symbol": self.symbol,
            ":interval": self.interval,
            ":from": from.micros(),
            ":to": to.micros(),
            ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
        };
        let found = select.query_map(wanted, read)?;
        found
            .map(|bar| bar.map(|bar| (seconds(bar.time), bar)))
            .collect()
    }

    /// Takes the newest bar out of the table.
    pub(super) fn take_newest(&self, database: &Connection) -> rusqlite::Result<Option<Candle>> {
        let mut found = self.range(database, (Time::MIN, Time::MAX), 1)?;
        let newest = found.pop_last().map(|(_, bar)| bar);
        if let Some(bar) = &newest {
            self.delete_until(database, (bar.time, bar.time))?;
        }
        Ok(newest)
    }

    fn delete_until(
        &self,
        database: &Connection,
        (first, last): (Time, Time),
    ) -> rusqlite::Result<()> {
        let mut delete = database.prepare_cached(
            "DELETE FROM candle_5
             WHERE feed = :feed AND symbol = :symbol AND interval = :interval
                AND time >= :first AND time <= :last",
        )?;
        delete.execute(named_params! {
            ":feed": self.feed,
            ":symbol": self.symbol,
            ":interval": self.interval,
            ":first": first.micros(),
            ":last": last.micros(),
        })?;
        Ok(())
    }
}

/// Reads `time, open, high, low, close, volume, trades`.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Candle> {
    Ok(Candle {
        time: time(row, 0)?,
        open: decimal(row, 1)?,
        high: decimal(row, 2)?,
        low: decimal(row, 3)?,
        close: decimal(row, 4)?,
        volume: decimal(row, 5)?,
        trades: row.get::<_, i64>(6)?.unsigned_abs(),
    })
}

/// Packs the next bars, oldest first in each series. Those that are too old are
/// left out. Returns whether there are none left.
pub(super) fn pack(database: &Connection, retention: &Retention) -> rusqlite::Result<bool> {
    let mut next = database.prepare_cached(
        "SELECT feed, symbol, interval FROM candle_5
         ORDER BY feed, symbol, interval, time LIMIT 1",
    )?;
    let found = next.query_row((), |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
        ))
    });
    drop(next);
    let Some((feed, symbol, interval)) = found.optional()? else {
        return schema::create_view(database);
    };
    let old = OldSeries {
        feed: &feed,
        symbol: &symbol,
        interval: &interval,
    };
    let mut bars = old.select(database, (Time::MIN, Time::MAX), PACKED_AT_ONCE, "ASC")?;
    let (Some((_, first)), Some((_, last))) = (bars.first_key_value(), bars.last_key_value())
    else {
        return Ok(false);
    };
    old.delete_until(database, (first.time, last.time))?;
    if let Ok(known) = interval.parse::<Interval>() {
        let newest = old.range(database, (Time::MIN, Time::MAX), 1)?;
        let newest = newest
            .last_key_value()
            .map_or(last.time, |(_, bar)| bar.time);
        let kept = newest - retention.of(known);
        bars.retain(|_, bar| bar.time >= kept);
    }
    let id = series::id(database, &feed, &symbol, &interval)?;
    blocks::merge(database, id, bars)?;
    Ok(false)
}
