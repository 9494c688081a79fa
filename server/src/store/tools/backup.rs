//! A consistent copy of a file, while a server uses it.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use super::ToolError;
use crate::store::file;

/// Copies the store at `path` to the new file `to`, as it is at one moment.
/// Returns the copy's size in bytes. If that fails, there is no such file.
///
/// # Errors
///
/// The store cannot be read, or the copy cannot be written.
pub fn backup(path: &Path, to: &Path) -> Result<u64, ToolError> {
    let found = super::open(path)?;
    if to.exists() {
        return Err(ToolError::Exists(to.to_owned()));
    }
    // The copy gets its name when it is whole.
    let part = file::beside(to, ".part");
    let output = |error: std::io::Error| ToolError::Output(part.clone(), error);
    file::create_private(&part).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => ToolError::Exists(part.clone()),
        _ => output(error),
    })?;
    let copied = part
        .to_str()
        .ok_or_else(|| output(ErrorKind::InvalidFilename.into()))
        .and_then(|name| {
            let copy = found.database.execute("VACUUM INTO ?1", [name]);
            copy.map_err(|error| ToolError::unusable(path, error))
        })
        .and_then(|_| keep(&part, to).map_err(output));
    if copied.is_err() {
        _ = std::fs::remove_file(&part);
    }
    copied
}

/// Gives the copy its name, when the disk has it.
fn keep(part: &Path, to: &Path) -> std::io::Result<u64> {
    let copy = File::open(part)?;
    copy.sync_all()?;
    std::fs::rename(part, to)?;
    Ok(copy.metadata()?.len())
}
