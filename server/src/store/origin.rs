//! What a feed wrote down when it began.

use rusqlite::{Connection, OptionalExtension as _};

/// What this feed wrote down.
pub(super) fn read(database: &Connection, feed: &str) -> rusqlite::Result<Option<String>> {
    let select = "SELECT text FROM origin WHERE feed = ?1";
    let found = database.query_row(select, [feed], |row| row.get(0));
    found.optional()
}

/// Writes it down. It is the same in each run, unless other servers have another past.
pub(super) fn write(database: &Connection, feed: &str, text: &str) -> rusqlite::Result<()> {
    let insert = "INSERT OR REPLACE INTO origin (feed, text) VALUES (?1, ?2)";
    database.execute(insert, [feed, text])?;
    Ok(())
}
