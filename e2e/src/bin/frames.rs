//! Measures how soon headless Chromium shows the page, how many frames a second
//! it draws while every row is updated, and what work and memory that takes.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser;
use e2e::{Browser, Page};
use serde_json::{Value, json};
use testkit::TestServer;

/// Measures how smoothly the page runs.
#[derive(Parser)]
struct Arguments {
    /// How long to measure, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Fails below this many frames a second
    #[arg(long, default_value_t = 55.0)]
    least: f64,
    /// Only checks that the measurement works, and ignores the results
    #[arg(long)]
    short: bool,
    /// Arguments for the server
    #[arg(last = true)]
    server: Vec<String>,
}

/// The time to load and compile, which is not measured.
const WARM_UP: Duration = Duration::from_secs(2);
/// Memory at the end is compared with memory after this time.
const SETTLED: Duration = Duration::from_secs(60);
/// Memory rises and falls with the browser's garbage collector, so the lowest
/// of this many readings counts. They are a second apart.
const LOOKS: u32 = 10;
/// The most by which memory may have grown at the end, as a factor.
const GROWTH_MAX: f64 = 1.1;

/// Keeps a reference to the page's WebAssembly, whose memory the browser does
/// not count. wasm-bindgen exports that memory as `memory`.
const KEEP: &str = r"
const instantiate = WebAssembly.instantiateStreaming;
WebAssembly.instantiateStreaming = async (...of) => {
    const made = await instantiate(...of);
    window.__wasm = made.instance.exports;
    window.__compiled = performance.now();
    return made;
};
";

/// Milliseconds from the request of the page.
const PAINTED: &str = r"
const paint = performance.getEntriesByName('first-contentful-paint')[0];
return { paint: Math.round(paint?.startTime), compiled: Math.round(window.__compiled) };
";

/// Counts frames, long tasks, and which rows' last price changed.
const COUNT: &str = r"
const m = window.__measure = { frames: 0, gaps: [], long: 0, rows: new Set() };
let last = performance.now();
m.start = last;
(function frame(now) {
    m.frames += 1;
    m.gaps.push(now - last);
    last = now;
    requestAnimationFrame(frame);
})(last);
new PerformanceObserver(list => { m.long += list.getEntries().length; })
    .observe({ type: 'longtask' });
new MutationObserver(changes => {
    for (const change of changes) {
        const row = change.target.closest?.('tr[data-symbol]');
        if (row) m.rows.add(row.dataset.symbol);
    }
}).observe(document.querySelector('table[aria-label=Watchlist] tbody'),
    { subtree: true, attributeFilter: ['data-value'] });
";

const REPORT: &str = r"
const m = window.__measure;
const seconds = (performance.now() - m.start) / 1000;
const gaps = m.gaps.slice(1).sort((a, b) => a - b);
const at = share => gaps[Math.floor(share * (gaps.length - 1))];
return {
    seconds, frames: m.frames, fps: m.frames / seconds,
    p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1),
    long: m.long, updated: m.rows.size,
    rows: document.querySelectorAll('tr[data-symbol]').length,
};
";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let server: Vec<&str> = arguments.server.iter().map(String::as_str).collect();
    let server = TestServer::start(&server).await?;
    let browser = Browser::start(1440, 900).await?;
    let page = open(&browser, &server).await?;
    page.run(COUNT).await?;
    let before = Work::of(&page).await?;
    let seconds = Duration::from_secs(arguments.seconds);
    let begun = tokio::time::Instant::now();
    let looks = if arguments.short { 1 } else { LOOKS };
    let looking = Duration::from_secs(looks.into());
    let settled = if seconds > SETTLED + 2 * looking {
        tokio::time::sleep(SETTLED - looking).await;
        Some(memory(&page, looks).await?)
    } else {
        None
    };
    tokio::time::sleep_until(begun + seconds.saturating_sub(looking)).await;
    let at_end = memory(&page, looks).await?;
    let report = Report(page.run(REPORT).await?);
    let after = Work::of(&page).await?;
    report.print()?;
    println!("{}", after.since(before, report.number("seconds")?));
    for name in ["ticks_per_second", "age_ms", "missed", "repeated"] {
        println!("{name}: {:?}", page.stat(name).await?);
    }
    browser.close().await?;
    server.stop().await?;
    println!("memory: {:.1} MB at the end", at_end / 1e6);
    if let Some(settled) = settled {
        let growth = at_end / settled;
        println!("memory: {growth:.3} times what it was after a minute");
        if growth > GROWTH_MAX {
            bail!("memory grew to {growth:.2} times what it was after a minute");
        }
    }
    if arguments.short {
        return Ok(());
    }
    report.check(arguments.least)
}

