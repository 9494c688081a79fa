//! Everything that has to hold before a change lands.

use std::process::Command;

use crate::tools::Tools;
use crate::{browser, cargo, page, root, say, tools};

/// Runs all checks, the quick ones first.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut format = cargo();
    format.args(["fmt", "--all", "--check"]);
    say::step("checking the format", &mut format)?;

    let mut lints = cargo();
    lints.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]);
    say::step("linting (some minutes the first time)", &mut lints)?;

    let mut wasm_lints = cargo();
    wasm_lints
        .args([
            "clippy",
            "--package",
            "frontend",
            "--lib",
            "--bins",
            "--test",
            "browser",
        ])
        .args(["--target", "wasm32-unknown-unknown", "--", "-D", "warnings"]);
    say::step("linting what is only in WebAssembly", &mut wasm_lints)?;

    let mut native = cargo();
    native.args(["test", "--workspace", "--exclude", "e2e"]);
    say::step("native tests", &mut native)?;

    match browser::find_or_install() {
        Ok(browser) => in_browser(&browser),
        // Whoever has no browser can still run the rest; CI cannot pass so.
        Err(error) if std::env::var_os("CI").is_none() => {
            say::line(&format!("SKIPPED all browser tests: {error:#}"));
            Ok(())
        }
        Err(error) => Err(error.context("CI has to run the browser tests")),
    }
}

fn in_browser(browser: &browser::Browser) -> anyhow::Result<()> {
    let mut wasm = Command::new("cargo");
    wasm.args([
        "test",
        "--package",
        "frontend",
        "--target",
        "wasm32-unknown-unknown",
    ])
    .args(["--test", "browser"])
    .current_dir(root());
    // Seconds; a busy machine needs more than the default of 20.
    wasm.env("WASM_BINDGEN_TEST_TIMEOUT", "300");
    Tools::give_test_runner_to(&mut wasm)?;
    browser.give_to(&mut wasm);
    say::step("tests in WebAssembly", &mut wasm)?;

    page::build()?.check()?;
    let mut end_to_end = cargo();
    end_to_end
        .args(["test", "--package", "e2e"])
        .env("AXE_CORE", tools::axe_core()?);
    browser.give_to(&mut end_to_end);
    say::step("end-to-end tests in a real browser", &mut end_to_end)?;
    Ok(())
}
