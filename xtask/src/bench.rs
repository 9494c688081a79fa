//! Benchmarks: of the page's charts beside other charts, of alerts, and of many
//! clients.

use std::path::PathBuf;
use std::process::Command;

use crate::build::{BINDGEN, FRONTEND, bindgen, wasm_folder};
use crate::progress::{Build, Progress, quietly};
use crate::system::built;
use crate::tools::{Small, npm_package};
use crate::{browser, cargo, in_browser, say, small, target_directory, tools};

const UPLOT: &str = "1.6.32";
const LIGHTWEIGHT_CHARTS: &str = "5.2.1";
/// How long the whole page runs under load.
const WHOLE_SECONDS: u64 = 300;
/// The arguments of the server that make this load.
const LOAD: [&str; 4] = ["--symbols", "500", "--rate", "5000"];

/// How long a measurement takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// Long enough for figures that can be quoted.
    Whole,
    /// The same, but the whole page is under load for this many seconds.
    Seconds(u64),
    /// A few seconds, with programs that are not optimised: only checks that
    /// the benchmark works. Says nothing about speed, and never fails because
    /// of it.
    Short,
}

/// Measures the chart, then the whole page.
pub(crate) fn ui(length: Length) -> anyhow::Result<()> {
    let is_short = length == Length::Short;
    let chart = build_chart(is_short)?;
    let mut charts = if is_short {
        tried_in_browser("bench_ui")?
    } else {
        in_browser("bench_ui")?
    };
    charts
        .arg("--chart")
        .arg(chart)
        .arg("--uplot")
        .arg(npm_package("uplot", UPLOT)?)
        .arg("--lightweight")
        .arg(npm_package("lightweight-charts", LIGHTWEIGHT_CHARTS)?);
    if is_short {
        charts.args(["--rounds", "1", "--frames", "10", "--short"]);
        say::step("trying to measure charts side by side", &mut charts)?;
        let mut page = tried_in_browser("frames")?;
        page.args(["--seconds", "2", "--short", "--"]).args(LOAD);
        return say::step("trying to measure frames", &mut page);
    }
    let seconds = match length {
        Length::Seconds(seconds) => seconds,
        Length::Whole | Length::Short => WHOLE_SECONDS,
    };
    let charts = say::step("measuring charts side by side (five minutes)", &mut charts);
    // The page is measured even if that failed.
    let page = crate::frames(seconds, &LOAD.map(str::to_owned));
    charts.and(page)
}

/// Measures what alerts cost the server.
pub(crate) fn alerts(length: Length) -> anyhow::Result<()> {
    let mut bench = cargo();
    if length == Length::Short {
        // Built like the tests, which has been done already.
        bench
            .args(["test", "--quiet", "--workspace"])
            .args(["--bench", "alerts", "--", "--short"]);
        return say::step("trying to measure what alerts cost", &mut bench);
    }
    bench.args([
        "bench",
        "--quiet",
        "--package",
        "server",
        "--bench",
        "alerts",
    ]);
    say::step(
        "measuring two servers, with alerts and without (three minutes)",
        &mut bench,
    )
}

/// Measures what the store costs. The file is in the target folder, which is
/// on a disk.
pub(crate) fn disk(length: Length) -> anyhow::Result<()> {
    let folder = target_directory()?;
    if length == Length::Short {
        let mut bench = tried("bench_disk")?;
        bench.arg("--folder").arg(folder);
        bench.args(["--megabytes", "20", "--seconds", "3", "--settle", "0"]);
        return say::step("trying to measure what the store costs", &mut bench);
    }
    release_builds()?;
    let mut bench = Command::new(built("release", "bench_disk")?);
    bench.arg("--folder").arg(folder);
    say::step("measuring what the store costs (46 minutes)", &mut bench)
}

/// Measures what large files of prices cost. They are in the target folder, which
/// is on a disk.
pub(crate) fn files(length: Length) -> anyhow::Result<()> {
    let folder = target_directory()?;
    if length == Length::Short {
        let mut bench = tried("bench_files")?;
        bench.arg("--folder").arg(folder);
        bench.args(["--megabytes", "1", "--seconds", "1"]);
        return say::step("trying to measure what files cost", &mut bench);
    }
    release_builds()?;
    let mut bench = Command::new(built("release", "bench_files")?);
    bench.arg("--folder").arg(folder);
    say::step(
        "measuring what files of 1 GB cost (ten minutes)",
        &mut bench,
    )
}

