//! The persistent store: candles of every interval, alerts, firings and pending
//! deliveries, in one SQLite file.
//!
//! The market does not know the store. A [`Keeper`] reads the market once a
//! second and writes what is new; an [`Archive`] answers from memory and the
//! file combined.
//!
//! Little is written: bars that have closed, in the order of time (`fresh`),
//! which are packed into `blocks` of one series every quarter of an hour. Bars that
//! are open are made again at the start (`restore`).

mod alerts;
mod archive;
mod bars;
mod blocks;
mod checking;
mod columns;
mod deliveries;
mod down;
mod file;
mod fresh;
mod health;
mod keeper;
#[cfg(test)]
mod laws;
mod old;
mod origin;
mod packed;
mod restore;
mod retention;
mod schema;
mod series;
mod tools;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use shared::{Break, Candle, Instrument};

use crate::alerts::PastAlerts;
use crate::clock;
use crate::deliveries::Deliveries;
use crate::feed::PastCandles;
use crate::market::{Mark, Past};

pub use self::archive::{Archive, ArchiveError};
pub use self::file::create_private;
pub use self::health::Health;
pub use self::keeper::Keeper;
pub use self::retention::{Retention, RetentionError};
pub use self::tools::{
    Format, Report, Selection, TimeError, ToolError, backup, check, export, parse_time,
};

/// How long to wait for another process that writes into the file. What could
/// not be written then is written later.
const BUSY_TIMEOUT: Duration = Duration::from_millis(250);
/// SQLite's cache of the file, in KiB, for each connection.
const CACHE_KIB: i64 = 8 * 1024;
/// The journal is truncated to this size once all of it is in the database.
const JOURNAL_BYTES_MAX: i64 = 16 * 1024 * 1024;
/// The journal is written into the database when it has so many pages (4 KiB
/// each): the more, the seldomer a page that changes each second is.
const JOURNAL_PAGES: i64 = 3_000;

/// Why a file cannot be used. None of these errors changes the file.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file was written by a newer version of the program.
    #[error(
        "its version is {0}, and this program knows versions up to {1}; use a newer program, or another file"
    )]
    Newer(i64, i64),
    /// The file is a database of another program.
    #[error("it is a database of another program; name another file, or a new one")]
    Foreign,
    /// The file is damaged.
    #[error("it is damaged ({0}); name another file, or restore this one from a copy")]
    Broken(String),
    /// Its newest candles are in the future, so none could be appended to them:
    /// the clock is behind, or was ahead once.
    #[error(
        "it has a candle of {symbol} that begins {ahead_s} s after what this machine's clock says, which is more than a day; set the clock, or name another file"
    )]
    Ahead {
        /// The symbol of the candle.
        symbol: String,
        /// How far it is in the future.
        ahead_s: i64,
    },
    /// Another server is using it.
    #[error("another server uses it; name another file, or --store none")]
    InUse,
    /// The lock file beside it, which keeps other servers out, cannot be used.
    #[error("{0}: {1}; name a file in a folder that can be written")]
    Lock(PathBuf, std::io::Error),
    /// The folder of the file cannot be used.
    #[error("{0}: {1}; name a file in a folder that is there")]
    Folder(PathBuf, std::io::Error),
    /// The file has more than one name: under the other name, another program
    /// would not see that it is in use.
    #[error("the file has {0} names (hard links), of which SQLite may know one only; make a copy")]
    Linked(u64),
    /// Its file system does not support a write-ahead log.
    #[error(
        "its file system takes no write-ahead log (SQLite says '{0}'), as those over a network do; name a file on a local disk"
    )]
    NoLog(String),
    /// An error of SQLite.
    #[error("{0}; name a file that can be written, or --store none")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Broken(error.to_string()),
            // What is in a column is not what Tickwire writes.
            None => Self::Broken(error.to_string()),
            Some(_) => Self::Sqlite(error),
        }
    }
}

/// The feed whose history is stored.
#[derive(Clone, Copy, Debug)]
pub struct StoredFeed<'a> {
    /// The feed's name.
    pub feed: &'a str,
    /// Its catalogue.
    pub instruments: &'a [Instrument],
    /// Whether its time continues from one run of the server to the next. If it
    /// starts over, so does its history.
    pub goes_on: bool,
    /// Whether nobody else has what came while the server was down: such a time is a
    /// break.
    pub is_alone: bool,
}

/// What a file holds from earlier runs.
#[derive(Debug, Default)]
pub struct Restored {
    /// The newest candles of the market.
    pub market: Past,
    /// The alerts.
    pub alerts: PastAlerts,
    /// What the feed wrote down when it began.
    pub origin: Option<String>,
}

