//! Everything that has to hold before a change lands.

use std::process::Command;

use crate::tools::Tools;
use crate::{bench, browser, cargo, page, root, say, tools};

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

    let mut docs = cargo();
    docs.args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings");
    say::step("making the documentation", &mut docs)?;

    let is_ci = std::env::var_os("CI").is_some();
    // First, since the native tests need some of it.
    let browsers = browser::find_or_install_all(is_ci);
    let mut native = cargo();
    native.args(["test", "--workspace", "--exclude", "e2e"]);
    if !browser::has_faketime() {
        say::line("SKIPPED the tests of a clock that is set: there is no libfaketime");
        native.args(["--", "--skip", "a_clock_that_is_set"]);
    }
    say::step("native tests", &mut native)?;

    match browsers {
        Ok(browsers) => in_browsers(&browsers),
        // Whoever has no browser can still run the rest; CI cannot pass so.
        Err(error) if !is_ci => {
            say::line(&format!("SKIPPED all browser tests: {error:#}"));
            Ok(())
        }
        Err(error) => Err(error.context("CI has to run the tests in every browser")),
    }
}

/// Runs the long forms of what the tests run in short.
pub(crate) fn proof() -> anyhow::Result<()> {
    let mut kills = cargo();
    kills
        .args(["test", "--package", "server", "--test", "kill"])
        .args(["--", "--nocapture"])
        .env("KILLS", "50");
    say::step("killing a server fifty times (two minutes)", &mut kills)
}

fn in_browsers(browsers: &browser::Browsers) -> anyhow::Result<()> {
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
    browsers.give_to(&mut wasm);
    // The runner takes the first driver that it finds.
    wasm.env_remove("GECKODRIVER");
    say::step("tests in WebAssembly", &mut wasm)?;

    page::build()?.check()?;
    let mut end_to_end = cargo();
    end_to_end
        .args(["test", "--package", "e2e", "--"])
        .env("AXE_CORE", tools::axe_core()?);
    for (what, tests) in browsers.missing() {
        say::line(&format!(
            "SKIPPED tests, for want of {what}: {}",
            tests.join(", ")
        ));
        for test in tests {
            end_to_end.args(["--skip", test]);
        }
    }
    browsers.give_to(&mut end_to_end);
    say::step("end-to-end tests in real browsers", &mut end_to_end)?;
    bench::ui(bench::Length::Short)?;
    bench::alerts(bench::Length::Short)?;
    bench::fanout(bench::Length::Short)
}
