//! What a person does with a file: copy it while a server uses it, check it,
//! and take bars out of it.

mod backup;
mod check;
mod export;

use std::path::{Path, PathBuf};

pub use self::backup::backup;
pub use self::check::{Report, check};
pub use self::export::{Format, Selection, TimeError, export, parse_time};

use super::StoreError;
use super::schema::{self, Found};

/// Why something could not be done with a file.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// There is no store in this place.
    #[error("{0}: there is no store; name its file with --store")]
    Nothing(PathBuf),
    /// It cannot be used.
    #[error("{0}: {1}")]
    Unusable(PathBuf, StoreError),
    /// It is of a version that has to be converted first.
    #[error("{0}: it is of version {1}; start the server with it once, which converts it")]
    Old(PathBuf, i64),
    /// A file that is to be written is already there.
    #[error("{0}: it is already there; name a file that is not")]
    Exists(PathBuf),
    /// A file cannot be written.
    #[error("{0}: {1}; name a file in a folder that can be written")]
    Output(PathBuf, std::io::Error),
    /// The store has no such bars.
    #[error("{0}: it has no bars of {1}; it has {2}")]
    NoSuch(PathBuf, String, String),
    /// The same symbol is there of several feeds.
    #[error("{0}: {1} is there of several feeds ({2}); say which with --feed")]
    Ambiguous(PathBuf, String, String),
}

impl ToolError {
    fn unusable(path: &Path, error: impl Into<StoreError>) -> Self {
        Self::Unusable(path.to_owned(), error.into())
    }
}

/// Opens a store for reading, also while a server uses it.
fn open(path: &Path) -> Result<Found, ToolError> {
    if !path.exists() {
        return Err(ToolError::Nothing(path.to_owned()));
    }
    // A file with several names can be read all the same.
    let resolved = std::fs::canonicalize(path);
    let resolved = resolved.map_err(|error| ToolError::Output(path.to_owned(), error))?;
    let found = schema::inspect(&resolved).map_err(|error| ToolError::unusable(path, error))?;
    let found = found.ok_or_else(|| ToolError::Nothing(path.to_owned()))?;
    let patient = found.database.busy_timeout(super::BUSY_TIMEOUT * 40);
    patient.map_err(|error| ToolError::unusable(path, error))?;
    Ok(found)
}
