//! `bindgen INTO WASM…`: makes, in the folder INTO, a script and a WebAssembly
//! file of each program, as `wasm-bindgen --target web --no-typescript` does.
//!
//! A program of its own, so that the other chores do not wait for it to be
//! compiled, and nobody has to install one whose version has to match.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let into = arguments.next().context("usage: bindgen INTO WASM…")?;
    let mut count = 0;
    for program in arguments {
        let mut bindgen = Bindgen::new();
        bindgen.input_path(&program).web(true)?.typescript(false);
        bindgen
            .generate(&into)
            .with_context(|| program.display().to_string())?;
        count += 1;
    }
    if count == 0 {
        bail!("no WebAssembly file to make a script for");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    /// Its format of descriptions changes with each version.
    #[test]
    fn it_is_of_the_version_that_the_page_is_compiled_with() {
        let lock = include_str!("../../Cargo.lock");
        let version = |name: &str| {
            let entry = format!("name = \"{name}\"\nversion = \"");
            let (_, rest) = lock.split_once(&entry).expect("it is in the lock file");
            rest.split('"').next().map(str::to_owned)
        };
        assert_eq!(version("wasm-bindgen-cli-support"), version("wasm-bindgen"));
    }
}
