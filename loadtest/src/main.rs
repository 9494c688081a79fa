//! Runs many clients of a running server and prints what they measured, for one
//! transport or for a comparison of all four.

mod compare;
mod crowd;
mod fanout;
mod look;

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use shared::{Pace, Transport, WireFormat};

/// Runs clients of a running server and prints what they measured.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Clients of one transport
    Run {
        /// How the clients read: ws, sse, long_poll or poll
        #[arg(long, default_value = "ws")]
        transport: Transport,
        #[command(flatten)]
        crowd: Crowd,
    },
    /// Many WebSockets of one server, and what each message costs
    Fanout(fanout::Fanout),
    /// Each of the four transports in turn, and a table at the end
    Compare {
        /// Prints the results as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        crowd: Crowd,
    },
}

/// How many clients read, what they read, and for how long.
#[derive(Args, Clone, Debug)]
struct Crowd {
    /// The address of the server
    #[arg(long, default_value = "127.0.0.1:8080")]
    host: String,
    /// How many clients
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    clients: u32,
    /// How long to run, as in 30s or 2m; in a comparison, how long for each
    /// transport
    #[arg(long, default_value = "10s", value_parser = duration)]
    duration: Duration,
    /// The symbols that each client subscribes to: names separated by commas,
    /// or *
    #[arg(long, default_value = "*")]
    symbols: String,
    /// How messages are encoded, where the transport can carry it: json or
    /// binary
    #[arg(long, default_value = "json")]
    encoding: WireFormat,
    /// At most one message in this many milliseconds
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=i64::from(Pace::EVERY_MS_MAX)))]
    every_ms: u32,
    /// Only the newest trade and quote of each symbol
    #[arg(long)]
    latest: bool,
    /// How often plain polling asks, as in 1s or 250ms
    #[arg(long, default_value = "1s", value_parser = duration)]
    interval: Duration,
}

impl Crowd {
    fn pace(&self) -> Pace {
        let (every_ms, latest) = (self.every_ms, self.latest);
        Pace { every_ms, latest }
    }
}

/// Reads a duration from a hundredth of a second to a day.
fn duration(text: &str) -> Result<Duration, String> {
    let allowed = Duration::from_millis(10)..=Duration::from_secs(86_400);
    let duration: Duration = text
        .parse::<humantime::Duration>()
        .map_err(|error| format!("{error}; as in 30s or 250ms"))?
        .into();
    match allowed.contains(&duration) {
        true => Ok(duration),
        false => Err("from 10ms to 1day are allowed".to_owned()),
    }
}

fn main() -> anyhow::Result<()> {
    let command = Arguments::parse().command;
    // Thousands of clients on one core: more threads would only compete for it.
    let mut runtime = match command {
        Command::Fanout(_) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    runtime.enable_all().build()?.block_on(obey(command))
}

async fn obey(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Run { transport, crowd } => compare::one(transport, &crowd).await,
        Command::Fanout(fanout) => fanout::run(&fanout).await,
        Command::Compare { json, crowd } => compare::all(&crowd, json).await,
    }
}
