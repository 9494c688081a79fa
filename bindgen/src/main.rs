//! `bindgen INTO WASM…`: makes, in the folder INTO, a script and a WebAssembly
//! file of each program, as `wasm-bindgen --target web --no-typescript` does.
//! `bindgen --short INTO WASM…` also shortens the names by which the two know
//! each other.
//!
//! A program of its own, so that the other chores do not wait for it to be
//! compiled, and nobody has to install one whose version has to match.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
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
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let short = arguments.first().is_some_and(|first| first == "--short");
    arguments.drain(..usize::from(short));
    let (into, programs) = match arguments.as_slice() {
        [into, programs @ ..] if !programs.is_empty() => (into, programs),
        _ => bail!("usage: bindgen [--short] INTO WASM…"),
    };
    for program in programs {
        let program = Path::new(program);
        make(Path::new(into), program, short).with_context(|| program.display().to_string())?;
    }
    Ok(())
}

/// Makes a program's two files; shortens names if that is wanted.
fn make(into: &Path, program: &Path, short: bool) -> anyhow::Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(program)
        .web(true)?
        .typescript(false)
        // The script knows where its program is, as the command's does.
        .omit_default_module_path(false);
    let mut output = bindgen.generate_output()?;
    if !short {
        return output.emit(into);
    }
    let mut names = HashMap::new();
    for import in output.wasm_mut().imports.iter_mut() {
        let count = names.len();
        let short = names
            .entry(import.name.clone())
            .or_insert_with(|| format!("_{count}"));
        import.name.clone_from(short);
    }
    output.emit(into)?;
    let script = into.join(bindgen.stem()?).with_extension("js");
    let text = fs::read_to_string(&script)?;
    Ok(fs::write(script, renamed(&text, &names))?)
}

/// A script with some of its names replaced.
fn renamed(script: &str, names: &HashMap<String, String>) -> String {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut renamed = String::new();
    let mut rest = script;
    while let Some(start) = rest.find(is_of_name) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_of_name(c)).unwrap_or(from.len());
        let (name, after) = from.split_at(end);
        renamed += before;
        renamed += names.get(name).map_or(name, String::as_str);
        rest = after;
    }
    renamed + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_are_replaced() {
        let names = [("__wbg_get_1f".to_owned(), "_0".to_owned())].into();
        assert_eq!(
            renamed(
                "{ __wbg_get_1f: f, __wbg_get_1f2: g }, a.__wbg_get_1f",
                &names
            ),
            "{ _0: f, __wbg_get_1f2: g }, a._0"
        );
    }

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
