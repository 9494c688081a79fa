//! Measures the page's chart beside uPlot and lightweight-charts, all three
//! drawing the same bars in the same browser, in turns.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use clap::Parser;
use e2e::{Browser, Page};
use serde_json::{Value, json};

/// Measures charts side by side.
#[derive(Parser)]
struct Arguments {
    /// The folder of the page's chart, which is built separately
    #[arg(long)]
    chart: PathBuf,
    /// The `node_modules` folder with uPlot in it
    #[arg(long)]
    uplot: PathBuf,
    /// The `node_modules` folder with lightweight-charts in it
    #[arg(long)]
    lightweight: PathBuf,
    /// How many times each chart is measured; medians are compared
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Frames in one measurement; 240 take four seconds
    #[arg(long, default_value_t = 240)]
    frames: u32,
    /// Only checks that the benchmark works, and ignores the results
    #[arg(long)]
    short: bool,
}

const LIBRARIES: [&str; 3] = ["tickwire", "uplot", "lightweight"];
const KINDS: [&str; 2] = ["candles", "line"];
const SCENARIOS: [&str; 2] = ["pan and zoom", "1,000 ticks/s"];

/// How many frames one script draws. The slowest library needs 0.15 s for one,
/// and the browser ends a script after 30 s.
const SLICE_FRAMES: u32 = 60;

/// Milliseconds for each frame: in script, and in everything that the page's
/// main thread did.
#[derive(Clone, Copy, Debug)]
struct Cost {
    script: f64,
    all: f64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let url = serve(&arguments).await?;
    let browser = Browser::start(1280, 720).await?;
    let page = browser.open(&url).await?;
    page.until("the charts are ready", "window.isReady").await?;
    page.devtools("Performance.enable", json!({})).await?;
    let mut costs: BTreeMap<(&str, &str, &str), Vec<Cost>> = BTreeMap::new();
    for round in 0..arguments.rounds {
        for scenario in SCENARIOS {
            for kind in KINDS {
                // The order rotates, so that each library is the first one
                // equally often.
                for place in 0..LIBRARIES.len() {
                    let library = LIBRARIES[(place + round) % LIBRARIES.len()];
                    let cost = measure(&page, library, kind, scenario, arguments.frames).await?;
                    costs
                        .entry((scenario, kind, library))
                        .or_default()
                        .push(cost);
                }
            }
        }
        eprintln!("round {} of {}", round + 1, arguments.rounds);
    }
    browser.close().await?;
    if report(&costs) || arguments.short {
        Ok(())
    } else {
        bail!("the page's chart takes more time than the better of the two");
    }
}

async fn measure(
    page: &Page,
    library: &str,
    kind: &str,
    scenario: &str,
    frames: u32,
) -> anyhow::Result<Cost> {
    page.run(&format!(
        "await prepare('{library}', '{kind}', '{scenario}');"
    ))
    .await?;
    if page.run("return isBlank();").await? == true {
        bail!("{library} draws nothing");
    }
    let before = metrics(page).await?;
    for first in (0..frames).step_by(SLICE_FRAMES as usize) {
        let count = SLICE_FRAMES.min(frames - first);
        page.run(&format!("await play('{scenario}', {first}, {count});"))
            .await?;
    }
    let after = metrics(page).await?;
    let a_frame = |name: &str| -> anyhow::Result<f64> {
        let of = |metrics: &BTreeMap<String, f64>| {
            metrics.get(name).copied().with_context(|| name.to_owned())
        };
        Ok((of(&after)? - of(&before)?) * 1e3 / f64::from(frames))
    };
    Ok(Cost {
        script: a_frame("ScriptDuration")?,
        all: a_frame("TaskDuration")?,
    })
}

/// The browser's counters for the page's main thread, durations in seconds.
async fn metrics(page: &Page) -> anyhow::Result<BTreeMap<String, f64>> {
    let answer = page.devtools("Performance.getMetrics", json!({})).await?;
    let metrics = answer["metrics"].as_array().context("no metrics")?;
    let pair = |metric: &Value| {
        Some((
            metric["name"].as_str()?.to_owned(),
            metric["value"].as_f64()?,
        ))
    };
    Ok(metrics.iter().filter_map(pair).collect())
}

/// Prints the medians. Returns whether the page's chart, script and paint
/// together, is nowhere slower than the better of the other two.
fn report(costs: &BTreeMap<(&str, &str, &str), Vec<Cost>>) -> bool {
    let median = |key: (&str, &str, &str), of: fn(&Cost) -> f64| {
        let mut all: Vec<f64> = costs[&key].iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    println!("Milliseconds of the page's main thread for each frame: script / all (with paint).");
    println!(
        "{:14} {:8} {:>15} {:>15} {:>18} {:>22}",
        "", "", "Tickwire", "uPlot", "lightweight-charts", "to the better one"
    );
    let mut is_best = true;
    for scenario in SCENARIOS {
        for kind in KINDS {
            let script =
                LIBRARIES.map(|library| median((scenario, kind, library), |cost| cost.script));
            let all = LIBRARIES.map(|library| median((scenario, kind, library), |cost| cost.all));
            let cell = |place: usize| format!("{:.2} / {:.2}", script[place], all[place]);
            let ratios = (
                script[0] / script[1].min(script[2]),
                all[0] / all[1].min(all[2]),
            );
            is_best &= ratios.1 <= 1.0;
            println!(
                "{scenario:14} {kind:8} {:>15} {:>15} {:>18} {:>22}",
                cell(0),
                cell(1),
                cell(2),
                format!("{:.2} / {:.2}", ratios.0, ratios.1)
            );
        }
    }
    is_best
}

/// Serves the page with the three charts; returns its address.
async fn serve(arguments: &Arguments) -> anyhow::Result<String> {
    let read = |path: &Path| std::fs::read(path).with_context(|| path.display().to_string());
    let uplot = arguments.uplot.join("uplot/dist");
    let lightweight = arguments.lightweight.join("lightweight-charts/dist");
    let (html, script) = ("text/html", "text/javascript");
    let files = [
        ("/", html, include_bytes!("../bench/chart.html").to_vec()),
        (
            "/chart.js",
            script,
            include_bytes!("../bench/chart.js").to_vec(),
        ),
        ("/uplot.js", script, read(&uplot.join("uPlot.iife.min.js"))?),
        (
            "/uplot.css",
            "text/css",
            read(&uplot.join("uPlot.min.css"))?,
        ),
        (
            "/lightweight.js",
            script,
            read(&lightweight.join("lightweight-charts.standalone.production.js"))?,
        ),
        (
            "/bench/chart_bench.js",
            script,
            read(&arguments.chart.join("chart_bench.js"))?,
        ),
        (
            "/bench/chart_bench_bg.wasm",
            "application/wasm",
            read(&arguments.chart.join("chart_bench_bg.wasm"))?,
        ),
    ];
    let mut router = Router::new();
    for (path, kind, content) in files {
        router = router.route(
            path,
            get(move || async move { ([(CONTENT_TYPE, kind)], content) }),
        );
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}
