//! How many files and connections the system lets this process have open.

/// Files that are not connections: the store, the log, the page's, and those of
/// the runtime.
const OWN_FILES: u64 = 48;

/// Raises the limit as far as it can be raised; returns how many connections it
/// leaves room for, if there is a limit.
#[cfg(unix)]
pub(crate) fn allow_files() -> Option<usize> {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays");
    }
    let files = getrlimit(Resource::Nofile).current?;
    usize::try_from(files.saturating_sub(OWN_FILES).max(1)).ok()
}

/// There is no such limit.
#[cfg(not(unix))]
pub(crate) fn allow_files() -> Option<usize> {
    None
}
