//! Exchanges: payloads that others recorded, and the real ones.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::system::{self, tools_folder};
use crate::{cargo, say};

/// Crates with payloads that were recorded (LGPL): they are read where cargo unpacks
/// them, and never copied.
const NAUTILUS: &str = "0.57.0";
/// The package from PyPI whose comments have payloads.
const CCXT: &str = "4.5.90";

/// The variables that name the folders of payloads.
pub(crate) struct Payloads([(&'static str, PathBuf); 3]);

impl Payloads {
    /// Finds or fetches them.
    ///
    /// # Errors
    ///
    /// They cannot be fetched.
    pub(crate) fn find_or_fetch() -> anyhow::Result<Self> {
        Ok(Self([
            (
                "ORACLE_KRAKEN",
                unpacked("nautilus-kraken")?.join("test_data"),
            ),
            (
                "ORACLE_BINANCE",
                unpacked("nautilus-binance")?.join("test_data"),
            ),
            ("ORACLE_CCXT", ccxt()?.join("ccxt")),
        ]))
    }

    pub(crate) fn give_to(&self, command: &mut Command) {
        command.envs(self.0.iter().map(|(name, folder)| (name, folder)));
    }
}

/// The folder of a crate, which cargo unpacks to tell about it.
fn unpacked(name: &str) -> anyhow::Result<PathBuf> {
    let folder = || {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")))?;
        let registries = std::fs::read_dir(home.join("registry/src")).ok()?;
        let folders = registries.flatten().map(|registry| registry.path());
        folders
            .map(|registry| registry.join(format!("{name}-{NAUTILUS}")))
            .find(|folder| folder.join("test_data").is_dir())
    };
    if folder().is_none() {
        let mut fetch = cargo();
        fetch.args(["info", "--quiet", &format!("{name}@{NAUTILUS}")]);
        say::quiet_step(&format!("fetching {name} {NAUTILUS}"), &mut fetch)?;
    }
    folder().with_context(|| format!("cargo info has not unpacked {name} {NAUTILUS}"))
}

fn ccxt() -> anyhow::Result<PathBuf> {
    let packages = tools_folder()?.join(format!("ccxt-{CCXT}"));
    if !packages.join("ccxt").exists() {
        let mut install = Command::new(system::PYTHON);
        install
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
            .arg(&packages)
            .arg(format!("ccxt=={CCXT}"));
        say::step("fetching ccxt (some seconds, once)", &mut install)?;
    }
    if !packages.join("ccxt/pro/coinbaseexchange.py").exists() {
        bail!("{}: no ccxt in it", packages.display());
    }
    Ok(packages)
}

/// Reads the payloads that others recorded.
pub(crate) fn oracle() -> anyhow::Result<()> {
    let mut tests = cargo();
    tests.args(["test", "--package", "venues", "oracle"]);
    Payloads::find_or_fetch()?.give_to(&mut tests);
    say::step("reading what others recorded", &mut tests)
}

/// Tries the real exchanges.
pub(crate) fn live_check() -> anyhow::Result<()> {
    let mut check = cargo();
    check.args([
        "run",
        "--quiet",
        "--package",
        "loadtest",
        "--bin",
        "live_check",
    ]);
    say::step("trying the real exchanges (a minute)", &mut check)
}
