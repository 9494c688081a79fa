//! Everything that has to pass before a change lands.

use std::num::NonZero;
use std::thread;
use std::time::Duration;

use crate::{bench, browser, build, cargo, deny, exchanges, fuzz, say, soak, system, tools};

/// How long each fuzz target runs with the tests.
const FUZZING: Duration = Duration::from_secs(3);

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
        // Fuzz targets, which are run last.
        "--features=fuzz/server",
        "--",
        "-D",
        "warnings",
    ]);
    say::step("linting (some minutes the first time)", &mut lints)?;

    let mut wasm_lints = cargo();
    wasm_lints
        .arg("clippy")
        .args(build::FRONTEND)
        .args(["--lib", "--bins", "--test", "browser"])
        .args(["--", "-D", "warnings"]);
    say::step("linting what is only in WebAssembly", &mut wasm_lints)?;

    let mut docs = cargo();
    docs.args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings");
    say::step("making the documentation", &mut docs)?;

    let is_ci = std::env::var_os("CI").is_some();
    let deny_program = tools::cargo_deny();
    if let Some(program) = can_run("the check of dependencies", deny_program, is_ci)? {
        deny::run(&program)?;
    }
    let browsers = browser::find_or_install_all(is_ci);
    let browsers = can_run("the tests in browsers", browsers, is_ci)?;
    if let Some(browsers) = &browsers {
        // The server embeds the page. If that is built first, the server is
        // compiled only once.
        build::the_page()?.check()?;
        in_webassembly(browsers)?;
    }
    compiled(browsers.as_ref(), is_ci)?;
    if browsers.is_some() {
        bench::ui(bench::Length::Short)?;
    }
    bench::alerts(bench::Length::Short)?;
    bench::disk(bench::Length::Short)?;
    bench::files(bench::Length::Short)?;
    bench::exchange(bench::Length::Short)?;
    if can_run("the benchmark of hops", tools::nats_server(), is_ci)?.is_some() {
        bench::hop(bench::Length::Short)?;
    }
    soak::short()?;
    let nchan = browser::find_or_install_nchan();
    if can_run("the benchmark of clients", nchan, is_ci)?.is_some() {
        bench::fanout(bench::Length::Short)?;
    }
    match can_run("fuzzing", tools::cargo_fuzz(), is_ci)? {
        Some(program) => fuzz::run(&program, fuzz::Targets::Small, FUZZING),
        None => Ok(()),
    }
}

/// Whether a test can run, by whether its tools are there or were installed. Where
/// the tests have to be complete, it is an error if they are not.
fn can_run<T>(what: &str, tools: anyhow::Result<T>, is_ci: bool) -> anyhow::Result<Option<T>> {
    match tools {
        Ok(tools) => Ok(Some(tools)),
        Err(error) if !is_ci => {
            say::line(&format!("SKIPPED {what}: {error:#}"));
            Ok(None)
        }
        Err(error) => Err(error.context(format!("CI has to run {what}"))),
    }
}

/// All tests that are compiled for this machine, in one call. Cargo chooses the
/// features of shared dependencies by the packages in the call, and would
/// compile most dependencies again for each choice.
fn compiled(browsers: Option<&browser::Browsers>, is_ci: bool) -> anyhow::Result<()> {
    let mut tests = cargo();
    tests.args(["test", "--workspace"]);
    let mut skipped = Vec::new();
    match browsers {
        Some(browsers) => {
            browsers.give_to(&mut tests);
            tests.env("AXE_CORE", tools::axe_core()?);
            skipped.extend(browsers.missing());
        }
        None => {
            tests.args(["--exclude", "e2e"]);
        }
    }
    match can_run("schemathesis", tools::schemathesis(), is_ci)? {
        Some(packages) => _ = tests.env("SCHEMATHESIS", packages),
        None => skipped.push(("schemathesis", &["schemathesis_finds_nothing"])),
    }
    match can_run("the tests of a shared log", tools::nats_server(), is_ci)? {
        Some(program) => _ = tests.env("NATS_SERVER", program),
        None => skipped.push(("a NATS server", &["nats_"])),
    }
    match can_run(
        "the reading of payloads",
        exchanges::Payloads::find_or_fetch(),
        is_ci,
    )? {
        Some(payloads) => payloads.give_to(&mut tests),
        None => skipped.push(("payloads of others", &["oracle"])),
    }
    if !system::has_namespaces() {
        let disks = &["disk_that_is_full", "disk_that_is_read_only"];
        skipped.push(("namespaces", disks as &[_]));
    }
    if !system::has_networks() {
        skipped.push(("networks of their own", &["nats_links"]));
    }
    if !system::has_faketime() {
        skipped.push(("libfaketime", &["a_clock_that_is_set"]));
    }
    tests.arg("--");
    // Most tests wait most of the time.
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    tests.arg(format!("--test-threads={}", 2 * processors));
    for (what, names) in skipped {
        let list = names.join(", ");
        say::line(&format!("SKIPPED tests, for want of {what}: {list}"));
        for name in names {
            tests.args(["--skip", name]);
        }
    }
    say::step(
        "tests of all parts, and of the page in browsers",
        &mut tests,
    )
}

/// The tests of the page that run in a browser, without a server.
fn in_webassembly(browsers: &browser::Browsers) -> anyhow::Result<()> {
    let mut wasm = cargo();
    // Of the same parts as the page, which are there already.
    wasm.args(["test", "--profile", "page"])
        .args(build::FRONTEND)
        .args(["--test", "browser"]);
    // Seconds; a busy machine needs more than the default of 20.
    wasm.env("WASM_BINDGEN_TEST_TIMEOUT", "300");
    tools::give_test_runner_to(&mut wasm)?;
    browsers.give_to(&mut wasm);
    // The runner uses the first driver that it finds: this leaves Chromium's.
    wasm.env_remove("GECKODRIVER");
    say::step("tests in WebAssembly", &mut wasm)
}
