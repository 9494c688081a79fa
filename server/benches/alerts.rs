//! What 10,000 alerts cost: two servers side by side, over 500 symbols at 5,000
//! ticks a second with the same seed, one of them with the alerts. Prints the
//! processor time of each as a share of one core, and the difference, over
//! several rounds; fails if the median difference is above 5% of a core.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use shared::{Decimal, SnapshotAnswer};
use testkit::Process;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

/// In per cent of a core.
const COST_MAX: f64 = 5.0;

async fn start() -> anyhow::Result<Process> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
    command.args(["--store=none", "--symbols=500", "--rate=5000", "--seed=7"]);
    Process::start(command).await
}

async fn metric(server: &Process, name: &str) -> anyhow::Result<f64> {
    let text = reqwest::get(server.url("/metrics")).await?.text().await?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    Ok(line.with_context(|| name.to_owned())?.trim().parse()?)
}

async fn cpu_s(server: &Process) -> anyhow::Result<f64> {
    metric(server, "tickwire_process_cpu_seconds_total ").await
}

/// Twenty alerts for each symbol, of all kinds, from a tenth of a per cent to
/// two per cent away from its price.
fn alerts(snapshot: &SnapshotAnswer, count: usize) -> impl Iterator<Item = Value> {
    let each = count / snapshot.symbols.len();
    snapshot.symbols.iter().flat_map(move |state| {
        (0..each as i64).map(move |index| {
            let last = state.last.unwrap_or(Decimal::ONE);
            let level = |thousandths: i64| {
                let factor = Decimal::new(1_000 + thousandths, 3);
                (last * factor).normalize().to_string()
            };
            let mut alert = json!({"symbol": state.symbol, "repeat": true});
            let (kind, condition) = match index % 5 {
                0 => ("above", json!(level(1 + index))),
                1 => ("below", json!(level(-1 - index))),
                2 => ("crosses", json!(level(index - 9))),
                3 => (
                    "moves",
                    json!({"percent": "1.5", "window_s": 60 * (1 + index / 10)}),
                ),
                _ => ("silent_s", json!(5 + index)),
            };
            alert[kind] = condition;
            alert
        })
    })
}

/// How much is measured.
struct Plan {
    alerts: usize,
    rounds: usize,
    round: Duration,
}

/// What is quoted.
const WHOLE: Plan = Plan {
    alerts: 10_000,
    rounds: 15,
    round: Duration::from_secs(10),
};
/// Whether it works.
const SHORT: Plan = Plan {
    alerts: 500,
    rounds: 1,
    round: Duration::from_secs(1),
};

async fn measure(plan: &Plan) -> anyhow::Result<f64> {
    let (with, without) = (start().await?, start().await?);
    let snapshot: SnapshotAnswer = loop {
        let snapshot = reqwest::get(with.url("/api/snapshot")).await?;
        let snapshot: SnapshotAnswer = snapshot.json().await?;
        if snapshot.symbols.iter().all(|state| state.last.is_some()) {
            break snapshot;
        }
        sleep(Duration::from_millis(500)).await;
    };
    let client = reqwest::Client::new();
    for alert in alerts(&snapshot, plan.alerts) {
        let made = client.post(with.url("/api/alerts")).json(&alert);
        made.send().await?.error_for_status()?;
    }
    sleep(Duration::from_secs(2)).await;
    println!(
        "{:>7} {:>9} {:>9} {:>9}",
        "round", "with", "without", "more"
    );
    let mut differences = Vec::new();
    let mut before = (cpu_s(&with).await?, cpu_s(&without).await?, Instant::now());
    for round in 1..=plan.rounds {
        sleep(plan.round).await;
        let now = (cpu_s(&with).await?, cpu_s(&without).await?, Instant::now());
        let seconds = (now.2 - before.2).as_secs_f64();
        let share = |now: f64, before: f64| 100.0 * (now - before) / seconds;
        let (with, without) = (share(now.0, before.0), share(now.1, before.1));
        before = now;
        differences.push(with - without);
        println!(
            "{round:>7} {with:>8.2}% {without:>8.2}% {:>8.2}%",
            with - without
        );
    }
    differences.sort_by(f64::total_cmp);
    let median = differences[plan.rounds / 2];
    let fired: Value = reqwest::get(with.url("/api/alerts")).await?.json().await?;
    let fired = fired["alerts"].as_array().context("alerts")?;
    let fired: u64 = fired
        .iter()
        .filter_map(|alert| alert["fired"].as_u64())
        .sum();
    println!(
        "{} alerts cost {median:.2}% of a core more than none (median of {} rounds); \
         they fired {fired} times",
        plan.alerts, plan.rounds
    );
    Ok(median)
}

#[tokio::main]
async fn main() -> ExitCode {
    // Tries whether it works, and judges nothing.
    let is_short = std::env::args().any(|argument| argument == "--short");
    match measure(if is_short { &SHORT } else { &WHOLE }).await {
        Ok(_) if is_short => ExitCode::SUCCESS,
        Ok(median) if median <= COST_MAX => ExitCode::SUCCESS,
        Ok(_) => {
            eprintln!("error: that is more than {COST_MAX}%");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
