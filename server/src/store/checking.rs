//! Whether the file is sound. What takes long is checked beside the running
//! market, and told when it is known.

use std::path::Path;

use rusqlite::{Connection, InterruptHandle, OpenFlags};
use tokio::task::spawn_blocking;

use super::health::Health;
use crate::clock;

/// Ends the check when it is dropped.
pub(super) struct Checking(Option<InterruptHandle>);

impl Drop for Checking {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.interrupt();
        }
    }
}

/// Starts to check the file at `path`, and reports to `health`.
pub(super) fn start(path: &Path, health: &Health) -> Checking {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = match Connection::open_with_flags(path, flags) {
        Ok(database) => database,
        Err(error) => {
            health.not_checked(error.to_string());
            return Checking(None);
        }
    };
    let (handle, health) = (database.get_interrupt_handle(), health.clone());
    spawn_blocking(move || run(&database, &health));
    Checking(Some(handle))
}

fn run(database: &Connection, health: &Health) {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let damaged = |detail: &str| {
        tracing::error!(
            detail,
            "the store's file is damaged; nothing is written any more; restore it from a copy"
        );
        health.found_damaged(clock::now(), detail);
    };
    match problem(database) {
        Ok(None) => health.found_sound(),
        Ok(Some(detail)) => damaged(&detail),
        Err(error) => match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => damaged(&error.to_string()),
            _ => health.not_checked(error.to_string()),
        },
    }
}

/// What SQLite finds to be wrong with the file, if anything.
fn problem(database: &Connection) -> rusqlite::Result<Option<String>> {
    database.pragma_update(None, "query_only", true)?;
    // One error is enough.
    let found: String = database.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    Ok((found != "ok").then(|| found.replace('\n', ", ")))
}
