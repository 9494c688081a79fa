//! Prints what is being done, and how long it took.

use std::io;
use std::process::{Command, ExitStatus};
use std::time::Instant;

use anyhow::{Context as _, bail};

use crate::progress;

/// Announces a step that is not a command.
pub(crate) fn line(text: &str) {
    progress::aside(|| eprintln!("xtask: {text}"));
}

/// Runs a command; prints what it does and how long it took.
pub(crate) fn step(what: &str, command: &mut Command) -> anyhow::Result<()> {
    timed(what, command, Command::status)
}

/// Runs a command likewise, and shows its output only if it fails.
pub(crate) fn quiet_step(what: &str, command: &mut Command) -> anyhow::Result<()> {
    timed(what, command, |command| {
        let output = command.output()?;
        if !output.status.success() {
            eprint!("{}", String::from_utf8_lossy(&output.stdout));
            eprint!("{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output.status)
    })
}

fn timed(
    what: &str,
    command: &mut Command,
    run: impl FnOnce(&mut Command) -> io::Result<ExitStatus>,
) -> anyhow::Result<()> {
    line(what);
    let started = Instant::now();
    let status = run(command)
        .with_context(|| format!("{what}: could not start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{what}: failed ({status})");
    }
    line(&format!("done in {:.1} s", started.elapsed().as_secs_f64()));
    Ok(())
}

/// The output of a command; `None` if it cannot be run, or fails.
pub(crate) fn output(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
