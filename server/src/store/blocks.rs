//! Closed bars in the database: blocks of up to 120 bars of one series.

use std::collections::BTreeMap;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, named_params};
use shared::{Candle, Time};

use super::packed::{self, Row, SeriesId, seconds, seconds_until, time};

/// At most this many bars are in one block. More would be rewritten too often
/// while a block of minutes fills, and fewer would be too many rows.
pub(super) const BLOCK_BARS: usize = 120;

/// Bars of one series by their start, in seconds since the epoch.
pub(super) type Bars = BTreeMap<i64, Candle>;

/// A row of the table.
struct Block {
    id: i64,
    last: i64,
    bars: Vec<Candle>,
}

impl Block {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let (id, first): (i64, i64) = (row.get(0)?, row.get(1)?);
        let bars = packed::read::<Row>(row, 3).map_err(|error| {
            let error = format!("block {id} cannot be read: {error}").into();
            rusqlite::Error::FromSqlConversionFailure(3, Type::Text, error)
        })?;
        Ok(Self {
            id,
            last: row.get(2)?,
            bars: bars.into_iter().map(|bar| bar.unpack(first)).collect(),
        })
    }
}

/// The newest `limit` of a series' bars that begin in `from..to`, by their
/// start.
pub(super) fn range(
    database: &Connection,
    series: SeriesId,
    (from, to): (Time, Time),
    limit: usize,
) -> rusqlite::Result<Bars> {
    // Newest first: reading ends when there are enough.
    let mut select = database.prepare_cached(
        "SELECT id, time, last, bars FROM block
         WHERE series = :series AND time < :to ORDER BY time DESC",
    )?;
    let mut rows = select.query(named_params! { ":series": series, ":to": seconds_until(to) })?;
    let mut found = Bars::new();
    while let Some(row) = rows.next()? {
        let block = Block::read(row)?;
        if time(block.last) < from {
            break;
        }
        let bars = block.bars.into_iter();
        let wanted = bars.filter(|bar| (from..to).contains(&bar.time));
        found.extend(wanted.map(|bar| (seconds(bar.time), bar)));
        if found.len() >= limit {
            break;
        }
    }
    keep_newest(&mut found, limit);
    Ok(found)
}

/// Drops all but the newest `limit`.
pub(super) fn keep_newest(bars: &mut Bars, limit: usize) {
    while bars.len() > limit {
        bars.pop_first();
    }
}

/// The newest bar of a series.
pub(super) fn newest(database: &Connection, series: SeriesId) -> rusqlite::Result<Option<Candle>> {
    let mut bars = range(database, series, (Time::MIN, Time::MAX), 1)?;
    Ok(bars.pop_last().map(|(_, bar)| bar))
}

/// Adds bars to their series. They replace those of the same start.
pub(super) fn write(
    database: &Connection,
    bars: impl IntoIterator<Item = (SeriesId, Candle)>,
) -> rusqlite::Result<()> {
    let mut by_series: BTreeMap<SeriesId, Bars> = BTreeMap::new();
    for (series, bar) in bars {
        let bars = by_series.entry(series).or_default();
        bars.insert(seconds(bar.time), bar);
    }
    for (series, bars) in by_series {
        merge(database, series, bars)?;
    }
    Ok(())
}

/// Adds bars to a series. They replace those of the same start.
pub(super) fn merge(
    database: &Connection,
    series: SeriesId,
    mut bars: Bars,
) -> rusqlite::Result<()> {
    let (Some((&first, _)), Some((&last, _))) = (bars.first_key_value(), bars.last_key_value())
    else {
        return Ok(());
    };
    let mut ids = Vec::new();
    // The blocks that begin before the last of the bars, newest first.
    let mut select = database.prepare_cached(
        "SELECT id, time, last, bars FROM block
         WHERE series = :series AND time <= :last ORDER BY time DESC",
    )?;
    let mut rows = select.query(named_params! { ":series": series, ":last": last })?;
    while let Some(row) = rows.next()? {
        let block = Block::read(row)?;
        let is_before = block.last < first;
        let has_room = block.bars.len() + bars.len() <= BLOCK_BARS;
        if !is_before || has_room {
            ids.push(block.id);
            for bar in block.bars {
                bars.entry(seconds(bar.time)).or_insert(bar);
            }
        }
        if is_before {
            break;
        }
    }
    drop(rows);
    replace(database, series, &ids, bars)
}

/// Writes bars in place of the blocks with these ids.
fn replace(
    database: &Connection,
    series: SeriesId,
    ids: &[i64],
    bars: Bars,
) -> rusqlite::Result<()> {
    let mut delete = database.prepare_cached("DELETE FROM block WHERE id = ?1")?;
    for id in ids {
        delete.execute([id])?;
    }
    let mut insert = database.prepare_cached(
        "INSERT INTO block (id, series, time, last, bars) VALUES (:id, :series, :time, :last, :bars)",
    )?;
    let bars: Vec<_> = bars.into_iter().collect();
    // The pages of the old blocks are used again.
    let mut ids = ids.iter().rev();
    for chunk in bars.chunks(BLOCK_BARS) {
        let (first, last) = (chunk[0].0, chunk[chunk.len() - 1].0);
        let rows: Vec<_> = chunk.iter().map(|(_, bar)| Row::pack(first, bar)).collect();
        insert.execute(named_params! {
            ":id": ids.next(),
            ":series": series,
            ":time": first,
            ":last": last,
            ":bars": packed::write(&rows)?,
        })?;
    }
    Ok(())
}

/// Deletes at most `limit` blocks of a series whose bars all begin before
/// `before`. Returns how many.
pub(super) fn delete_before(
    database: &Connection,
    series: SeriesId,
    before: Time,
    limit: usize,
) -> rusqlite::Result<usize> {
    let mut delete = database.prepare_cached(
        "DELETE FROM block WHERE id IN
         (SELECT id FROM block
          WHERE series = :series AND time < :before AND last < :before
          ORDER BY time LIMIT :limit)",
    )?;
    delete.execute(named_params! {
        ":series": series, ":before": seconds_until(before), ":limit": limit as i64
    })
}

/// The start of the newest bar in the blocks of a series.
pub(super) fn newest_time(
    database: &Connection,
    series: SeriesId,
) -> rusqlite::Result<Option<Time>> {
    let mut select = database
        .prepare_cached("SELECT last FROM block WHERE series = ?1 ORDER BY time DESC LIMIT 1")?;
    let found = select.query_row([series], |row| Ok(time(row.get(0)?)));
    found.optional()
}
