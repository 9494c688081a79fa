//! Builds the page and the server side by side, and then the program with the
//! page in it.

use std::path::PathBuf;
use std::process::Command;
use std::thread;

use crate::page::{self, Weight};
use crate::progress::{Build, Progress};
use crate::system::built;
use crate::tools::Small;
use crate::{cargo, say, target_directory};

/// The target of the page.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";
/// What chooses the page's package.
pub(crate) const FRONTEND: [&str; 4] = ["--package", "frontend", "--target", WASM];
/// What makes a script for a program in WebAssembly.
pub(crate) const BINDGEN: Build = Build {
    name: "bindgen",
    arguments: &[],
    packages: &["--package", "bindgen"],
};

/// That program, built already.
///
/// # Errors
///
/// See [`target_directory`].
pub(crate) fn bindgen() -> anyhow::Result<Command> {
    Ok(Command::new(built("debug", "bindgen")?))
}

/// The folder of the programs in WebAssembly, built with this profile.
///
/// # Errors
///
/// See [`target_directory`].
pub(crate) fn wasm_folder(profile: &str) -> anyhow::Result<PathBuf> {
    Ok(target_directory()?.join(WASM).join(profile))
}

/// Builds everything; returns the path of the server.
pub(crate) fn all() -> anyhow::Result<PathBuf> {
    let mut fetch = cargo();
    say::step(
        "downloading what is missing",
        fetch.args(["fetch", "--quiet"]),
    )?;
    let progress = Progress::new();
    let weight = thread::scope(|scope| {
        let page = scope.spawn(|| page_with(&progress));
        // All but the program itself, in which the page is embedded.
        let server = progress.run(&Build {
            name: "server",
            arguments: &["--release", "--lib"],
            packages: &["--package", "server"],
        });
        let page = page
            .join()
            .unwrap_or_else(|_| anyhow::bail!("building the page panicked"));
        server.and(page)
    })?;
    progress.run(&Build {
        name: "program",
        arguments: &["--release", "--bin", "tickwire"],
        packages: &["--package", "server"],
    })?;
    progress.end();
    weight.tell();
    built("release", "tickwire")
}

/// Builds the pages into `server/page`; returns their sizes.
pub(crate) fn the_page() -> anyhow::Result<Weight> {
    let progress = Progress::new();
    let weight = page_with(&progress)?;
    progress.end();
    weight.tell();
    Ok(weight)
}

/// The page, and what makes a script for it, side by side.
fn page_with(progress: &Progress) -> anyhow::Result<Weight> {
    crate::tools::wasm_target()?;
    let small = thread::scope(|scope| {
        let bindgen = scope.spawn(|| {
            progress.run(&BINDGEN)?;
            Ok(Small::find_or_install())
        });
        let page = progress.run(&Build {
            name: "page",
            arguments: &["--profile", "page", "--bins"],
            packages: &FRONTEND,
        });
        let bindgen = bindgen
            .join()
            .unwrap_or_else(|_| anyhow::bail!("building bindgen panicked"));
        page.and(bindgen)
    })?;
    progress.step("files", || page::assemble(&small))
}
