//! The database's tables, and the migrations from older versions.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::StoreError;

/// Marks the file in its header as Tickwire's: "TICK" in ASCII.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"TICK");

/// The migrations from each version to the next, starting with an empty
/// database. They never change once published; new ones are appended.
const MIGRATIONS: [&str; 5] = [
    include_str!("migrations/1_candles.sql"),
    include_str!("migrations/2_alerts.sql"),
    include_str!("migrations/3_deliveries.sql"),
    include_str!("migrations/4_price_kinds.sql"),
    include_str!("migrations/5_kinds.sql"),
];

/// The version that this program writes.
const VERSION: i64 = MIGRATIONS.len() as i64;

/// Checks that the file is intact and that this program may write it. Opens it
/// for reading, if there is something in it. Changes nothing.
pub(super) fn inspect(path: &Path) -> Result<Option<Connection>, StoreError> {
    match std::fs::metadata(path) {
        // SQLite creates a database in either case.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Ok(found) if found.is_file() && found.len() == 0 => return Ok(None),
        _ => {}
    }
    let file = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let application = pragma(&file, "application_id")?;
    let tables: i64 = file.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if application == 0 && tables == 0 {
        // A database that was created but has no tables yet.
        return Ok(None);
    }
    if application != i64::from(APPLICATION_ID) {
        return Err(StoreError::Foreign);
    }
    let version = pragma(&file, "user_version")?;
    if version > VERSION {
        return Err(StoreError::Newer(version, VERSION));
    }
    // One error is enough.
    let found: String = file.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    if found != "ok" {
        return Err(StoreError::Broken(found.replace('\n', ", ")));
    }
    Ok(Some(file))
}

/// Migrates a database to the current version, in one transaction.
pub(super) fn migrate(database: &mut Connection) -> Result<(), StoreError> {
    if pragma(database, "user_version")? == 0 {
        // Only possible before there are tables: allows the file to shrink
        // again.
        database.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    let mode: String =
        database.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::NoLog(mode));
    }
    let transaction = database.transaction()?;
    let version = pragma(&transaction, "user_version")?;
    let done = usize::try_from(version).unwrap_or(0);
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}

pub(super) fn pragma(database: &Connection, name: &str) -> rusqlite::Result<i64> {
    database.pragma_query_value(None, name, |row| row.get(0))
}
