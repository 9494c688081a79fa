//! Makes the page's files small.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::progress::quietly;
use crate::tools::Small;

/// The features that the compiler uses by default, and that wasm-opt has to be
/// told.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Makes a WebAssembly file and the script that goes with it small.
pub(crate) fn optimise(tools: &Small, wasm: &Path, script: &Path) -> anyhow::Result<()> {
    if let Some(wasm_opt) = &tools.wasm_opt {
        let mut command = Command::new(wasm_opt);
        command
            // The first two passes expose more code that is identical. `-Oz`
            // runs twice, since their own changes can be undone after that.
            .args(["--flatten", "--rereloop", "-Oz", "-Oz"])
            .args(FEATURES)
            .arg(wasm)
            .arg("-o")
            .arg(wasm);
        quietly(&mut command)?;
    }
    minify(tools, script)
}

/// Makes a script or a style sheet small.
pub(crate) fn minify(tools: &Small, path: &Path) -> anyhow::Result<()> {
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
    quietly(&mut command)
}

/// The compressed forms of a file, each with the ending of its name.
pub(crate) fn compress(content: &[u8]) -> anyhow::Result<[(&'static str, Vec<u8>); 2]> {
    // Quality 11 of 11, a window of 2^22 bytes: slow once, here, and small for
    // every client.
    let mut brotli = brotli::CompressorWriter::new(Vec::new(), 4096, 11, 22);
    brotli.write_all(content)?;
    brotli.flush()?;
    // Browsers ask for brotli only over HTTPS, and on their own machine.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(content)?;
    Ok([("br", brotli.into_inner()), ("gz", gzip.finish()?)])
}
