//! How long candles are kept.

use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension as _, named_params};
use shared::{Interval, Span};

/// The units of a duration, and their seconds.
const UNITS: [(char, i64); 5] = [
    ('s', 1),
    ('m', 60),
    ('h', 3_600),
    ('d', 86_400),
    ('y', 365 * 86_400),
];

/// The longest duration: a thousand years.
const SECONDS_MAX: i64 = 1_000 * 365 * 86_400;

/// How long the candles of each interval are kept, counted back from the newest
/// candle of their series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention([Span; Interval::ALL.len()]);

impl Retention {
    /// How long candles of an interval are kept.
    pub fn of(&self, interval: Interval) -> Span {
        self.0[interval as usize]
    }
}

impl Default for Retention {
    /// The defaults, which `--retain` can override.
    fn default() -> Self {
        let hours = |hours: i64| Span::HOUR * hours;
        let days = |days: i64| Span::DAY * days;
        Self([
            hours(1),
            hours(6),
            days(30),
            days(90),
            days(365),
            days(5 * 365),
            days(50 * 365),
        ])
    }
}

/// A text that does not list durations for intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a list such as 1s=1h,1m=30d")]
pub struct RetentionError;

impl FromStr for Retention {
    type Err = RetentionError;

    /// Parses a list such as `1s=1h,1m=30d`.
    fn from_str(text: &str) -> Result<Self, RetentionError> {
        let mut retention = Self::default();
        let mut named = Vec::new();
        for part in text.split(',') {
            let (interval, length) = part.trim().split_once('=').ok_or(RetentionError)?;
            let interval: Interval = interval.parse().map_err(|_| RetentionError)?;
            let length = length_of(length).ok_or(RetentionError)?;
            // The open bar must be kept.
            if named.contains(&interval) || length < interval.span() {
                return Err(RetentionError);
            }
            named.push(interval);
            retention.0[interval as usize] = length;
        }
        Ok(retention)
    }
}

fn length_of(text: &str) -> Option<Span> {
    let unit = text.chars().last()?;
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = count.checked_mul(*seconds)?;
    let is_allowed = (1..=SECONDS_MAX).contains(&seconds);
    is_allowed.then(|| Span::from_seconds(seconds))
}

/// The most series that are searched at once, and the most candles that are
/// deleted: each takes some milliseconds, in which nothing else is written.
const SERIES_MAX: usize = 1_000;
const DELETED_MAX: usize = 10_000;

/// The progress of a round of pruning: everything in the file up to this series
/// was searched.
#[derive(Clone, Debug, Default)]
pub(super) struct Round {
    feed: String,
    symbol: String,
    interval: String,
}

impl Round {
    /// Searches the next series of the file and deletes candles that are too
    /// old; `None` when there are no more series.
    pub(super) fn go_on(
        mut self,
        database: &Connection,
        retention: &Retention,
    ) -> rusqlite::Result<Option<Self>> {
        // Each query finds its row by the primary key, whatever the table's
        // size.
        let mut next = database.prepare_cached(
            "SELECT feed, symbol, interval FROM candle
             WHERE (feed, symbol, interval) > (:feed, :symbol, :interval)
             ORDER BY feed, symbol, interval LIMIT 1",
        )?;
        let mut delete = database.prepare_cached(
            "DELETE FROM candle
             WHERE feed = :feed AND symbol = :symbol AND interval = :interval AND time IN
             (SELECT time FROM candle
              WHERE feed = :feed AND symbol = :symbol AND interval = :interval AND time <
              (SELECT max(time) FROM candle
               WHERE feed = :feed AND symbol = :symbol AND interval = :interval) - :kept
              ORDER BY time LIMIT :limit)",
        )?;
        let mut room = DELETED_MAX;
        for _ in 0..SERIES_MAX {
            let here = named_params! {
                ":feed": self.feed, ":symbol": self.symbol, ":interval": self.interval
            };
            let found = next.query_row(here, |row| {
                Ok(Self {
                    feed: row.get(0)?,
                    symbol: row.get(1)?,
                    interval: row.get(2)?,
                })
            });
            let Some(series) = found.optional()? else {
                return Ok(None);
            };
            if let Ok(interval) = series.interval.parse() {
                room -= delete.execute(named_params! {
                    ":feed": series.feed, ":symbol": series.symbol,
                    ":interval": series.interval, ":kept": retention.of(interval).micros(),
                    ":limit": room as i64
                })?;
                if room == 0 {
                    // This series may have more old candles.
                    break;
                }
            }
            self = series;
        }
        Ok(Some(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_units() {
        let retention: Retention = "1s=90m,1m=30d".parse().unwrap();
        assert_eq!(retention.of(Interval::S1), Span::from_seconds(90 * 60));
        assert_eq!(
            retention.of(Interval::D1),
            Retention::default().of(Interval::D1)
        );
        for wrong in [
            "",
            "1s",
            "1s=",
            "1s=1",
            "1s=0h",
            "1s=-1h",
            "2s=1h",
            "1s=1h,1s=2h",
            "1d=1h",
            "1s=1000000y",
            "1s=99999999999999999999d",
            "1s=1é",
            "1s=1h,",
        ] {
            assert_eq!(wrong.parse::<Retention>(), Err(RetentionError), "{wrong}");
        }
    }
}
