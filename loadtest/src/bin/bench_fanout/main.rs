//! What clients cost the server: compared with Nchan and a plain axum server,
//! and as the number of clients and of symbols grows.
//!
//! Each server runs on the first core, its clients on the second. What the
//! server costs without clients is measured first and subtracted. The peers run
//! in two modes: one message for each trade, which is how they are normally
//! used, and the same batches that Tickwire sends.

mod peers;
mod scale;
mod servers;

use std::time::Duration;

use clap::{Parser, ValueEnum};

#[derive(Parser)]
struct Arguments {
    /// Measures only this part
    #[arg(long)]
    part: Option<Part>,
    /// How many times each server is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many clients connect; the scaling tables use up to five times as
    /// many
    #[arg(long, default_value_t = 1_000)]
    clients: u32,
    /// How long one measurement takes, in ms
    #[arg(long, default_value_t = 10_000)]
    measure_ms: u64,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Tickwire beside others
    Peers,
    /// Tickwire with more clients, more symbols, and clients that take nothing
    Scale,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments {
        part,
        rounds,
        clients,
        measure_ms,
    } = Arguments::parse();
    let whole = Duration::from_millis(measure_ms);
    if part != Some(Part::Scale) {
        peers::run(rounds, clients, whole).await?;
        println!();
    }
    if part != Some(Part::Peers) {
        scale::run(rounds, clients.saturating_mul(5), whole).await?;
    }
    Ok(())
}

/// The minimum, the median and the maximum.
fn spread(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    let middle = values.get(values.len() / 2).copied().unwrap_or_default();
    let at = |value: Option<&f64>| value.copied().unwrap_or_default();
    [at(values.first()), middle, at(values.last())]
}
