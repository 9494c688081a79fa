//! Measurements of the page, beside the charts that it is measured against.

use crate::tools::{Tools, npm_package};
use crate::{cargo, in_browser, say, small, target_directory};

const UPLOT: &str = "1.6.32";
const LIGHTWEIGHT_CHARTS: &str = "5.2.1";
/// The load of the whole page.
const LOAD: [&str; 4] = ["--symbols", "500", "--rate", "5000"];

/// Measures the chart, then the whole page for so many seconds.
pub(crate) fn ui(seconds: u64) -> anyhow::Result<()> {
    let chart = build_chart()?;
    let mut charts = in_browser("bench_ui")?;
    charts
        .arg("--chart")
        .arg(chart)
        .arg("--uplot")
        .arg(npm_package("uplot", UPLOT)?)
        .arg("--lightweight")
        .arg(npm_package("lightweight-charts", LIGHTWEIGHT_CHARTS)?);
    let charts = say::step("measuring charts side by side (five minutes)", &mut charts);
    // The page is measured whatever came of that.
    let page = crate::frames(seconds, &LOAD.map(str::to_owned));
    charts.and(page)
}

/// Measures what alerts cost the server.
pub(crate) fn alerts() -> anyhow::Result<()> {
    let mut bench = cargo();
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

/// Builds the page's chart by itself, as the page is built; where it is.
fn build_chart() -> anyhow::Result<std::path::PathBuf> {
    let tools = Tools::find_or_install()?;
    let target = target_directory()?;
    let mut build = cargo();
    build
        .args(["build", "--package", "frontend", "--example", "chart_bench"])
        .args(["--profile", "page", "--target", "wasm32-unknown-unknown"]);
    say::step("building the chart by itself (two minutes)", &mut build)?;
    let built = target.join("wasm32-unknown-unknown/page/examples/chart_bench.wasm");
    let folder = target.join("chart_bench");
    let mut bindgen = tools.bindgen();
    bindgen
        .args(["--target", "web", "--no-typescript", "--out-dir"])
        .arg(&folder)
        .arg(built);
    say::step("binding it to JavaScript", &mut bindgen)?;
    let file = |name: &str| folder.join(name);
    small::optimise(
        &tools,
        &file("chart_bench_bg.wasm"),
        &file("chart_bench.js"),
    )?;
    Ok(folder)
}