/// Opens the page, says how soon it was seen, and waits until it has settled.
async fn open(browser: &Browser, server: &TestServer) -> anyhow::Result<Page> {
    let blank = browser.open("about:blank").await?;
    let keep = json!({ "source": KEEP });
    blank
        .devtools("Page.addScriptToEvaluateOnNewDocument", keep)
        .await?;
    let page = browser.open(&server.url("/")).await?;
    page.devtools("Performance.enable", json!({})).await?;
    page.until_live().await?;
    tokio::time::sleep(WARM_UP).await;
    let painted = page.run(PAINTED).await?;
    println!(
        "first paint after {} ms, program compiled after {} ms",
        painted["paint"], painted["compiled"]
    );
    Ok(page)
}

/// What the page counted.
struct Report(Value);

impl Report {
    fn number(&self, name: &str) -> anyhow::Result<f64> {
        let number = self.0.get(name).and_then(Value::as_f64);
        number.with_context(|| name.to_owned())
    }

    fn print(&self) -> anyhow::Result<()> {
        println!(
            "{:.0} s: {:.1} frames a second; between frames p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
            self.number("seconds")?,
            self.number("fps")?,
            self.number("p50")?,
            self.number("p95")?,
            self.number("p99")?,
            self.number("max")?
        );
        println!(
            "{} of {} rows updated; {} tasks over 50 ms",
            self.number("updated")?,
            self.number("rows")?,
            self.number("long")?
        );
        Ok(())
    }

    /// Fails below this many frames a second, after a long task, or if a row was
    /// never updated.
    fn check(&self, least: f64) -> anyhow::Result<()> {
        let (fps, long) = (self.number("fps")?, self.number("long")?);
        if fps < least {
            bail!("{fps:.1} frames a second are fewer than {least}");
        }
        if long > 0.0 {
            bail!("{long} tasks took more than 50 ms");
        }
        let (updated, rows) = (self.number("updated")?, self.number("rows")?);
        if updated < rows {
            bail!("{} rows were never updated", rows - updated);
        }
        Ok(())
    }
}

/// What the page's main thread has done so far, in seconds.
#[derive(Clone, Copy, Debug)]
struct Work {
    script: f64,
    all: f64,
}

impl Work {
    async fn of(page: &Page) -> anyhow::Result<Self> {
        let metrics = page.devtools("Performance.getMetrics", json!({})).await?;
        Ok(Self {
            script: metric(&metrics, "ScriptDuration")?,
            all: metric(&metrics, "TaskDuration")?,
        })
    }

    fn since(self, before: Self, seconds: f64) -> String {
        let a_second = |now: f64, before: f64| 1e3 * (now - before) / seconds;
        format!(
            "work: {:.1} ms a second in script, {:.1} ms in all",
            a_second(self.script, before.script),
            a_second(self.all, before.all)
        )
    }
}

/// One of the browser's figures about a page.
fn metric(metrics: &Value, name: &str) -> anyhow::Result<f64> {
    let all = metrics["metrics"].as_array().context("no metrics")?;
    let found = all.iter().find(|metric| metric["name"] == name);
    found
        .and_then(|metric| metric["value"].as_f64())
        .with_context(|| format!("no metric {name}"))
}

/// The bytes held by the page's script and its WebAssembly: the lowest of this
/// many readings.
async fn memory(page: &Page, looks: u32) -> anyhow::Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..looks {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let metrics = page.devtools("Performance.getMetrics", json!({})).await?;
        let heap = metric(&metrics, "JSHeapUsedSize")?;
        let wasm = page
            .run("return window.__wasm.memory.buffer.byteLength;")
            .await?;
        least = least.min(heap + wasm.as_f64().context("no WebAssembly memory")?);
    }
    Ok(least)
}
