//! Prints the results, as a table or as JSON.

use anyhow::bail;
use shared::Transport;

use crate::Crowd;
use crate::crowd::{Outcome, run};

/// A row of the table: its name, its number of decimals, and how its value is
/// read from an outcome.
type Line = (&'static str, usize, fn(&Outcome) -> Option<f64>);

const LINES: [Line; 18] = [
    ("age p50 (ms)", 1, |o| o.age_p50_ms),
    ("age p95 (ms)", 1, |o| o.age_p95_ms),
    ("age p99 (ms)", 1, |o| o.age_p99_ms),
    ("age max (ms)", 1, |o| o.age_max_ms),
    ("ticks/s", 0, |o| Some(o.ticks as f64 / o.seconds)),
    ("messages/s", 0, |o| Some(o.messages as f64 / o.seconds)),
    ("requests/s", 0, |o| {
        Some(o.requests as f64 / o.seconds).filter(|_| o.answers > 0)
    }),
    ("empty answers (%)", 1, |o| {
        (o.answers > 0).then(|| 100.0 * o.empty_answers as f64 / o.answers as f64)
    }),
    ("payload (KB/s)", 0, |o| {
        Some(o.payload_bytes as f64 / 1e3 / o.seconds)
    }),
    ("down (KB/s)", 0, |o| {
        Some(o.down_bytes as f64 / 1e3 / o.seconds)
    }),
    ("up (KB/s)", 0, |o| {
        Some(o.up_bytes as f64 / 1e3 / o.seconds)
    }),
    ("bytes a tick", 1, |o| {
        (o.ticks > 0).then(|| (o.down_bytes + o.up_bytes) as f64 / o.ticks as f64)
    }),
    ("server's CPU (%)", 1, |o| {
        Some(o.cpu_us as f64 / 1e4 / o.seconds)
    }),
    ("CPU a tick (µs)", 3, |o| {
        (o.cpu_ticks > 0).then(|| o.cpu_us as f64 / o.cpu_ticks as f64)
    }),
    ("missed", 0, |o| Some(o.missed as f64)),
    ("repeated", 0, |o| Some(o.repeated as f64)),
    ("left out", 0, |o| Some(o.skipped as f64)),
    ("clients lost", 0, |o| Some(o.lost.into())),
];

/// Runs all four transports, one after the other: in parallel they would
/// disturb each other.
pub(crate) async fn all(crowd: &Crowd, json: bool) -> anyhow::Result<()> {
    let mut outcomes = Vec::new();
    for transport in Transport::ALL {
        outcomes.push(run(transport, crowd).await?);
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&outcomes)?);
    } else {
        print(&outcomes);
    }
    check(&outcomes)
}

/// Runs one transport.
pub(crate) async fn one(transport: Transport, crowd: &Crowd) -> anyhow::Result<()> {
    let outcome = [run(transport, crowd).await?];
    print(&outcome);
    check(&outcome)
}

/// Fails if clients were lost: the figures would be those of a smaller load
/// than was asked for.
fn check(outcomes: &[Outcome]) -> anyhow::Result<()> {
    let lost: u32 = outcomes.iter().map(|outcome| outcome.lost).sum();
    if lost > 0 {
        bail!("{lost} clients were lost before the end");
    }
    Ok(())
}

fn print(outcomes: &[Outcome]) {
    print!("{:18}", "");
    for outcome in outcomes {
        print!(" {:>12}", outcome.transport);
    }
    println!();
    for (name, decimals, read) in LINES {
        print!("{name:18}");
        for outcome in outcomes {
            match read(outcome) {
                Some(value) => print!(" {value:>12.decimals$}"),
                None => print!(" {:>12}", "–"),
            }
        }
        println!();
    }
}
