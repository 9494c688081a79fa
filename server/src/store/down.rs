//! When the server was down.

use rusqlite::{Connection, named_params};
use shared::{Break, Time};

/// So many of the newest times are kept.
const KEPT: i64 = 1_000;

/// Writes down that the server was down.
pub(super) fn write(database: &Connection, feed: &str, found: Break) -> rusqlite::Result<()> {
    database.execute(
        "INSERT OR REPLACE INTO down (feed, since, until) VALUES (:feed, :since, :until)",
        named_params! {
            ":feed": feed, ":since": found.since.micros(), ":until": found.until.micros()
        },
    )?;
    database.execute(
        "DELETE FROM down WHERE feed = :feed AND since NOT IN
         (SELECT since FROM down WHERE feed = :feed ORDER BY since DESC LIMIT :kept)",
        named_params! { ":feed": feed, ":kept": KEPT },
    )?;
    Ok(())
}

/// All times at which it was down, oldest first.
pub(super) fn read(database: &Connection, feed: &str) -> rusqlite::Result<Vec<Break>> {
    let mut select =
        database.prepare("SELECT since, until FROM down WHERE feed = ?1 ORDER BY since")?;
    let rows = select.query_map([feed], |row| {
        Ok(Break {
            since: Time::from_micros(row.get(0)?),
            until: Time::from_micros(row.get(1)?),
        })
    })?;
    rows.collect()
}