/// An open database file.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    feed: String,
    goes_on: bool,
    has_old: bool,
    retention: Retention,
    taken: restore::Taken,
    /// When the server was down.
    breaks: Vec<Break>,
    writer: Connection,
    reader: Connection,
    /// Held as long as the file is in use. A lock on the database file itself
    /// would interfere with SQLite's own locks.
    lock: File,
}

impl Store {
    /// Writes down that the server was down since the newest candle that is stored.
    pub(crate) fn note_break(&mut self) -> Result<(), StoreError> {
        if let Some(found) = self.taken.down(clock::now()) {
            down::write(&self.writer, &self.feed, found)?;
            self.breaks = down::read(&self.writer, &self.feed)?;
        }
        Ok(())
    }

    /// Takes note of the candles with which the market of each instrument begins. Where
    /// they do not begin with the newest one that is stored, all of them are written.
    pub(crate) fn go_on_with(&mut self, candles: &[PastCandles]) {
        let restore::Taken { newest, marks, .. } = &mut self.taken;
        for ((newest, marks), candles) in newest.iter().zip(marks).zip(candles) {
            for ((stored, mark), bars) in newest.iter().zip(marks).zip(candles) {
                let start = |bar: &Candle| bar.time;
                if bars.first().map(start) != stored.as_ref().map(start) {
                    *mark = Mark::default();
                }
            }
        }
    }

    /// Gives each receiver its pending deliveries of an earlier run.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(crate) fn resume_deliveries(
        &self,
        receivers: &[Arc<Deliveries>],
    ) -> Result<(), StoreError> {
        for receiver in receivers {
            receiver.extend(deliveries::read(&self.reader, receiver.id())?);
        }
        Ok(())
    }

    /// Writes down what the feed has to know in later runs.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(crate) fn keep_origin(&mut self, origin: &str) -> Result<(), StoreError> {
        Ok(origin::write(&self.writer, &self.feed, origin)?)
    }

    /// Opens or creates the file, and reads the state of the market.
    ///
    /// # Errors
    ///
    /// The file cannot be used; it is not changed.
    pub fn open(
        path: &Path,
        retention: Retention,
        source: StoredFeed<'_>,
    ) -> Result<(Self, Restored), StoreError> {
        let path = &file::resolved(path)?;
        let lock = file::lock(path)?;
        if let Some(found) = schema::inspect(path)?
            && source.goes_on
            && let Some(latest) = restore::latest_ahead(&found, source, clock::now())?
        {
            let ahead_s = (latest - clock::now()).seconds();
            tracing::warn!(
                ahead_s,
                "the store has candles of later than the clock says; times go on from those"
            );
            clock::go_on_from(latest);
        }
        file::keep_private(path);
        let mut writer = connect(path, OpenFlags::SQLITE_OPEN_CREATE)?;
        schema::prepare(&writer)?;
        set_up(&writer)?;
        // What cannot be read is found before anything is changed.
        let transaction = writer.transaction()?;
        schema::migrate(&transaction)?;
        let taken = restore::take_up(&transaction, source)?;
        if let Some(found) = taken
            .down(clock::now())
            .filter(|_| source.goes_on && source.is_alone)
        {
            down::write(&transaction, source.feed, found)?;
        }
        let breaks = down::read(&transaction, source.feed)?;
        let restored = Restored {
            market: Past::of_newest(&taken.newest, taken.previous.clone()),
            alerts: alerts::read(&transaction)?,
            origin: origin::read(&transaction, source.feed)?,
        };
        transaction.commit()?;
        let reader = connect(path, OpenFlags::empty())?;
        reader.pragma_update(None, "query_only", true)?;
        let has_old = schema::has_old(&writer)?;
        if has_old {
            tracing::info!(
                "the store's file is of an earlier version; it is converted while the server runs"
            );
        }
        let store = Self {
            path: path.to_owned(),
            feed: source.feed.to_owned(),
            goes_on: source.goes_on,
            has_old,
            retention,
            taken,
            breaks,
            writer,
            reader,
            lock,
        };
        Ok((store, restored))
    }
}

/// Says how the writer writes.
fn set_up(writer: &Connection) -> rusqlite::Result<()> {
    // Nothing is lost unless power fails; then the newest seconds are lost.
    writer.pragma_update(None, "synchronous", "NORMAL")?;
    writer.pragma_update(None, "journal_size_limit", JOURNAL_BYTES_MAX)?;
    writer.pragma_update(None, "wal_autocheckpoint", JOURNAL_PAGES)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags)?;
    database.busy_timeout(BUSY_TIMEOUT)?;
    database.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(database)
}
