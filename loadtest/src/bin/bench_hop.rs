//! How late prices are on a server behind another one: behind a relay, and among servers
//! that share a log; and how soon another server leads when the one that leads is killed.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Parser;
use client::Follower;
use loadtest::machine::{beside, listening};
use shared::{ServerMessage, Transport};
use testkit::Nats;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// Trades a second, over all symbols.
const RATE: &str = "2000";
/// Until everything is there and warm.
const WARM_UP: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Parser)]
struct Arguments {
    /// For how long each way is measured
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How often a leader is killed
    #[arg(long, default_value_t = 11)]
    kills: usize,
}

/// A server.
struct Server {
    child: Child,
    host: String,
}

impl Server {
    async fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(beside("tickwire", "build the server")?);
        command
            .args([
                "--listen",
                "127.0.0.1:0",
                "--store",
                "none",
                "--past",
                "off",
            ])
            .args(arguments);
        let (child, host) = listening(command).await?;
        Ok(Self { child, host })
    }

    async fn of_market(more: &[&str]) -> anyhow::Result<Self> {
        let market = ["--symbols", "50", "--rate", RATE, "--flush-ms", "16"];
        Self::start(&[&market, more].concat()).await
    }

    async fn leads(&self) -> bool {
        let answer = reqwest::get(format!("http://{}/metrics", self.host)).await;
        let Ok(answer) = answer else {
            return false;
        };
        let text = answer.text().await.unwrap_or_default();
        text.lines()
            .any(|line| line.starts_with("tickwire_node_leads{") && line.ends_with(" 1"))
    }
}

/// When each entry arrived, by its number.
type Arrivals = HashMap<u64, Instant>;

/// Reads a server for so long.
fn read(host: &str, time: Duration) -> JoinHandle<anyhow::Result<Arrivals>> {
    let host = host.to_owned();
    tokio::spawn(async move {
        let mut follower = Follower::new(&host, "*", None);
        follower.switch(Transport::WebSocket).await?;
        let (end, mut arrivals) = (Instant::now() + time, Arrivals::new());
        while Instant::now() < end {
            for message in follower.next().await? {
                let now = Instant::now();
                if let ServerMessage::Ticks { ticks, .. } = message {
                    arrivals.extend(ticks.iter().map(|tick| (tick.seq(), now)));
                }
            }
        }
        Ok(arrivals)
    })
}

/// How much later entries arrived from the second server, in ms: half of them and 99 %.
async fn delays(from: &str, to: &str, time: Duration) -> anyhow::Result<(f64, f64)> {
    sleep(WARM_UP).await;
    let (first, second) = (read(from, time), read(to, time));
    let (first, second) = (first.await??, second.await??);
    let later = |(seq, at): (&u64, &Instant)| {
        let before = first.get(seq)?;
        // The reader of the second may be woken first.
        let late = at.saturating_duration_since(*before).as_secs_f64();
        let early = before.saturating_duration_since(*at).as_secs_f64();
        Some(1_000.0 * (late - early))
    };
    let mut delays: Vec<f64> = second.iter().filter_map(later).collect();
    ensure!(!delays.is_empty(), "no entry came over both");
    delays.sort_by(f64::total_cmp);
    let share = |share: f64| delays[((delays.len() - 1) as f64 * share) as usize];
    Ok((share(0.5), share(0.99)))
}

fn say(what: &str, (half, most): (f64, f64)) {
    println!("{what}: half of the prices {half:.2} ms later, 99 % within {most:.2} ms");
}

/// Which of these leads.
async fn leader(servers: &[Server]) -> anyhow::Result<usize> {
    let end = Instant::now() + PATIENCE;
    loop {
        for (at, server) in servers.iter().enumerate() {
            if server.leads().await {
                return Ok(at);
            }
        }
        ensure!(Instant::now() < end, "nobody leads");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { seconds, kills } = Arguments::parse();
    let time = Duration::from_secs(seconds);
    let market = Server::of_market(&[]).await?;
    let feed = format!("tickwire:ws://{}/ws", market.host);
    let relay = Server::start(&["--feed", &feed]).await?;
    say("a relay", delays(&market.host, &relay.host, time).await?);
    drop((market, relay));
    for copies in [1, 3] {
        let nats = Nats::start(copies).await?;
        let log = nats.log();
        let mut servers = Vec::new();
        for _ in 0..2 {
            servers.push(Server::of_market(&["--log", &log]).await?);
        }
        let leads = leader(&servers).await?;
        let hop = delays(&servers[leads].host, &servers[1 - leads].host, time).await?;
        let what = format!("from the leader, with {copies} NATS");
        say(&what, hop);
        if copies == 1 {
            failover(servers, &log, kills).await?;
        }
    }
    Ok(())
}

/// Kills the leader again and again, and measures until the next price of another one.
async fn failover(mut servers: Vec<Server>, log: &str, kills: usize) -> anyhow::Result<()> {
    let mut pauses = Vec::new();
    for _ in 0..kills {
        let leads = leader(&servers).await?;
        let mut killed = servers.remove(leads);
        let mut follower = Follower::new(&servers[0].host, "*", None);
        follower.switch(Transport::WebSocket).await?;
        sleep(WARM_UP).await;
        killed.child.kill().await?;
        let begun = Instant::now();
        // What was on its way still comes.
        let mut last = Instant::now();
        let pause = loop {
            let next = timeout(PATIENCE, follower.next()).await;
            let messages = next.context("no price came")??;
            let is_price = |message: &ServerMessage| matches!(message, ServerMessage::Ticks { .. });
            if !messages.iter().any(is_price) {
                continue;
            }
            if last.elapsed() > Duration::from_millis(500) {
                break begun.elapsed().as_secs_f64();
            }
            last = Instant::now();
        };
        pauses.push(pause);
        servers.push(Server::of_market(&["--log", log]).await?);
    }
    pauses.sort_by(f64::total_cmp);
    println!(
        "a leader is killed: the next price comes after {:.1} s (median of {kills}; {:.1} to {:.1})",
        pauses[pauses.len() / 2],
        pauses[0],
        pauses[pauses.len() - 1],
    );
    Ok(())
}
