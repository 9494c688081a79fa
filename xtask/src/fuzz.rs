//! Fuzzing of what comes from outside: `fuzz/fuzz_targets`, by cargo-fuzz.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;

use crate::{root, say, target_directory};

/// Longer inputs reach nothing that shorter ones do not.
const INPUT_BYTES_MAX: u32 = 4_096;
/// An input of that size warrants no piece of memory larger than this, in MB.
const MEMORY_MB_MAX: u32 = 1;
/// The same where a whole server runs beside the target, or an input is an
/// archive.
const LARGE_MB_MAX: u32 = 64;
/// The targets with the whole server, which takes minutes to compile.
const OF_SERVER: [&str; 3] = ["configuration", "recording", "request"];
/// Those whose inputs may be archives.
const OF_ARCHIVES: [&str; 1] = ["price_file"];

/// Which targets are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Targets {
    /// Those that are quickly compiled.
    Small,
    /// All.
    All,
}

/// Runs each fuzz target for so long.
///
/// # Errors
///
/// A target found something that breaks it: its last lines name the file.
pub(crate) fn run(program: &Path, which: Targets, each: Duration) -> anyhow::Result<()> {
    let folder = root().join("fuzz");
    let targets = fs::read_dir(folder.join("fuzz_targets")).context("fuzz/fuzz_targets")?;
    let mut names = Vec::new();
    for target in targets {
        let path = target?.path();
        names.extend(path.file_stem().map(|name| name.to_owned()));
    }
    names.sort();
    for name in names {
        let has_server = OF_SERVER.iter().any(|with| name == *with);
        if has_server && which == Targets::Small {
            continue;
        }
        let (corpus, seeds) = (folder.join("corpus").join(&name), folder.join("seeds"));
        fs::create_dir_all(&corpus).with_context(|| corpus.display().to_string())?;
        let mut fuzz = Command::new(program);
        // With the default sanitizer, without which memory is not limited.
        fuzz.args(["fuzz", "run", "--target-dir"])
            .arg(target_directory()?.join("fuzz"))
            .args(has_server.then_some("--features=server"))
            .arg(&name)
            .arg(&corpus)
            // What cargo-fuzz asks for is not in stable compilers otherwise.
            .env("RUSTC_BOOTSTRAP", "1")
            .current_dir(root());
        if seeds.join(&name).exists() {
            fuzz.arg(seeds.join(&name));
        }
        let is_archive = OF_ARCHIVES.iter().any(|with| name == *with);
        let memory_mb = if has_server || is_archive {
            LARGE_MB_MAX
        } else {
            MEMORY_MB_MAX
        };
        fuzz.arg("--")
            .arg(format!("-max_total_time={}", each.as_secs()))
            .arg(format!("-max_len={INPUT_BYTES_MAX}"))
            .arg(format!("-malloc_limit_mb={memory_mb}"))
            .args(["-timeout=10", "-verbosity=0"]);
        let what = format!("fuzzing {} ({} s)", name.display(), each.as_secs());
        say::quiet_step(&what, &mut fuzz)?;
    }
    Ok(())
}
