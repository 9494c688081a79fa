//! Candles in the database.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use shared::{Candle, Decimal, Interval, Span, Time};

use super::{StoreError, StoredFeed};

/// The newest candle of each interval, in the order of [`Interval::ALL`], for
/// each instrument of the source.
pub(super) type Newest = Vec<[Option<Candle>; Interval::ALL.len()]>;

/// How far the newest candle in the file may be ahead of the clock, which was
/// set back, or had run ahead. Time then continues from what is stored. If it
/// is further ahead, the server does not start, and the user has to decide.
const AHEAD_MAX: Span = Span::DAY;

/// The start of the latest candle of a feed that lies in the future, if there
/// is one: the clock is behind, or was ahead.
pub(super) fn latest_ahead(
    database: &Connection,
    feed: &str,
    now: Time,
) -> Result<Option<Time>, StoreError> {
    let latest = database.query_row(
        "SELECT symbol, time FROM candle WHERE feed = :feed AND time > :now
         ORDER BY time DESC LIMIT 1",
        named_params! { ":feed": feed, ":now": now.micros() },
        |row| Ok((row.get::<_, String>(0)?, time(row, 1)?)),
    );
    match latest.optional()? {
        Some((symbol, time)) if time - now > AHEAD_MAX => Err(StoreError::Ahead {
            symbol,
            ahead_s: (time - now).whole_seconds(),
        }),
        latest => Ok(latest.map(|(_, time)| time)),
    }
}

/// The candles that a market of this source continues from. If the source
/// starts over in each run, its candles are deleted, because none could be
/// appended to them.
pub(super) fn take_up(
    database: &mut Connection,
    source: StoredFeed<'_>,
) -> rusqlite::Result<Newest> {
    let transaction = database.transaction()?;
    let mut newest = Vec::with_capacity(source.instruments.len());
    for instrument in source.instruments {
        let mut of_one = [const { None }; Interval::ALL.len()];
        for (interval, found) in Interval::ALL.into_iter().zip(&mut of_one) {
            let series = Series {
                feed: source.feed,
                symbol: &instrument.symbol,
                interval,
            };
            if !source.goes_on {
                series.delete(&transaction)?;
            }
            *found = series.newest(&transaction)?;
        }
        newest.push(of_one);
    }
    transaction.commit()?;
    Ok(newest)
}

/// The candles of one symbol and interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Series<'a> {
    pub(super) feed: &'a str,
    pub(super) symbol: &'a str,
    pub(super) interval: Interval,
}

impl Series<'_> {
    /// Writes a candle, and overwrites an earlier state of it.
    pub(super) fn write(&self, database: &Connection, candle: &Candle) -> rusqlite::Result<()> {
        let mut write = database.prepare_cached(
            "INSERT INTO candle
                (feed, symbol, interval, time, open, high, low, close, volume, trades)
             VALUES
                (:feed, :symbol, :interval, :time, :open, :high, :low, :close, :volume, :trades)
             ON CONFLICT DO UPDATE SET
                open = excluded.open, high = excluded.high, low = excluded.low,
                close = excluded.close, volume = excluded.volume, trades = excluded.trades",
        )?;
        write.execute(named_params! {
            ":feed": self.feed,
            ":symbol": self.symbol,
            ":interval": self.interval.name(),
            ":time": candle.time.micros(),
            ":open": candle.open.to_string(),
            ":high": candle.high.to_string(),
            ":low": candle.low.to_string(),
            ":close": candle.close.to_string(),
            ":volume": candle.volume.to_string(),
            ":trades": i64::try_from(candle.trades).unwrap_or(i64::MAX),
        })?;
        Ok(())
    }

    /// The newest `limit` of the candles that begin in `from..to`, oldest
    /// first.
    pub(super) fn range(
        &self,
        database: &Connection,
        (from, to): (Time, Time),
        limit: usize,
    ) -> rusqlite::Result<Vec<Candle>> {
        let mut select = database.prepare_cached(
            "SELECT time, open, high, low, close, volume, trades FROM candle
             WHERE feed = :feed AND symbol = :symbol AND interval = :interval
                AND time >= :from AND time < :to
             ORDER BY time DESC LIMIT :limit",
        )?;
        let wanted = named_params! {
            ":feed": self.feed,
            ":symbol": self.symbol,
            ":interval": self.interval.name(),
            ":from": from.micros(),
            ":to": to.micros(),
            ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
        };
        let found = select.query_map(wanted, read)?;
        let mut candles = found.collect::<rusqlite::Result<Vec<_>>>()?;
        candles.reverse();
        Ok(candles)
    }

    fn newest(&self, database: &Connection) -> rusqlite::Result<Option<Candle>> {
        let newest = self.range(database, (Time::MIN, Time::MAX), 1)?;
        Ok(newest.into_iter().next())
    }

    /// Deletes all candles of the series.
    fn delete(&self, database: &Connection) -> rusqlite::Result<usize> {
        let mut delete = database.prepare_cached(
            "DELETE FROM candle
             WHERE feed = :feed AND symbol = :symbol AND interval = :interval",
        )?;
        delete.execute(named_params! {
            ":feed": self.feed,
            ":symbol": self.symbol,
            ":interval": self.interval.name(),
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Candle> {
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

/// A time that is stored in µs since the epoch.
pub(super) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Time> {
    row.get(column).map(Time::from_micros)
}

/// An exact decimal that is stored as text.
pub(super) fn decimal(row: &Row<'_>, column: usize) -> rusqlite::Result<Decimal> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
