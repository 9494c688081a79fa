//! What the tests need besides Rust: browsers of three engines and their
//! drivers, a proxy, a clock that can be set, Python, networks. Found, or installed where
//! that is possible.

use std::path::PathBuf;
use std::process::Command;

use anyhow::bail;

use crate::system::{self, is_on_path};
use crate::{say, tools};

/// A working driver for each browser.
pub(crate) struct Browsers {
    chromedriver: PathBuf,
    /// `None` where there is no Firefox.
    geckodriver: Option<PathBuf>,
    /// Whether there is a WebKit.
    webkit: bool,
    /// Whether there is an nginx.
    nginx: bool,
}

impl Browsers {
    /// Sets the variables by which wasm-bindgen's test runner and the
    /// end-to-end tests find the drivers.
    pub(crate) fn give_to(&self, command: &mut Command) {
        command.env("CHROMEDRIVER", &self.chromedriver);
        if let Some(driver) = &self.geckodriver {
            command.env("GECKODRIVER", driver);
        }
    }

    /// What is missing, and the tests that cannot run without it.
    pub(crate) fn missing(&self) -> Vec<(&'static str, &'static [&'static str])> {
        let mut missing: Vec<(_, &[_])> = Vec::new();
        if self.geckodriver.is_none() {
            missing.push(("Firefox with geckodriver", &["firefox"]));
        }
        if !self.webkit {
            missing.push((WEBKIT.what, &["webkit"]));
        }
        if !self.nginx {
            let tests = &[
                "chromium",
                "firefox",
                "webkit",
                "under_a_path",
                "what_is_refused",
                "readers_move_on",
            ];
            missing.push((NGINX.what, tests));
        }
        missing
    }
}

/// Something that the tests need: how it is detected, and its Debian packages.
struct Need {
    what: &'static str,
    is_there: fn() -> bool,
    packages: &'static [&'static str],
}

const CHROMIUM: Need = Need {
    what: "Chromium with chromedriver",
    is_there: || chromedriver().is_some(),
    packages: &["chromium", "chromium-driver", "fonts-dejavu-core"],
};
const FIREFOX: Need = Need {
    what: "Firefox",
    is_there: || {
        let named = std::env::var_os("FIREFOX").map(PathBuf::from);
        let names = system::FIREFOX.map(PathBuf::from);
        let mut names = named.into_iter().chain(names);
        names.any(|name| say::output(name, &["--version"]).is_some())
    },
    packages: &["firefox-esr"],
};
const WEBKIT: Need = Need {
    what: "WebKitGTK with WebKitWebDriver and Xvfb",
    is_there: || is_on_path("WebKitWebDriver") && is_on_path("Xvfb"),
    packages: &["webkit2gtk-driver", "libwebkit2gtk-4.1-0", "xvfb"],
};
const NGINX: Need = Need {
    what: "nginx",
    is_there: system::has_nginx,
    packages: &["nginx-light"],
};
const NCHAN: Need = Need {
    what: "Nchan, a module of nginx",
    is_there: system::has_nchan,
    packages: &["libnginx-mod-nchan"],
};
const FAKETIME: Need = Need {
    what: "libfaketime",
    is_there: system::has_faketime,
    packages: &["faketime"],
};
const PYTHON: Need = Need {
    what: "Python 3",
    is_there: || is_on_path(system::PYTHON),
    packages: &["python3"],
};
const NETWORKS: Need = Need {
    what: "ip, which makes networks",
    is_there: system::has_ip,
    packages: &["iproute2"],
};
const ALL: [&Need; 8] = [
    &CHROMIUM, &FIREFOX, &WEBKIT, &NGINX, &NCHAN, &FAKETIME, &PYTHON, &NETWORKS,
];

/// Finds Chromium's driver, or installs it with the browser where that is
/// possible. The rest is looked for only where it is needed.
///
/// # Errors
///
/// There is none, and it cannot be installed. The error says what to install.
pub(crate) fn find_or_install() -> anyhow::Result<Browsers> {
    install(&[&CHROMIUM])?;
    found(None)
}

/// Finds Nchan, or installs it.
///
/// # Errors
///
/// See [`find_or_install`].
pub(crate) fn find_or_install_nchan() -> anyhow::Result<()> {
    install(&[&NGINX, &NCHAN])
}

/// Finds or installs everything that the tests need. What is missing and cannot
/// be installed is reported; where `all` is set, it is an error.
///
/// # Errors
///
/// See [`find_or_install`].
pub(crate) fn find_or_install_all(all: bool) -> anyhow::Result<Browsers> {
    if let Err(error) = install(&ALL) {
        if all {
            return Err(error);
        }
        say::line(&format!("{error:#}"));
    }
    let geckodriver = match (FIREFOX.is_there)().then(tools::geckodriver) {
        Some(Err(error)) if all => return Err(error),
        Some(Err(error)) => {
            say::line(&format!("{error:#}"));
            None
        }
        Some(Ok(driver)) => Some(driver),
        None => None,
    };
    found(geckodriver)
}

fn found(geckodriver: Option<PathBuf>) -> anyhow::Result<Browsers> {
    let Some(chromedriver) = chromedriver() else {
        bail!("chromium-driver was installed, but no chromedriver is on PATH");
    };
    Ok(Browsers {
        chromedriver,
        geckodriver,
        webkit: (WEBKIT.is_there)(),
        nginx: (NGINX.is_there)(),
    })
}

/// Installs what is missing of these.
fn install(needs: &[&Need]) -> anyhow::Result<()> {
    let missing = || needs.iter().filter(|need| !(need.is_there)());
    let what = || {
        missing()
            .map(|need| need.what)
            .collect::<Vec<_>>()
            .join(", ")
    };
    if missing().next().is_none() {
        return Ok(());
    }
    let packages: Vec<_> = missing().flat_map(|need| need.packages).collect();
    let names = packages.iter().map(|name| **name).collect::<Vec<_>>();
    if !system::can_apt() {
        bail!(
            "no {}: install that (on Debian: apt-get install {})",
            what(),
            names.join(" ")
        );
    }
    system::apt_install(&what(), &names)?;
    match what() {
        none if none.is_empty() => Ok(()),
        what => bail!("installed, but not to be found: {what}"),
    }
}

fn chromedriver() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMEDRIVER").map(PathBuf::from);
    let is_named = named.is_some();
    let driver = named.unwrap_or_else(|| "chromedriver".into());
    say::output(&driver, &["--version"])?;
    // A driver that was named explicitly knows where its browser is.
    let mut browsers = system::CHROMIUM.iter();
    let has_browser = browsers.any(|name| say::output(name, &["--version"]).is_some());
    (is_named || has_browser).then_some(driver)
}
