//! The database's tables, and the migrations from older versions.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Transaction};

use super::{StoreError, file};

/// Free pages in the file are given back when there are more than this many (4
/// KiB each) and they are more than a tenth of all pages; at most this many at
/// once.
const FREE_PAGES_MAX: i64 = 1_024;

/// Marks the file in its header as Tickwire's: "TICK" in ASCII.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"TICK");

/// The migrations from each version to the next, starting with an empty
/// database. They never change once published; new ones are appended.
const MIGRATIONS: [&str; 7] = [
    include_str!("migrations/1_candles.sql"),
    include_str!("migrations/2_alerts.sql"),
    include_str!("migrations/3_deliveries.sql"),
    include_str!("migrations/4_price_kinds.sql"),
    include_str!("migrations/5_kinds.sql"),
    include_str!("migrations/6_packed.sql"),
    include_str!("migrations/7_origin.sql"),
];

/// The version that this program writes.
const VERSION: i64 = MIGRATIONS.len() as i64;

/// The first version in which bars are packed.
pub(super) const PACKED: i64 = 6;

/// The view that shows bars as rows, and what it has in addition while there are
/// bars of an earlier version.
const VIEW: &str = include_str!("views/candle.sql");
const VIEW_OF_OLD: &str = include_str!("views/candle_5.sql");

/// A file that this program can use.
#[derive(Debug)]
pub(super) struct Found {
    /// Opened for reading.
    pub(super) database: Connection,
    pub(super) version: i64,
}

/// Checks that this program may write the file, and what can be checked at once
/// of whether it is intact. Opens it for reading, if there is something in it.
/// Changes nothing.
pub(super) fn inspect(path: &Path) -> Result<Option<Found>, StoreError> {
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
    let database = file;
    check_length(path)?;
    Ok(Some(Found { database, version }))
}

/// Checks that the file is as long as its header says, which SQLite notices only
/// when it reads what is missing.
fn check_length(path: &Path) -> Result<(), StoreError> {
    let broken = |error: std::io::Error| StoreError::Broken(error.to_string());
    // While there is something in the journal, the file may be behind.
    let journal = std::fs::metadata(file::beside(path, "-wal"));
    if journal.is_ok_and(|journal| journal.len() > 0) {
        return Ok(());
    }
    let mut header = [0; 100];
    let mut opened = File::open(path).map_err(broken)?;
    opened.read_exact(&mut header).map_err(broken)?;
    let number = |at: usize| {
        let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        u64::from(u32::from_be_bytes(bytes))
    };
    // https://www.sqlite.org/fileformat.html#the_database_header
    let page_bytes = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65_536,
        bytes => bytes,
    };
    let (pages, is_valid) = (number(28), number(24) == number(92));
    let (expected, found) = (pages * page_bytes, opened.metadata().map_err(broken)?.len());
    if is_valid && found < expected {
        return Err(StoreError::Broken(format!(
            "it has {found} bytes of {expected}"
        )));
    }
    Ok(())
}

/// Lets the database have a write-ahead log, and shrink.
pub(super) fn prepare(database: &Connection) -> Result<(), StoreError> {
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
    Ok(())
}

/// Migrates a database to the current version.
pub(super) fn migrate(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let version = pragma(transaction, "user_version")?;
    let done = usize::try_from(version).unwrap_or(0);
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    if version < PACKED {
        create_view(transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(())
}

/// Whether there are bars of an earlier version that are not packed yet.
pub(super) fn has_old(database: &Connection) -> rusqlite::Result<bool> {
    let mut find =
        database.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = 'candle_5'")?;
    find.exists(())
}

/// Drops the table of bars of an earlier version, if it is empty, and makes the
/// view of what there is. Returns whether the table is gone.
pub(super) fn create_view(database: &Connection) -> rusqlite::Result<bool> {
    let mut find = database.prepare("SELECT 1 FROM candle_5 LIMIT 1")?;
    let is_empty = !find.exists(())?;
    drop(find);
    database.execute_batch("DROP VIEW IF EXISTS candle")?;
    if is_empty {
        database.execute_batch("DROP TABLE candle_5")?;
        database.execute_batch(VIEW)?;
    } else {
        database.execute_batch(&format!("{VIEW}{VIEW_OF_OLD}"))?;
    }
    Ok(is_empty)
}

/// Gives back some of the free pages of the file.
pub(super) fn shrink(database: &Connection) -> rusqlite::Result<()> {
    let free = pragma(database, "freelist_count")?;
    let pages = pragma(database, "page_count")?;
    if free <= FREE_PAGES_MAX || free <= pages / 10 {
        return Ok(());
    }
    let give_back = format!("PRAGMA incremental_vacuum({FREE_PAGES_MAX})");
    let mut give_back = database.prepare(&give_back)?;
    let mut steps = give_back.query(())?;
    // Each step gives back one page.
    while steps.next()?.is_some() {}
    Ok(())
}

pub(super) fn pragma(database: &Connection, name: &str) -> rusqlite::Result<i64> {
    database.pragma_query_value(None, name, |row| row.get(0))
}
