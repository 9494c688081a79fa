//! What differs between operating systems: where tools are kept, what programs
//! are called and where they are, how one process becomes another, and how
//! packages are installed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

use crate::{say, target_directory};

/// The program with this name, as this system calls it.
pub(crate) fn program_name(name: &str) -> OsString {
    format!("{name}{}", std::env::consts::EXE_SUFFIX).into()
}

/// A program of the workspace, as cargo built it in this profile's folder.
///
/// # Errors
///
/// See [`target_directory`].
pub(crate) fn built(profile: &str, name: &str) -> anyhow::Result<PathBuf> {
    Ok(target_directory()?.join(profile).join(program_name(name)))
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

/// The names under which Chromium is installed.
pub(crate) const CHROMIUM: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
/// The names under which Firefox is installed.
pub(crate) const FIREFOX: [&str; 2] = ["firefox-esr", "firefox"];
/// The name of Python 3.
pub(crate) const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };

/// Whether there is nginx. On Debian, it is not on everybody's `PATH`.
pub(crate) fn has_nginx() -> bool {
    is_on_path("nginx") || Path::new("/usr/sbin/nginx").exists()
}

/// Whether there is Nchan, a module of nginx.
pub(crate) fn has_nchan() -> bool {
    Path::new("/usr/lib/nginx/modules/ngx_nchan_module.so").exists()
}

/// Whether there is libfaketime, which sets the clock that a process sees.
pub(crate) fn has_faketime() -> bool {
    let folders = ["x86_64-linux-gnu", "aarch64-linux-gnu", ""];
    folders.iter().any(|folder| {
        let path = Path::new("/usr/lib").join(folder);
        path.join("faketime/libfaketime.so.1").exists()
    })
}

/// Whether a process can have file systems of its own, which some systems forbid.
pub(crate) fn has_namespaces() -> bool {
    let arguments = ["--user", "--map-root-user", "--mount", "true"];
    say::output("unshare", &arguments).is_some()
}

/// Whether there is the program that makes networks, where the system has any.
pub(crate) fn has_ip() -> bool {
    cfg!(not(target_os = "linux")) || is_on_path("ip") || Path::new("/usr/sbin/ip").exists()
}

/// Whether this process may make networks of its own: as a rule, root may.
pub(crate) fn has_networks() -> bool {
    let name = format!("twprobe{}", std::process::id());
    say::output("ip", &["netns", "add", &name]).is_some()
        && say::output("ip", &["netns", "delete", &name]).is_some()
}

/// Whether this process is root on Debian. Ubuntu does not count: its browsers
/// are snaps.
pub(crate) fn can_apt() -> bool {
    let is_root = say::output("id", &["-u"]).is_some_and(|id| id == "0");
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    is_root && release.lines().any(|line| line == "ID=debian")
}

/// Installs Debian packages.
///
/// # Errors
///
/// `apt-get` fails.
pub(crate) fn apt_install(what: &str, packages: &[&str]) -> anyhow::Result<()> {
    let mut update = Command::new("apt-get");
    update.args(["update", "--quiet"]);
    say::step("reading the package lists (some seconds)", &mut update)?;
    let mut install = Command::new("apt-get");
    install
        .args(["install", "--yes", "--quiet", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // No service of these packages is to be started.
        .env("RUNLEVEL", "1");
    say::step(&format!("installing {what} (minutes, once)"), &mut install)
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
