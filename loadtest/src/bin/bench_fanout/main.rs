//! What clients cost the server: beside Nchan and a plain axum server, and as
//! there are more of them.
//!
//! Each server runs on the first core, with as many clients as asked for on the
//! second. What it costs without clients is measured before and subtracted. The
//! peers run both ways: each trade as a message, which is how they are used, and
//! the very same batches as messages.

mod peers;
mod scale;
mod servers;

use std::time::Duration;

use clap::{Parser, ValueEnum};

#[derive(Parser)]
struct Arguments {
    /// Which part is measured; both unless one is named
    #[arg(long)]
    part: Option<Part>,
    /// How often each server is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many clients it has; where their number grows, at most five times as
    /// many
    #[arg(long, default_value_t = 1_000)]
    clients: u32,
    /// For how long, in ms
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

/// The lowest, the middle and the highest.
fn spread(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    let middle = values.get(values.len() / 2).copied().unwrap_or_default();
    let at = |value: Option<&f64>| value.copied().unwrap_or_default();
    [at(values.first()), middle, at(values.last())]
}
