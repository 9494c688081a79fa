//! Bars that closed a short while ago: written in the order of time, a row or more
//! of the table `fresh` each second, until they are merged into blocks. All of
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
        let mut select = database.prepare(
            "SELECT fresh.bars FROM newest JOIN fresh ON fresh.round = newest.round
             ORDER BY fresh.id",
        )?;
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

    /// Writes all of them into blocks, but for those of series that are no more.
    /// After that, a new round of rows has to begin.
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
        database.execute("DELETE FROM late", ())?;
        // After a disk that could not be written for long, there are more rows than
        // a round ever needs.
        database.execute("DELETE FROM fresh WHERE id >= ?1", [ROWS_KEPT])?;
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

/// A place for a row of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) round: i64,
    /// From 0 in each round.
    pub(super) id: i64,
}

/// Of a round, so many rows are kept to be overwritten in the next one: 16 MB.
const ROWS_KEPT: i64 = 4_096;
/// How long a row is: with its header, it fills a page of 4,096 bytes, so that a
/// row is one page (https://www.sqlite.org/fileformat.html#b_tree_pages).
const ROW_BYTES: usize = 4_030;

/// Writes bars that have closed, in as many rows as they need from this place
/// on. Returns how many. All rows have the same length: from the second round on,
/// SQLite overwrites each where it is, and allocates nothing.
pub(super) fn write(
    database: &Connection,
    place: Place,
    bars: &[(SeriesId, Candle)],
) -> rusqlite::Result<i64> {
    let mut update =
        database.prepare_cached("UPDATE fresh SET round = ?2, bars = ?3 WHERE id = ?1")?;
    let mut insert =
        database.prepare_cached("INSERT INTO fresh (id, round, bars) VALUES (?1, ?2, ?3)")?;
    let mut id = place.id;
    for row in rows_of(bars)? {
        if update.execute((id, place.round, &row))? == 0 {
            insert.execute((id, place.round, &row))?;
        }
        id += 1;
    }
    Ok(id - place.id)
}

/// The texts of rows with these bars.
fn rows_of(bars: &[(SeriesId, Candle)]) -> rusqlite::Result<Vec<String>> {
    let mut rows: Vec<String> = Vec::new();
    for (series, bar) in bars {
        let list = packed::write(&[Tagged::pack(*series, bar)])?;
        // What is between the brackets of a list of one.
        let bar = &list[1..list.len() - 1];
        match rows.last_mut() {
            Some(row) if row.len() + bar.len() + 2 <= ROW_BYTES => {
                row.push(',');
                row.push_str(bar);
            }
            _ => rows.push(format!("[{bar}")),
        }
    }
    for row in &mut rows {
        row.push(']');
        let spaces = ROW_BYTES.saturating_sub(row.len());
        row.extend(std::iter::repeat_n(' ', spaces));
    }
    Ok(rows)
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

/// Writes the newest bars, as of before the row of `fresh` in this place, instead
/// of those of before.
pub(super) fn write_newest(
    database: &Connection,
    next: Place,
    bars: &[Newest],
) -> rusqlite::Result<()> {
    database.prepare_cached("DELETE FROM newest")?.execute(())?;
    let mut insert =
        database.prepare_cached("INSERT INTO newest (round, fresh, bars) VALUES (?1, ?2, ?3)")?;
    insert.execute((next.round, next.id, packed::write(bars)?))?;
    Ok(())
}

/// The newest bars, and the round of `fresh` that they are of.
pub(super) fn read_newest(database: &Connection) -> rusqlite::Result<(i64, Vec<Newest>)> {
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, packed::read(row, 1)?));
    let found = database.query_row("SELECT round, bars FROM newest LIMIT 1", (), read);
    Ok(found.optional()?.unwrap_or_default())
}

/// How many rows a round has.
pub(super) fn rows(database: &Connection, round: i64) -> rusqlite::Result<i64> {
    let count = "SELECT count(*) FROM fresh WHERE round = ?1";
    database.query_row(count, [round], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Decimal, Span};

    #[test]
    fn rows_fill_their_pages() {
        let bars: Vec<_> = (0..200)
            .map(|n| {
                let time = Time::EPOCH + Span::from_seconds(1_764_000_000 + n);
                let bar = Candle::open(time, Decimal::new(6_401_250, 2), Decimal::ONE);
                (n, bar)
            })
            .collect();
        let rows = rows_of(&bars).unwrap();
        assert!((3..6).contains(&rows.len()), "{} rows", rows.len());
        assert!(rows.iter().all(|row| row.len() == ROW_BYTES));
        let read = rows
            .iter()
            .flat_map(|row| serde_json::from_str::<Vec<Tagged>>(row).unwrap())
            .map(Tagged::unpack);
        assert_eq!(read.collect::<Vec<_>>(), bars);
    }
}
