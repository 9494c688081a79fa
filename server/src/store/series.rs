//! The series of the database: which bars belong to what.

use std::collections::BTreeMap;

use rusqlite::{Connection, named_params};
use shared::{Instrument, Interval};

use super::packed::SeriesId;
use super::{StoredFeed, schema};

/// The numbers of an instrument's series, in the order of [`Interval::ALL`].
pub(super) type Ids = [SeriesId; Interval::ALL.len()];

/// A symbol of a feed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    pub(super) feed: String,
    pub(super) symbol: String,
}

/// The series of each symbol in the file, as far as there are some.
pub(super) type Known = BTreeMap<Owner, [Option<SeriesId>; Interval::ALL.len()]>;

/// All series of the file.
pub(super) fn known(database: &Connection) -> rusqlite::Result<Known> {
    let mut select = database.prepare("SELECT feed, symbol, interval, id FROM series")?;
    let mut rows = select.query(())?;
    let mut known = Known::new();
    while let Some(row) = rows.next()? {
        let owner = Owner {
            feed: row.get(0)?,
            symbol: row.get(1)?,
        };
        // Another version may know more intervals.
        if let Ok(interval) = row.get_ref(2)?.as_str()?.parse::<Interval>() {
            known.entry(owner).or_default()[interval as usize] = Some(row.get(3)?);
        }
    }
    Ok(known)
}

/// The number of a series, which is made if there is none.
pub(super) fn id(
    database: &Connection,
    feed: &str,
    symbol: &str,
    interval: &str,
) -> rusqlite::Result<SeriesId> {
    let wanted = named_params! { ":feed": feed, ":symbol": symbol, ":interval": interval };
    let mut insert = database.prepare_cached(
        "INSERT OR IGNORE INTO series (feed, symbol, interval) VALUES (:feed, :symbol, :interval)",
    )?;
    insert.execute(wanted)?;
    let mut select = database.prepare_cached(
        "SELECT id FROM series WHERE feed = :feed AND symbol = :symbol AND interval = :interval",
    )?;
    select.query_row(wanted, |row| row.get(0))
}

/// The numbers of an instrument's series, which are made if there are none.
pub(super) fn ids(
    database: &Connection,
    feed: &str,
    instrument: &Instrument,
) -> rusqlite::Result<Ids> {
    let mut ids = Ids::default();
    for (id, interval) in ids.iter_mut().zip(Interval::ALL) {
        *id = self::id(database, feed, &instrument.symbol, interval.name())?;
    }
    Ok(ids)
}

/// Forgets all bars of a feed that starts over: nothing could be appended to
/// them. Their blocks are deleted later, in pieces.
pub(super) fn forget(database: &Connection, source: StoredFeed<'_>) -> rusqlite::Result<()> {
    let feed = [source.feed];
    database.execute(
        "INSERT INTO gone SELECT id FROM series WHERE feed = ?1",
        feed,
    )?;
    database.execute("DELETE FROM series WHERE feed = ?1", feed)?;
    if schema::has_old(database)? {
        database.execute("DELETE FROM candle_5 WHERE feed = ?1", feed)?;
    }
    Ok(())
}
