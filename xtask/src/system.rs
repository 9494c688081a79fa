//! What differs between operating systems: where tools are kept, what programs
//! are called, how one process becomes another, and whether packages can be
//! installed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::bail;

use crate::say;

/// The program with this name, as this system calls it.
pub(crate) fn program_name(name: &str) -> OsString {
    format!("{name}{}", std::env::consts::EXE_SUFFIX).into()
}

/// The command that runs npm.
pub(crate) fn npm() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}

/// A program of an npm package, as npm puts it into `node_modules/.bin`.
pub(crate) fn npm_program(name: &str) -> String {
    if cfg!(windows) {
        format!("{name}.cmd")
    } else {
        name.to_owned()
    }
}

/// `<user's cache>/tickwire/tools`.
///
/// # Errors
///
/// The environment names no folder.
pub(crate) fn tools_folder() -> anyhow::Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = if let Some(cache) = variable("XDG_CACHE_HOME") {
        PathBuf::from(cache)
    } else if let Some(local) = variable("LOCALAPPDATA") {
        PathBuf::from(local)
    } else if let Some(home) = variable("HOME") {
        PathBuf::from(home).join(".cache")
    } else {
        bail!("no place for tools: set HOME or XDG_CACHE_HOME");
    };
    Ok(folder.join("tickwire").join("tools"))
}

/// Whether there is a program of this name on `PATH`.
pub(crate) fn is_on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program_name(name)).is_file())
}

/// Whether this process is root on Debian. Ubuntu does not count: its browsers
/// are snaps.
pub(crate) fn can_apt() -> bool {
    let is_root = say::output("id", &["-u"]).is_some_and(|id| id == "0");
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    is_root && release.lines().any(|line| line == "ID=debian")
}

/// Replaces this process with the command, so that signals reach it directly.
///
/// # Errors
///
/// The command cannot be started.
#[cfg(unix)]
pub(crate) fn replace_with(command: &mut Command) -> std::io::Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec())
}

/// Runs the command, and ends as it ends: this system cannot replace a process.
///
/// # Errors
///
/// The command cannot be started.
#[cfg(not(unix))]
pub(crate) fn replace_with(command: &mut Command) -> std::io::Result<()> {
    let status = command.status()?;
    std::process::exit(status.code().unwrap_or(1));
}
