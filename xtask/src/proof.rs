//! What takes long by its nature. The tests run short forms of what is run here
//! longer.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::progress::quietly;
use crate::{build, cargo, fuzz, root, say, soak, target_directory, tools};

/// How long each fuzz target runs.
const FUZZING: Duration = Duration::from_secs(120);
/// How long the soak is, and with how many clients.
const SOAK_MINUTES: u64 = 30;
const SOAK_CLIENTS: usize = 500;
/// The programs of the page.
const PROGRAMS: [&str; 2] = ["frontend", "lab"];
/// Other systems, for which everything but the page is checked.
const SYSTEMS: [&str; 2] = ["x86_64-pc-windows-gnu", "aarch64-apple-darwin"];

/// Runs all of it.
pub(crate) fn run() -> anyhow::Result<()> {
    trunk_makes_the_same()?;
    other_systems()?;
    let mut kills = cargo();
    kills
        .args(["test", "--package", "server", "--test", "it"])
        .args(["kills_lose_no_candle", "--", "--nocapture"])
        .env("KILLS", "50");
    say::step("killing a server fifty times (two minutes)", &mut kills)?;
    let mut venues = cargo();
    venues
        .args(["test", "--package", "server", "--test", "it"])
        .args(["loses_nothing", "--", "--nocapture"])
        .env("VENUE_SECONDS", "60");
    say::step("three exchanges that fail for a minute each", &mut venues)?;
    let mut shared = cargo();
    shared
        .args(["test", "--package", "server", "--test", "it"])
        .args(["nats_faults", "--", "--nocapture"])
        .env("NATS_SERVER", tools::nats_server()?)
        .env("FAULTS", "200");
    say::step(
        "two hundred faults of servers that share a log (a quarter of an hour)",
        &mut shared,
    )?;
    let mut examples = cargo();
    examples
        .args([
            "test",
            "--package",
            "server",
            "--test",
            "it",
            "schemathesis",
        ])
        .env("SCHEMATHESIS", tools::schemathesis()?)
        .env("EXAMPLES", "200");
    say::step(
        "schemathesis, 200 examples for each operation",
        &mut examples,
    )?;
    soak::run(
        SOAK_MINUTES,
        SOAK_CLIENTS,
        &target_directory()?.join("soak.csv"),
    )?;
    fuzz::run(&tools::cargo_fuzz()?, fuzz::Targets::All, FUZZING)
}

/// trunk, with which one works on the page, makes the same programs and scripts of
/// the same sources.
fn trunk_makes_the_same() -> anyhow::Result<()> {
    build::the_page()?;
    let target = target_directory()?;
    let (by_trunk, by_bindgen) = (target.join("by-trunk"), target.join("by-bindgen"));
    let compiled = build::wasm_folder("page")?;
    let programs = PROGRAMS.map(|name| compiled.join(format!("{name}.wasm")));
    quietly(build::bindgen()?.arg(&by_bindgen).args(programs))?;
    let mut trunk = Command::new(tools::trunk()?);
    trunk
        .args(["build", "--release", "--offline", "--cargo-profile", "page"])
        .arg("--dist")
        .arg(&by_trunk)
        // trunk rejects any value but true and false.
        .env_remove("NO_COLOR")
        .current_dir(root());
    tools::give_bindgen_to(&mut trunk)?;
    say::step("building the page with trunk", &mut trunk)?;
    for name in PROGRAMS
        .iter()
        .flat_map(|name| [format!("{name}.js"), format!("{name}_bg.wasm")])
    {
        let read = |folder: &std::path::Path| {
            let path = folder.join(&name);
            fs::read(&path).with_context(|| path.display().to_string())
        };
        if read(&by_trunk)? != read(&by_bindgen)? {
            bail!("{name}: trunk makes another one");
        }
    }
    say::line("trunk makes the same programs and scripts");
    Ok(())
}

/// Checks everything but the page for other systems. C is compiled by zig.
fn other_systems() -> anyhow::Result<()> {
    let (zigbuild, zig) = tools::zigbuild()?;
    for system in SYSTEMS {
        let mut add = Command::new("rustup");
        add.args(["target", "add", system]).current_dir(root());
        say::quiet_step(&format!("adding the target {system}"), &mut add)?;
        let mut check = Command::new(&zigbuild);
        check
            .args([
                "check",
                "--workspace",
                "--all-targets",
                "--exclude=frontend",
                // With a library in C++ that is for the fuzzer only.
                "--exclude=fuzz",
            ])
            .args(["--target", system])
            .env("PYTHONPATH", &zig)
            .current_dir(root());
        say::step(&format!("checking for {system} (minutes)"), &mut check)?;
    }
    Ok(())
}
