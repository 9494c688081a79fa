//! A load generator: many clients of one transport, and what they saw.

use std::time::Duration;

use clap::Parser;
use hdrhistogram::Histogram;
use loadtest::{Follower, Transport};
use shared::ServerMessage;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// Puts clients on a running server and tells what they saw.
#[derive(Parser)]
struct Arguments {
    /// The server
    #[arg(long, default_value = "127.0.0.1:8080")]
    host: String,
    /// How the clients read
    #[arg(long, value_enum, default_value = "ws")]
    transport: Transport,
    /// How many clients
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    clients: u32,
    /// For how many seconds
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Which symbols each reads: names with commas, or *
    #[arg(long, default_value = "*")]
    symbols: String,
}

/// What clients saw.
struct Seen {
    /// Age of each tick when it arrived, in µs by this machine's clock.
    age_us: Histogram<u64>,
    ticks: u64,
    messages: u64,
    bytes: u64,
    missed: u64,
    repeated: u64,
}

impl Seen {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            age_us: Histogram::new_with_bounds(1, 600_000_000, 3)?,
            ticks: 0,
            messages: 0,
            bytes: 0,
            missed: 0,
            repeated: 0,
        })
    }

    fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.age_us.add(&other.age_us)?;
        self.ticks += other.ticks;
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.missed += other.missed;
        self.repeated += other.repeated;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let mut clients = JoinSet::new();
    for _ in 0..arguments.clients {
        let follower = Follower::new(&arguments.host, &arguments.symbols, None);
        clients.spawn(read(follower, arguments.transport, end));
    }
    let mut all = Seen::new()?;
    while let Some(seen) = clients.join_next().await {
        all.add(&seen??)?;
    }
    let seconds = arguments.seconds as f64;
    let age_ms = |quantile| all.age_us.value_at_quantile(quantile) as f64 / 1e3;
    println!("clients       {}", arguments.clients);
    println!("ticks/s       {:.0}", all.ticks as f64 / seconds);
    println!("messages/s    {:.0}", all.messages as f64 / seconds);
    println!("KB/s          {:.0}", all.bytes as f64 / 1e3 / seconds);
    println!("age p50       {:.1} ms", age_ms(0.5));
    println!("age p99       {:.1} ms", age_ms(0.99));
    println!("missed        {}", all.missed);
    println!("repeated      {}", all.repeated);
    Ok(())
}

async fn read(mut follower: Follower, transport: Transport, end: Instant) -> anyhow::Result<Seen> {
    let mut seen = Seen::new()?;
    follower.switch(transport).await?;
    while let Ok(messages) = timeout_at(end, follower.next()).await {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        for message in messages? {
            seen.messages += 1;
            if let ServerMessage::Ticks { ticks, .. } = message {
                seen.ticks += ticks.len() as u64;
                for tick in ticks {
                    let age_us = now
                        .as_micros()
                        .saturating_sub(tick.at().unsigned_abs().into());
                    seen.age_us.saturating_record(u64::try_from(age_us)?.max(1));
                }
            }
        }
    }
    seen.bytes = follower.bytes();
    seen.missed = follower.chain().missed();
    seen.repeated = follower.chain().repeated();
    Ok(seen)
}
