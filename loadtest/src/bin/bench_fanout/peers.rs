//! Compares Tickwire with Nchan and a plain axum server.

use std::time::Duration;

use crate::servers::{Case, Found, Kind, measure};
use crate::spread;

/// The cases to measure, in the order of the table.
fn cases() -> Vec<Case> {
    let tickwire = |more: &[&str]| Kind::Tickwire(more.iter().map(ToString::to_string).collect());
    let case = |name: &str, kind, rate, clients: &[&str]| Case {
        name: name.to_owned(),
        kind,
        rate,
        clients: clients.iter().map(ToString::to_string).collect(),
    };
    vec![
        case("Tickwire, all symbols", tickwire(&[]), 2000, &[]),
        case(
            "Tickwire, 5 of 500 symbols, all sets different",
            tickwire(&["--symbols=500"]),
            2000,
            &["--subset=5"],
        ),
        case(
            "Tickwire, a trade a frame",
            tickwire(&["--flush-ms=0"]),
            100,
            &[],
        ),
        case(
            "plain axum, a trade a message",
            Kind::Axum("tick"),
            100,
            &[],
        ),
        case(
            "plain axum, the same batches",
            Kind::Axum("batch"),
            2000,
            &[],
        ),
        case("Nchan, a trade a message", Kind::Nchan("tick"), 100, &[]),
        case("Nchan, the same batches", Kind::Nchan("batch"), 2000, &[]),
    ]
}

/// Measures all cases, round by round, and prints the results.
///
/// # Errors
///
/// A program is missing, or fails.
pub(super) async fn run(rounds: usize, clients: u32, whole: Duration) -> anyhow::Result<()> {
    let cases = cases();
    let mut found = vec![Vec::new(); cases.len()];
    for round in 0..rounds {
        for (case, found) in cases.iter().zip(&mut found) {
            eprintln!("round {} of {rounds}: {}", round + 1, case.name);
            found.push(measure(case, clients, whole).await?);
        }
    }
    print(&cases, &found);
    Ok(())
}

/// Prints the tables of `docs/performance.md`.
fn print(cases: &[Case], found: &[Vec<Found>]) {
    let of = |case: usize, read: fn(&Found) -> f64| spread(found[case].iter().map(read).collect());
    println!("| server | alone (% of a core) | µs a message | µs a trade | age p99 (ms) |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (case, place) in cases.iter().zip(0..) {
        let text = |[low, middle, high]: [f64; 3], decimals: usize| {
            format!("{middle:.decimals$} ({low:.decimals$}–{high:.decimals$})")
        };
        let ages: Vec<f64> = found[place]
            .iter()
            .filter_map(|found| found.age_p99_ms)
            .collect();
        let age = match ages.is_empty() {
            true => "–".to_owned(),
            false => text(spread(ages), 1),
        };
        println!(
            "| {} | {} | {} | {} | {age} |",
            case.name,
            text(of(place, |found| found.alone_us / 1e4), 1),
            text(of(place, |found| found.message_us), 2),
            text(of(place, |found| found.trade_us), 3),
        );
    }
    println!();
    print_ratios(found);
}

fn print_ratios(found: &[Vec<Found>]) {
    println!("| ratio, round by round | median | lowest | highest | wanted |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let ratio = |name: &str, one: usize, other: usize, read: fn(&Found) -> f64, wanted: &str| {
        let pairs = found[one].iter().zip(&found[other]);
        let [low, middle, high] = spread(pairs.map(|(a, b)| read(a) / read(b)).collect());
        println!("| {name} | {middle:.3} | {low:.3} | {high:.3} | {wanted} |");
    };
    let message: fn(&Found) -> f64 = |found| found.message_us;
    let trade: fn(&Found) -> f64 = |found| found.trade_us;
    ratio(
        "a trade: Tickwire / plain axum, each trade",
        0,
        3,
        trade,
        "0.028",
    );
    ratio(
        "a trade: Tickwire / Nchan, each trade",
        0,
        5,
        trade,
        "0.028",
    );
    ratio(
        "a message: Tickwire / plain axum, batches",
        0,
        4,
        message,
        "0.9",
    );
    ratio("a message: Tickwire / Nchan, batches", 0, 6, message, "0.9");
    ratio("a message: 5 of 500 / all", 1, 0, message, "1.5");
    ratio(
        "a message: 5 of 500 / a trade a frame",
        1,
        2,
        message,
        "1.3",
    );
    ratio(
        "a message: a trade a frame / plain axum, each trade",
        2,
        3,
        message,
        "1",
    );
}
