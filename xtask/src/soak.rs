//! The soak: `loadtest/src/bin/soak`.

use std::path::Path;
use std::process::Command;

use crate::bench::{release_builds, tried};
use crate::system::built;
use crate::{say, target_directory};

/// The short form in the tests: seconds and clients, with programs that are not
/// optimised.
const SHORT: [&str; 4] = ["--seconds", "20", "--clients", "60"];

/// Runs it for so long with so many clients.
pub(crate) fn run(minutes: u64, clients: usize, csv: &Path) -> anyhow::Result<()> {
    release_builds()?;
    let mut soak = Command::new(built("release", "soak")?);
    soak.args(["--seconds", &(60 * minutes).to_string()])
        .args(["--clients", &clients.to_string()])
        .arg("--csv")
        .arg(csv);
    say::step(&format!("soaking ({minutes} minutes)"), &mut soak)
}

/// Twenty seconds of it.
pub(crate) fn short() -> anyhow::Result<()> {
    let mut soak = tried("soak")?;
    soak.args(SHORT)
        .arg("--csv")
        .arg(target_directory()?.join("soak.csv"));
    say::step("soaking (20 s)", &mut soak)
}
