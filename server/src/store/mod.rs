//! What outlives the server: candles of every interval, in one SQLite file.
//!
//! The market knows nothing of it. A [`Keeper`] looks at the market twice a
//! second and writes what is new; an [`Archive`] answers for both, memory and
//! file, as one.

mod alerts;
mod archive;
mod candles;
mod deliveries;
mod health;
mod keeper;
mod retention;
mod schema;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use shared::Instrument;

use crate::alerts::PastAlerts;
use crate::clock;
use crate::deliveries::Deliveries;
use crate::market::Past;

pub use self::archive::{Archive, ArchiveError};
pub use self::health::Health;
pub use self::keeper::Keeper;
pub use self::retention::{Retention, RetentionError};

/// How long to wait for somebody else who writes into the file. What could not
/// be written then is written later.
const BUSY_TIMEOUT: Duration = Duration::from_millis(250);
/// What SQLite keeps of the file in memory, in KiB, for each connection.
const CACHE_KIB: i64 = 8 * 1024;
/// The journal is made this small again when all of it is in the database.
const JOURNAL_BYTES_MAX: i64 = 16 * 1024 * 1024;

/// A file that cannot be used. None of these changes it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file was written by a newer program.
    #[error(
        "its version is {0}, and this program knows versions up to {1}; use a newer program, or another file"
    )]
    Newer(i64, i64),
    /// A database, but not of this program.
    #[error("it is a database of another program; name another file, or a new one")]
    Foreign,
    /// Parts of the file are not what they have to be.
    #[error("it is damaged ({0}); name another file, or restore this one from a copy")]
    Broken(String),
    /// Its newest candles are of the future, and nothing could be added to
    /// them: the clock is behind, or it was ahead once.
    #[error(
        "it has a candle of {symbol} that begins {ahead_s} s after what this machine's clock says, which is more than a day; set the clock, or name another file"
    )]
    Ahead {
        /// Of which symbol.
        symbol: String,
        /// How far it is in the future.
        ahead_s: i64,
    },
    /// Another server has it open.
    #[error("another server uses it; name another file, or --store none")]
    InUse,
    /// The file beside it that keeps other servers out.
    #[error("{0}: {1}; name a file in a folder that can be written")]
    Lock(PathBuf, std::io::Error),
    /// The folder that the file is to be in.
    #[error("{0}: {1}; name a file in a folder that is there")]
    Folder(PathBuf, std::io::Error),
    /// The file has more than one name: under the other, another program would
    /// not see that it is in use.
    #[error("the file has {0} names (hard links), of which SQLite may know one only; make a copy")]
    Linked(u64),
    /// Its file system has no room for a log beside the file.
    #[error(
        "its file system takes no write-ahead log (SQLite says '{0}'), as those over a network do; name a file on a local disk"
    )]
    NoLog(String),
    /// SQLite's own words.
    #[error("{0}; name a file that can be written, or --store none")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Broken(error.to_string()),
            _ => Self::Sqlite(error),
        }
    }
}

/// The feed whose history is kept.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The feed's name.
    pub feed: &'a str,
    /// Its catalogue.
    pub instruments: &'a [Instrument],
    /// Whether its time goes on from one run of the server to the next. One
    /// that begins again has its history begin again, too.
    pub goes_on: bool,
}

/// What a file had of earlier runs.
#[derive(Debug, Default)]
pub struct Restored {
    /// Where prices stood.
    pub market: Past,
    /// What people wanted to be told of.
    pub alerts: PastAlerts,
}

/// An open database file.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    feed: String,
    retention: Retention,
    writer: Connection,
    reader: Connection,
    /// Held as long as the file is in use. A lock on the database itself would
    /// be taken for one of SQLite's own.
    lock: File,
}

impl Store {
    /// Hands each receiver what it was not told in an earlier run.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(crate) fn go_on_telling(&self, receivers: &[Arc<Deliveries>]) -> Result<(), StoreError> {
        for receiver in receivers {
            receiver.extend(deliveries::read(&self.reader, receiver.id())?);
        }
        Ok(())
    }

    /// Opens the file, or makes it, and reads where the market stood.
    ///
    /// # Errors
    ///
    /// The file cannot be used; it is as it was.
    pub fn open(
        path: &Path,
        retention: Retention,
        source: Source<'_>,
    ) -> Result<(Self, Restored), StoreError> {
        let path = &resolved(path)?;
        let lock = lock(path)?;
        if let Some(found) = schema::inspect(path)?
            && source.goes_on
            && let Some(latest) = candles::latest_ahead(&found, source.feed, clock::now())?
        {
            let ahead_s = (latest - clock::now()).seconds();
            tracing::warn!(
                ahead_s,
                "the store has candles of later than the clock says; times go on from those"
            );
            clock::go_on_from(latest);
        }
        let mut writer = connect(path, OpenFlags::SQLITE_OPEN_CREATE)?;
        schema::migrate(&mut writer)?;
        // Unless power fails, nothing is lost; if it does, the newest seconds.
        writer.pragma_update(None, "synchronous", "NORMAL")?;
        writer.pragma_update(None, "journal_size_limit", JOURNAL_BYTES_MAX)?;
        let reader = connect(path, OpenFlags::empty())?;
        reader.pragma_update(None, "query_only", true)?;
        let restored = Restored {
            market: Past {
                candles: candles::take_up(&mut writer, source)?,
            },
            alerts: alerts::read(&writer)?,
        };
        let store = Self {
            path: path.to_owned(),
            feed: source.feed.to_owned(),
            retention,
            writer,
            reader,
            lock,
        };
        Ok((store, restored))
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags)?;
    database.busy_timeout(BUSY_TIMEOUT)?;
    database.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(database)
}

/// The one absolute name of a file, whatever links lead to it. What begins with
/// `file:` or is called `:memory:` means nothing else to SQLite then.
fn resolved(path: &Path) -> Result<PathBuf, StoreError> {
    match std::fs::canonicalize(path) {
        Ok(found) => {
            check_links(&found)?;
            return Ok(found);
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::Folder(path.to_owned(), error)),
    }
    // It is to be made: where a link leads, or in this folder.
    let leads = std::fs::read_link(path);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let whole = std::fs::canonicalize(folder);
    let whole = whole.map_err(|error| StoreError::Folder(folder.to_owned(), error))?;
    match (leads, path.file_name()) {
        (Ok(target), _) => Ok(whole.join(target)),
        (Err(_), Some(name)) => Ok(whole.join(name)),
        (Err(_), None) => {
            let error = std::io::Error::from(std::io::ErrorKind::IsADirectory);
            Err(StoreError::Folder(path.to_owned(), error))
        }
    }
}

#[cfg(unix)]
fn check_links(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt as _;
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() && found.nlink() > 1 => Err(StoreError::Linked(found.nlink())),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn check_links(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Keeps other servers away from the file until the lock is dropped.
fn lock(path: &Path) -> Result<File, StoreError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let opened = File::options().create(true).append(true).open(&beside);
    let file = opened.map_err(|error| StoreError::Lock(beside.clone(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(std::fs::TryLockError::Error(error)) => Err(StoreError::Lock(beside, error)),
    }
}
