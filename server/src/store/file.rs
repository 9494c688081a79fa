//! The store's file: where it is, who else uses it, and who may read it.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::StoreError;

/// The one absolute path of a file, with links resolved. So names such as
/// `file:…` and `:memory:` have no special meaning to SQLite.
pub(super) fn resolved(path: &Path) -> Result<PathBuf, StoreError> {
    match std::fs::canonicalize(path) {
        Ok(found) => {
            check_links(&found)?;
            return Ok(found);
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::Folder(path.to_owned(), error)),
    }
    // The file is to be created: where a link points, or in this folder.
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
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let beside = beside(path, ".lock");
    let opened = File::options().create(true).append(true).open(&beside);
    let file = opened.map_err(|error| StoreError::Lock(beside.clone(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(std::fs::TryLockError::Error(error)) => Err(StoreError::Lock(beside, error)),
    }
}

/// Which file it is, whatever its name: its device and its number there.
#[cfg(unix)]
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

/// Not known on other systems, where an open file cannot be moved.
#[cfg(not(unix))]
pub(super) fn identity(_: &Path) -> Option<(u64, u64)> {
    None
}

/// The path of a file beside this one.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(ending);
    beside.into()
}

/// The mode of files that hold data.
#[cfg(unix)]
const PRIVATE: u32 = 0o600;

/// Creates a file that only its owner can read and write. It must not be there.
///
/// # Errors
///
/// It is there, or cannot be created.
pub fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.append(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(PRIVATE);
    }
    options.open(path)
}

/// Creates the file if there is none, and lets only its owner read and write it.
/// SQLite gives the files beside it the same mode; those of an earlier version
/// get it here.
#[cfg(unix)]
pub(super) fn keep_private(path: &Path) {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    if create_private(path).is_ok() {
        return;
    }
    for path in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        let Ok(found) = std::fs::metadata(&path) else {
            continue;
        };
        if found.is_file()
            && found.permissions().mode() & 0o077 != 0
            && let Err(error) = std::fs::set_permissions(&path, Permissions::from_mode(PRIVATE))
        {
            let path = path.display();
            tracing::warn!(%path, %error, "others may read this file, and that cannot be changed");
        }
    }
}

#[cfg(not(unix))]
pub(super) fn keep_private(_: &Path) {}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use rusqlite::Connection;

    use super::*;

    fn mode(path: &Path) -> Option<u32> {
        Some(std::fs::metadata(path).ok()?.permissions().mode() & 0o777)
    }

    #[test]
    fn only_the_owner_reads_the_file_and_those_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let (new, old) = (folder.path().join("new.db"), folder.path().join("old.db"));
        std::fs::write(&old, "").unwrap();
        std::fs::set_permissions(&old, Permissions::from_mode(0o644)).unwrap();
        for path in [&new, &old] {
            keep_private(path);
            let database = Connection::open(path).unwrap();
            let journal = database.pragma_update(None, "journal_mode", "WAL");
            journal.unwrap();
            database.execute("CREATE TABLE t (x)", ()).unwrap();
            for path in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
                assert_eq!(mode(&path), Some(0o600), "{}", path.display());
            }
        }
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let before = mode(folder.path());
        keep_private(folder.path());
        assert_eq!(mode(folder.path()), before);
    }
}
