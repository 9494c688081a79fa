//! Measures whether a tick costs the same for any number of clients and
//! symbols, and whether clients that read nothing slow down the others.

use std::time::Duration;

use crate::servers::{Case, Found, Kind, measure};
use crate::spread;

/// How many clients are measured, one count after the other; then the same
/// counts of symbols.
const COUNTS: [u32; 4] = [10, 100, 1_000, 5_000];
/// The number of clients while the number of symbols grows.
const CLIENTS: u32 = 1_000;
/// The number of symbols while the number of clients grows.
const SYMBOLS: u32 = 50;
/// Trades are gathered for so long, in ms, while there are so many a second. The
/// product stays the same, so that messages are as long.
const PACE: (u32, u32) = (16, 2_000);
/// The same for many clients, so that the server has a third of its core left.
const SLOW_PACE: (u32, u32) = (64, 500);
const MANY_CLIENTS: u32 = 2_000;

fn case(name: &str, clients: u32, symbols: u32, more: &[&str]) -> Case {
    let (flush_ms, rate) = match clients {
        many if many > MANY_CLIENTS => SLOW_PACE,
        _ => PACE,
    };
    Case {
        name: name.to_owned(),
        kind: Kind::Tickwire(vec![
            format!("--symbols={symbols}"),
            format!("--flush-ms={flush_ms}"),
        ]),
        rate,
        clients: more.iter().map(ToString::to_string).collect(),
    }
}

/// Runs all measurements and prints their tables. Counts above `most` are left
/// out.
///
/// # Errors
///
/// A program is missing, or fails.
pub(super) async fn run(rounds: usize, most: u32, whole: Duration) -> anyhow::Result<()> {
    let counts: Vec<u32> = COUNTS.into_iter().filter(|count| *count <= most).collect();
    let mut rows = Vec::new();
    for count in &counts {
        rows.push((*count, SYMBOLS));
    }
    for count in &counts {
        rows.push((CLIENTS.min(most), *count));
    }
    println!("| clients | symbols | µs a tick | µs a message | age p99 (ms) |");
    println!("| ---: | ---: | ---: | ---: | ---: |");
    for (clients, symbols) in rows {
        let name = format!("{clients} clients, {symbols} symbols");
        let found = repeat(&case(&name, clients, symbols, &[]), rounds, clients, whole).await?;
        let of = |read: fn(&Found) -> f64| text(found.iter().map(read).collect(), 3);
        let ages = found.iter().filter_map(|found| found.age_p99_ms).collect();
        println!(
            "| {clients} | {symbols} | {} | {} | {} |",
            of(|found| found.trade_us),
            of(|found| found.message_us),
            text(ages, 1),
        );
    }
    println!();
    println!("| clients that take nothing | age p99 of the others (ms) |");
    println!("| ---: | ---: |");
    for slow in ["0%", "5%"] {
        let clients = CLIENTS.min(most);
        let name = format!("{slow} stalled");
        let case = case(&name, clients, SYMBOLS, &["--slow", slow]);
        let found = repeat(&case, rounds, clients, whole).await?;
        let ages = found.iter().filter_map(|found| found.age_p99_ms).collect();
        println!("| {slow} | {} |", text(ages, 1));
    }
    Ok(())
}

async fn repeat(
    case: &Case,
    rounds: usize,
    clients: u32,
    whole: Duration,
) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}: {}", round + 1, case.name);
        found.push(measure(case, clients, whole).await?);
    }
    Ok(found)
}

fn text(values: Vec<f64>, decimals: usize) -> String {
    let [low, middle, high] = spread(values);
    format!("{middle:.decimals$} ({low:.decimals$}–{high:.decimals$})")
}
