//! Bars as JSON in a column: arrays of exact decimals, which SQLite's own
//! functions can read, too.

use rusqlite::types::Type;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shared::{Candle, Decimal, Span, Time};

/// The number of a series in the database.
pub(super) type SeriesId = i64;

/// A bar in a block: its start in seconds after the block's, and what follows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Row(i64, Decimal, Decimal, Decimal, Decimal, Decimal, u64);

impl Row {
    /// Packs a bar of a block that begins at `first`.
    pub(super) fn pack(first: i64, bar: &Candle) -> Self {
        Self(
            seconds(bar.time).wrapping_sub(first),
            bar.open,
            bar.high,
            bar.low,
            bar.close,
            bar.volume,
            bar.trades,
        )
    }

    /// The bar, in a block that begins at `first`.
    pub(super) fn unpack(self, first: i64) -> Candle {
        let Self(after, open, high, low, close, volume, trades) = self;
        Candle {
            time: time(first.saturating_add(after)),
            open,
            high,
            low,
            close,
            volume,
            trades,
        }
    }
}

/// A bar with its series.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tagged(
    SeriesId,
    i64,
    Decimal,
    Decimal,
    Decimal,
    Decimal,
    Decimal,
    u64,
);

impl Tagged {
    pub(super) fn pack(series: SeriesId, bar: &Candle) -> Self {
        let Row(seconds, open, high, low, close, volume, trades) = Row::pack(0, bar);
        Self(series, seconds, open, high, low, close, volume, trades)
    }

    pub(super) fn unpack(self) -> (SeriesId, Candle) {
        let Self(series, seconds, open, high, low, close, volume, trades) = self;
        let row = Row(seconds, open, high, low, close, volume, trades);
        (series, row.unpack(0))
    }
}

/// The newest bar of a series; and 1 if it is stored elsewhere as well, 2 if it is
/// there with fewer trades, 0 if it is not.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Newest(
    SeriesId,
    i64,
    Decimal,
    Decimal,
    Decimal,
    Decimal,
    Decimal,
    u64,
    u8,
);

impl Newest {
    /// Packs a bar that is stored elsewhere with so many trades, if it is.
    pub(super) fn pack(series: SeriesId, bar: &Candle, stored: Option<u64>) -> Self {
        let Row(seconds, open, high, low, close, volume, trades) = Row::pack(0, bar);
        let stored = match stored {
            None => 0,
            Some(stored) if stored == trades => 1,
            Some(_) => 2,
        };
        Self(
            series, seconds, open, high, low, close, volume, trades, stored,
        )
    }

    /// Its series, the bar, and with how many trades it is stored elsewhere: 0 if
    /// that is not known.
    pub(super) fn unpack(self) -> (SeriesId, Candle, Option<u64>) {
        let Self(series, seconds, open, high, low, close, volume, trades, stored) = self;
        let stored = match stored {
            0 => None,
            1 => Some(trades),
            _ => Some(0),
        };
        let row = Row(seconds, open, high, low, close, volume, trades);
        (series, row.unpack(0), stored)
    }
}

/// The whole seconds of a bar's start since the epoch.
pub(super) fn seconds(time: Time) -> i64 {
    (time - Time::EPOCH).whole_seconds()
}

/// The first whole second since the epoch that is not before this time.
pub(super) fn seconds_until(time: Time) -> i64 {
    let (whole, rest) = (
        time.micros().div_euclid(1_000_000),
        time.micros().rem_euclid(1_000_000),
    );
    whole + i64::from(rest > 0)
}

/// The time of so many seconds since the epoch.
pub(super) fn time(seconds: i64) -> Time {
    // A file may hold any number.
    const MAX: i64 = i64::MAX / 1_000_000;
    Time::EPOCH + Span::from_seconds(seconds.clamp(-MAX, MAX))
}

/// Writes bars as JSON.
pub(super) fn write<T: Serialize>(bars: &[T]) -> rusqlite::Result<String> {
    serde_json::to_string(bars)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// Reads bars from JSON, in this column of a row.
pub(super) fn read<T: DeserializeOwned>(
    row: &rusqlite::Row<'_>,
    column: usize,
) -> rusqlite::Result<Vec<T>> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
    })
}
