//! Tries the real exchanges from this machine, and says what it saw.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Parser;
use client::Follower;
use shared::{FeedStatus, ServerMessage, Tick, Transport};
use testkit::TestServer;
use tokio::time::{Instant, timeout_at};

/// The exchanges.
const VENUES: [&str; 3] = ["kraken", "coinbase", "binance"];

#[derive(Parser)]
struct Arguments {
    /// How long each exchange is followed, in seconds
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Only this exchange
    #[arg(long)]
    only: Option<String>,
    /// Further arguments of the server, as other addresses
    #[arg(last = true)]
    server: Vec<String>,
}

/// What was seen of an exchange.
#[derive(Default)]
struct Sight {
    /// How long the first price took, in seconds.
    first_s: Option<f64>,
    trades: BTreeMap<String, u64>,
    quotes: u64,
    /// How many symbols began with a past.
    pasts: usize,
    last: Option<FeedStatus>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let chosen = |name: &&str| arguments.only.as_deref().is_none_or(|only| only == *name);
    for name in VENUES.into_iter().filter(chosen) {
        match follow(name, &arguments).await {
            Ok(sight) => say(name, &sight),
            Err(error) => println!("{name}: not seen: {error:#}"),
        }
    }
    Ok(())
}

async fn follow(name: &str, arguments: &Arguments) -> anyhow::Result<Sight> {
    let more = arguments.server.iter().map(String::as_str);
    let all: Vec<_> = ["--feed", name].into_iter().chain(more).collect();
    let begun = Instant::now();
    let server = TestServer::start(&all).await?;
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let mut follower = Follower::new(&server.address().to_string(), "*", None);
    follower.switch(Transport::WebSocket).await?;
    let mut sight = Sight::default();
    while let Ok(messages) = timeout_at(end, follower.next()).await {
        for message in messages? {
            match message {
                ServerMessage::Ticks { ticks, .. } => {
                    sight
                        .first_s
                        .get_or_insert_with(|| begun.elapsed().as_secs_f64());
                    for tick in ticks {
                        match tick {
                            Tick::Trade(trade) => {
                                *sight.trades.entry(trade.symbol).or_default() += 1;
                            }
                            Tick::Quote(_) => sight.quotes += 1,
                        }
                    }
                }
                ServerMessage::States { symbols, .. } => sight.pasts += symbols.len(),
                ServerMessage::Status { status, .. } => sight.last = Some(status),
                _ => {}
            }
        }
    }
    server.stop().await?;
    Ok(sight)
}

fn say(name: &str, sight: &Sight) {
    let trades: u64 = sight.trades.values().sum();
    let venue = sight.last.as_ref().and_then(|status| status.venues.first());
    let counts = venue.map(|venue| format!("missed {}, filled {}", venue.missed, venue.filled));
    let first = sight.first_s.map_or_else(
        || "no price".to_owned(),
        |s| format!("first price after {s:.1} s"),
    );
    println!(
        "{name}: {first}; {trades} trades of {} symbols, {} quotes, {} with a past; {}",
        sight.trades.len(),
        sight.quotes,
        sight.pasts,
        counts.unwrap_or_default()
    );
    for detail in venue
        .iter()
        .map(|venue| &venue.detail)
        .filter(|detail| !detail.is_empty())
    {
        println!("{name}: {detail}");
    }
}
