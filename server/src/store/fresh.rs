//! Bars that closed a short while ago: written in the order of time, a row of
//! the table `fresh` each second, until they are merged into blocks. All of
//! them are in memory, too, so that nobody has to search for them in the file.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::{Connection, OptionalExtension as _, named_params};
use shared::{Candle, Time};

use super::blocks::{self, Bars};
use super::columns::decimal;
use super::packed::{self, Newest, SeriesId, Tagged, seconds, seconds_until, time};

/// The bars that are not in blocks yet, by series and start in seconds since
/// the epoch. Clones share the same bars.
#[derive(Clone, Debug, Default)]
pub(super) struct Fresh(Arc<RwLock<BTreeMap<(SeriesId, i64), Candle>>>);

impl Fresh {
    /// Reads those of the file.
    pub(super) fn read(database: &Connection) -> rusqlite::Result<Self> {
        let mut all = BTreeMap::new();
        let mut select = database.prepare("SELECT bars FROM fresh ORDER BY id")?;
        let rows = select.query_map((), |row| packed::read::<Tagged>(row, 0))?;
        for row in rows {
            let bars = row?.into_iter().map(Tagged::unpack);
            all.extend(bars.map(|(series, bar)| ((series, seconds(bar.time)), bar)));
        }
        let mut select = database
            .prepare("SELECT series, time, open, high, low, close, volume, trades FROM late")?;
        let rows = select.query_map((), |row| {
            let start = row.get(1)?;
            let bar = Candle {
                time: time(start),
                open: decimal(row, 2)?,
                high: decimal(row, 3)?,
                low: decimal(row, 4)?,
                close: decimal(row, 5)?,
                volume: decimal(row, 6)?,
                trades: row.get(7)?,
            };
            Ok(((row.get(0)?, start), bar))
        })?;
        for row in rows {
            let (place, bar) = row?;
            all.insert(place, bar);
        }
        Ok(Self(Arc::new(RwLock::new(all))))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all(|all| all.len())
    }

    /// The bars of a series that begin in `from..to`.
    pub(super) fn range(&self, series: SeriesId, (from, to): (Time, Time)) -> Bars {
        let (from, to) = (seconds_until(from), seconds_until(to));
        if from >= to {
            return Bars::new();
        }
        let range = (series, from)..(series, to);
        self.all(|all| {
            let found = all.range(range);
            found
                .map(|((_, start), bar)| (*start, bar.clone()))
                .collect()
        })
    }

    /// The newest bar of a series.
    pub(super) fn newest(&self, series: SeriesId) -> Option<Candle> {
        self.all(|all| {
            let mut found = all.range((series, i64::MIN)..=(series, i64::MAX));
            found.next_back().map(|(_, bar)| bar.clone())
        })
    }

    /// Adds bars that were written. They replace those of the same start.
    pub(super) fn extend(&self, bars: impl IntoIterator<Item = (SeriesId, Candle)>) {
        let bars = bars.into_iter();
        self.change(|all| all.extend(bars.map(|(series, bar)| ((series, seconds(bar.time)), bar))));
    }

    /// Forgets all of them, because they are in blocks.
    pub(super) fn clear(&self) {
        self.change(BTreeMap::clear);
    }

    /// Writes all of them into blocks, and out of the other tables, but
    /// for those of series that are no more.
    pub(super) fn merge(&self, database: &Connection) -> rusqlite::Result<()> {
        let mut by_series: BTreeMap<SeriesId, Bars> = BTreeMap::new();
        self.all(|all| {
            for ((series, start), bar) in all {
                let bars = by_series.entry(*series).or_default();
                bars.insert(*start, bar.clone());
            }
        });
        let mut is_known = database.prepare_cached("SELECT 1 FROM series WHERE id = ?1")?;
        for (series, bars) in by_series {
            if is_known.exists([series])? {
                blocks::merge(database, series, bars)?;
            }
        }
        database.execute("DELETE FROM fresh", ())?;
        database.execute("DELETE FROM late", ())?;
        Ok(())
    }

    fn all<T>(&self, look: impl FnOnce(&BTreeMap<(SeriesId, i64), Candle>) -> T) -> T {
        // Consistent after every change, so a poisoned lock is safe to use.
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<(SeriesId, i64), Candle>)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Writes bars that have closed, as one row with this number.
pub(super) fn write(
    database: &Connection,
    id: i64,
    bars: &[(SeriesId, Candle)],
) -> rusqlite::Result<()> {
    let rows: Vec<_> = bars
        .iter()
        .map(|(series, bar)| Tagged::pack(*series, bar))
        .collect();
    let mut insert = database.prepare_cached("INSERT INTO fresh (id, bars) VALUES (?1, ?2)")?;
    insert.execute((id, packed::write(&rows)?))?;
    Ok(())
}

/// Writes a bar that replaces one that was written before.
pub(super) fn write_again(
    database: &Connection,
    series: SeriesId,
    bar: &Candle,
) -> rusqlite::Result<()> {
    let mut write = database.prepare_cached(
        "INSERT OR REPLACE INTO late (series, time, open, high, low, close, volume, trades)
         VALUES (:series, :time, :open, :high, :low, :close, :volume, :trades)",
    )?;
    write.execute(named_params! {
        ":series": series,
        ":time": seconds(bar.time),
        ":open": bar.open.to_string(),
        ":high": bar.high.to_string(),
        ":low": bar.low.to_string(),
        ":close": bar.close.to_string(),
        ":volume": bar.volume.to_string(),
        ":trades": i64::try_from(bar.trades).unwrap_or(i64::MAX),
    })?;
    Ok(())
}

/// Writes the newest bars, as of the row of `fresh` with this number, in place
/// of those of before.
pub(super) fn write_newest(
    database: &Connection,
    id: i64,
    bars: &[Newest],
) -> rusqlite::Result<()> {
    database.prepare_cached("DELETE FROM newest")?.execute(())?;
    let mut insert = database.prepare_cached("INSERT INTO newest (fresh, bars) VALUES (?1, ?2)")?;
    insert.execute((id, packed::write(bars)?))?;
    Ok(())
}

/// The newest bars, and the number of the row of `fresh` that they are as of.
pub(super) fn read_newest(database: &Connection) -> rusqlite::Result<(i64, Vec<Newest>)> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, packed::read(row, 1)?));
    let found = database.query_row("SELECT fresh, bars FROM newest LIMIT 1", (), read);
    Ok(found.optional()?.unwrap_or_default())
}
