//! Chromium and its driver, for tests in a real browser.

use std::path::PathBuf;
use std::process::Command;

use anyhow::bail;

use crate::say;

/// A driver that works.
pub(crate) struct Browser {
    driver: PathBuf,
}

impl Browser {
    /// Tells a command where the driver is, the way wasm-bindgen's runner and
    /// the end-to-end tests look for it.
    pub(crate) fn give_to(&self, command: &mut Command) {
        command.env("CHROMEDRIVER", &self.driver);
    }
}

/// Finds a driver, or installs it with the browser where that is possible.
///
/// # Errors
///
/// There is none and it cannot be installed; one line says what to install.
pub(crate) fn find_or_install() -> anyhow::Result<Browser> {
    if let Some(browser) = find() {
        return Ok(browser);
    }
    if !can_apt() {
        bail!(
            "no Chromium with chromedriver: install both (on Debian: apt-get install chromium \
             chromium-driver), or set CHROMEDRIVER to the driver"
        );
    }
    let mut update = Command::new("apt-get");
    update.args(["update", "--quiet"]);
    say::step("reading the package lists (some seconds)", &mut update)?;
    let mut install = Command::new("apt-get");
    install
        .args(["install", "--yes", "--quiet", "--no-install-recommends"])
        .args(["chromium", "chromium-driver", "fonts-dejavu-core"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    say::step(
        "installing Chromium and its driver (a minute, once)",
        &mut install,
    )?;
    match find() {
        Some(browser) => Ok(browser),
        None => bail!("chromium-driver was installed, but no chromedriver is on PATH"),
    }
}

/// The browser's own names.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

fn find() -> Option<Browser> {
    let named = std::env::var_os("CHROMEDRIVER").map(PathBuf::from);
    let is_named = named.is_some();
    let driver = named.unwrap_or_else(|| "chromedriver".into());
    say::output(&driver, &["--version"])?;
    // Whoever names the driver knows where its browser is.
    let mut browsers = BROWSERS.iter();
    let has_browser = browsers.any(|name| say::output(name, &["--version"]).is_some());
    (is_named || has_browser).then_some(Browser { driver })
}

/// Whether this is root on Debian. Not on Ubuntu, whose Chromium is a snap.
fn can_apt() -> bool {
    let is_root = say::output("id", &["-u"]).is_some_and(|id| id == "0");
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    is_root && release.lines().any(|line| line == "ID=debian")
}
