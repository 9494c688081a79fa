//! What the dependencies may be: `deny.toml`, by cargo-deny.

use std::path::Path;
use std::process::Command;

use crate::{root, say};

/// Checks licences, sources and versions; and advisories, where their database can
/// be reached.
pub(crate) fn run(program: &Path) -> anyhow::Result<()> {
    let deny = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(root());
        command
    };
    let mut check = deny(&["check", "licenses", "bans", "sources"]);
    let what = "checking licences, sources and versions of dependencies";
    say::quiet_step(what, &mut check)?;
    let fetched = deny(&["fetch", "db"]).output();
    if !fetched.is_ok_and(|fetched| fetched.status.success()) {
        say::line("advisories are not checked: their database cannot be reached");
        return Ok(());
    }
    let mut advisories = deny(&["check", "--disable-fetch", "advisories"]);
    say::quiet_step("checking advisories of dependencies", &mut advisories)
}
