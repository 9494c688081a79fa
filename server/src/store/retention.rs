//! How long candles are kept.

use std::collections::HashMap;
use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension as _};
use shared::{Interval, Span, Time};

use super::blocks;
use super::packed::SeriesId;

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

/// The most series that are searched at once, and the most blocks that are
/// deleted: each takes some milliseconds, in which nothing else is written.
const SERIES_MAX: usize = 1_000;
const DELETED_MAX: usize = 500;

/// What the market has: what is older than this by more than the retention is
/// too old.
#[derive(Clone, Debug)]
pub(super) struct Present<'a> {
    pub(super) feed: &'a str,
    /// Whether all of the feed's bars are kept: those of files are not old.
    pub(super) keeps_all: bool,
    /// The start of the newest bar of each series of the catalogue.
    pub(super) tops: HashMap<SeriesId, Time>,
}

impl Present<'_> {
    /// The time from which the age of a series' bars is counted: its newest
    /// bar; of a symbol that is not in the catalogue any more, the newest bar
    /// of the feed.
    fn newest(
        &self,
        database: &Connection,
        series: SeriesId,
        feed: &str,
    ) -> rusqlite::Result<Option<Time>> {
        match self.tops.get(&series) {
            Some(top) => Ok(Some(*top)),
            None if feed == self.feed => Ok(self.tops.values().max().copied()),
            None => blocks::newest_time(database, series),
        }
    }
}

/// The progress of a round of pruning: everything in the file up to this series
/// was searched.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Round(SeriesId);

impl Round {
    /// Searches the next series of the file and deletes bars that are too old;
    /// `None` when there are no more series.
    pub(super) fn go_on(
        mut self,
        database: &Connection,
        retention: &Retention,
        present: &Present<'_>,
    ) -> rusqlite::Result<Option<Self>> {
        let mut next = database.prepare_cached(
            "SELECT id, feed, interval FROM series WHERE id > ?1 ORDER BY id LIMIT 1",
        )?;
        let mut room = DELETED_MAX;
        room -= delete_gone(database, room)?;
        for _ in 0..SERIES_MAX {
            let found = next.query_row([self.0], |row| {
                let interval = row.get_ref(2)?.as_str()?.parse::<Interval>();
                Ok((row.get(0)?, row.get::<_, String>(1)?, interval))
            });
            let Some((series, feed, interval)) = found.optional()? else {
                return Ok(None);
            };
            let is_kept = present.keeps_all && feed == present.feed;
            if let Ok(interval) = interval
                && !is_kept
                && let Some(newest) = present.newest(database, series, &feed)?
            {
                let kept = newest - retention.of(interval);
                room -= blocks::delete_before(database, series, kept, room)?;
            }
            if room == 0 {
                // This series may have more old bars.
                break;
            }
            self = Self(series);
        }
        Ok(Some(self))
    }
}

/// Deletes at most `limit` blocks of series that are no more. Returns how many.
fn delete_gone(database: &Connection, limit: usize) -> rusqlite::Result<usize> {
    let mut next = database.prepare_cached("SELECT series FROM gone LIMIT 1")?;
    let mut done = database.prepare_cached("DELETE FROM gone WHERE series = ?1")?;
    let mut deleted = 0;
    while deleted < limit {
        let Some(series) = next.query_row((), |row| row.get(0)).optional()? else {
            break;
        };
        let room = limit - deleted;
        let of_this = blocks::delete_before(database, series, Time::MAX, room)?;
        if of_this < room {
            done.execute([series])?;
        }
        deleted += of_this;
    }
    Ok(deleted)
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
