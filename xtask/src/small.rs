//! Makes the page's files small.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::say;
use crate::tools::Tools;

/// What the compiler emits by default, and wasm-opt has to be told.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// The names that WebAssembly and its script know each other by, and what
/// wasm-opt made of them.
#[derive(Deserialize)]
struct Names {
    /// Module, old name, new name.
    imports: Vec<(String, String, String)>,
    /// Old name, new name.
    exports: Vec<(String, String)>,
}

/// Makes a WebAssembly file and the script that goes with it small.
pub(crate) fn optimise(tools: &Tools, wasm: &Path, script: &Path) -> anyhow::Result<()> {
    if let Some(wasm_opt) = &tools.wasm_opt {
        let mut command = Command::new(wasm_opt);
        command
            // The first two find more that is the same; small is asked for
            // twice, since what they did can be undone after that.
            .args(["--flatten", "--rereloop", "-Oz", "-Oz"])
            // Both files are full of names with digests in them.
            .arg("--minify-imports-and-exports-and-modules")
            .args(FEATURES)
            .arg(wasm)
            .arg("-o")
            .arg(wasm);
        let names = say::step_with_output("making the WebAssembly small", &mut command)?;
        let names: Names = serde_json::from_str(&names).context("what wasm-opt told")?;
        let text = fs::read_to_string(script).with_context(|| script.display().to_string())?;
        fs::write(script, rename(&text, &names)?)?;
    }
    minify(tools, script)
}

/// The script with the new names in it.
fn rename(script: &str, names: &Names) -> anyhow::Result<String> {
    let imports = names.imports.iter();
    let imports: HashMap<_, _> = imports.map(|(_, old, new)| (&**old, &**new)).collect();
    let exports = names.exports.iter();
    let exports: HashMap<_, _> = exports.map(|(old, new)| (&**old, &**new)).collect();
    let mut text = String::with_capacity(script.len());
    let mut rest = script;
    let mut renamed = 0;
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    while let Some(start) = rest.find(is_part) {
        let (before, word) = rest.split_at(start);
        text += before;
        let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        let import = imports.get(word).filter(|_| after.starts_with(':'));
        renamed += usize::from(import.is_some());
        let export = exports.get(word).filter(|_| text.ends_with("wasm."));
        text += import.or(export).unwrap_or(&word);
        rest = after;
    }
    text += rest;
    if renamed != names.imports.len() {
        let wanted = names.imports.len();
        bail!("wasm-bindgen writes its script in another way: {renamed} of {wanted} names found");
    }
    // wasm-opt calls all modules "a", and there is one.
    let module = names.imports.first().map(|(module, ..)| module.as_str());
    let module = module.unwrap_or_default();
    Ok(text.replace(&format!("\"{module}\":"), "\"a\":"))
}

/// Makes a script or a style sheet small.
pub(crate) fn minify(tools: &Tools, path: &Path) -> anyhow::Result<()> {
    let Some(esbuild) = &tools.esbuild else {
        return Ok(());
    };
    let mut outfile = OsString::from("--outfile=");
    outfile.push(path);
    let mut command = Command::new(esbuild);
    command
        .arg(path)
        .args(["--minify", "--allow-overwrite", "--log-level=warning"])
        .arg(outfile);
    say::step("making scripts and style sheets small", &mut command)
}

/// As brotli.
pub(crate) fn compress(content: &[u8]) -> anyhow::Result<Vec<u8>> {
    // Quality 11 of 11, a window of 2^22 bytes: slow here, once, and small for
    // everybody.
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 11, 22);
    writer.write_all(content)?;
    writer.flush()?;
    Ok(writer.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let text = |text: &str| text.to_owned();
        Names {
            imports: vec![(text("./page_bg.js"), text("__wbg_focus_01ab"), text("$a"))],
            exports: vec![(text("memory"), text("b"))],
        }
    }

    #[test]
    fn names_change_on_both_sides() -> anyhow::Result<()> {
        let script = r#"
            const import0 = { __wbg_focus_01ab: function(memory) { wasm.memory.x(memory); } };
            return { "./page_bg.js": import0 };"#;
        let small = r#"
            const import0 = { $a: function(memory) { wasm.b.x(memory); } };
            return { "a": import0 };"#;
        assert_eq!(rename(script, &names())?, small);
        Ok(())
    }

    #[test]
    fn a_name_that_is_nowhere_is_a_fault() {
        assert!(rename("const import0 = {};", &names()).is_err());
    }
}