/// Measures what following an exchange costs.
pub(crate) fn exchange(length: Length) -> anyhow::Result<()> {
    if length == Length::Short {
        let mut bench = tried("bench_exchange")?;
        bench.args([
            "--symbols",
            "5",
            "--rate",
            "200",
            "--seconds",
            "2",
            "--flood",
            "2000",
        ]);
        return say::step("trying to measure what an exchange costs", &mut bench);
    }
    release_builds()?;
    let mut bench = Command::new(built("release", "bench_exchange")?);
    say::step("measuring what an exchange costs (two minutes)", &mut bench)
}

/// Measures what a hop from one server to the next costs.
pub(crate) fn hop(length: Length) -> anyhow::Result<()> {
    let nats = tools::nats_server()?;
    if length == Length::Short {
        let mut bench = tried("bench_hop")?;
        bench
            .args(["--seconds", "2", "--kills", "1"])
            .env("NATS_SERVER", nats);
        return say::step("trying to measure hops", &mut bench);
    }
    release_builds()?;
    let mut bench = Command::new(built("release", "bench_hop")?);
    bench.env("NATS_SERVER", nats);
    say::step("measuring hops (three minutes)", &mut bench)
}

/// Builds the server and what measures it, optimised.
pub(crate) fn release_builds() -> anyhow::Result<()> {
    for package in ["server", "loadtest"] {
        let mut build = cargo();
        build.args(["build", "--release", "--package", package, "--bins"]);
        say::step(&format!("building {package}"), &mut build)?;
    }
    Ok(())
}

/// Measures what clients cost the server, beside other servers.
pub(crate) fn fanout(length: Length) -> anyhow::Result<()> {
    browser::find_or_install_nchan()?;
    if length == Length::Short {
        let mut bench = tried("bench_fanout")?;
        bench.args(["--rounds", "1", "--clients", "20", "--measure-ms", "300"]);
        return say::step("trying to measure servers side by side", &mut bench);
    }
    release_builds()?;
    let mut bench = Command::new(built("release", "bench_fanout")?);
    say::step("measuring servers side by side (half an hour)", &mut bench)
}

/// A program as it was built with the tests. It is built together with all
/// others; otherwise what they share would be compiled once more.
pub(crate) fn tried(program: &str) -> anyhow::Result<Command> {
    let mut build = cargo();
    build.args(["test", "--quiet", "--workspace", "--no-run"]);
    say::step(&format!("building {program}"), &mut build)?;
    Ok(Command::new(built("debug", program)?))
}

/// The same for a program of `e2e`, with a browser.
fn tried_in_browser(program: &str) -> anyhow::Result<Command> {
    let mut command = tried(program)?;
    browser::find_or_install()?.give_to(&mut command);
    Ok(command)
}

/// Builds the page's chart alone, in the way that the page is built; a short
/// run does not optimise it. Returns the folder.
fn build_chart(is_short: bool) -> anyhow::Result<PathBuf> {
    let (profile, arguments): (_, &[_]) = match is_short {
        true => ("debug", &["--example", "chart_bench"]),
        false => ("page", &["--example", "chart_bench", "--profile", "page"]),
    };
    let progress = Progress::new();
    progress.run(&BINDGEN)?;
    progress.run(&Build {
        name: "chart",
        arguments,
        packages: &FRONTEND,
    })?;
    progress.end();
    let built = wasm_folder(profile)?.join("examples/chart_bench.wasm");
    let folder = target_directory()?.join("chart_bench");
    quietly(bindgen()?.arg(&folder).arg(built))?;
    let file = |name: &str| folder.join(name);
    if !is_short {
        small::optimise(
            &Small::find_or_install(),
            &file("chart_bench_bg.wasm"),
            &file("chart_bench.js"),
        )?;
    }
    Ok(folder)
}
