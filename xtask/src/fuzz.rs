//! Fuzzing of what comes from outside: `fuzz/fuzz_targets`, by cargo-fuzz.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;

use crate::{root, say, target_directory, tools};

/// Longer inputs reach nothing that shorter ones do not.
const INPUT_BYTES_MAX: u32 = 4_096;
/// An input of that size warrants no more memory than this, in MB.
const MEMORY_MB_MAX: u32 = 64;

/// Runs each fuzz target for so long.
///
/// # Errors
///
/// A target found something that breaks it: its last lines name the file.
pub(crate) fn run(each: Duration) -> anyhow::Result<()> {
    let program = tools::cargo_fuzz()?;
    let folder = root().join("fuzz");
    let targets = fs::read_dir(folder.join("fuzz_targets")).context("fuzz/fuzz_targets")?;
    let mut names = Vec::new();
    for target in targets {
        let path = target?.path();
        names.extend(path.file_stem().map(|name| name.to_owned()));
    }
    names.sort();
    for name in names {
        let (corpus, seeds) = (folder.join("corpus").join(&name), folder.join("seeds"));
        fs::create_dir_all(&corpus).with_context(|| corpus.display().to_string())?;
        let mut fuzz = Command::new(&program);
        // No code of the repository is unsafe: a sanitizer would find nothing.
        fuzz.args(["fuzz", "run", "--sanitizer", "none", "--target-dir"])
            .arg(target_directory()?.join("fuzz"))
            .arg(&name)
            .arg(&corpus)
            // What cargo-fuzz asks for is not in stable compilers otherwise.
            .env("RUSTC_BOOTSTRAP", "1")
            .current_dir(root());
        if seeds.join(&name).exists() {
            fuzz.arg(seeds.join(&name));
        }
        fuzz.arg("--")
            .arg(format!("-max_total_time={}", each.as_secs()))
            .arg(format!("-max_len={INPUT_BYTES_MAX}"))
            .arg(format!("-malloc_limit_mb={MEMORY_MB_MAX}"))
            .args(["-timeout=10", "-verbosity=0"]);
        let what = format!("fuzzing {} ({} s)", name.display(), each.as_secs());
        say::quiet_step(&what, &mut fuzz)?;
    }
    Ok(())
}
