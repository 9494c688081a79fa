//! What following an exchange costs: processor time and memory of a server that
//! follows a mock venue with many symbols, and gets every trade.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use clap::Parser;
use loadtest::machine::{beside, listening, peak_of};
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use shared::{SnapshotAnswer, Time};
use testkit::{Deal, MockVenue, Protocol, Truth};
use tokio::process::{Child, Command};
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// How far back the trades of each symbol go, in hours.
const PAST_HOURS: i64 = 2;
/// If nothing comes for so long, all is there.
const SETTLE: Duration = Duration::from_millis(300);
/// If more trades wait for a missing one, some are kept back at the venue: this is more
/// than what a server and the sockets between the two hold.
const KEPT_BACK_ABOVE: u64 = 300_000;
/// A flood takes less memory than this.
const FLOOD_MB_MAX: u64 = 400;
/// Trades are sent so often.
const PERIOD: Duration = Duration::from_millis(10);

#[derive(Parser)]
struct Arguments {
    /// How many symbols are followed
    #[arg(long, default_value_t = 200)]
    symbols: usize,
    /// How many trades a second there are, each with a quote
    #[arg(long, default_value_t = 5_000)]
    rate: u64,
    /// For how long it is measured, in seconds
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// How many trades there are in a flood
    #[arg(long, default_value_t = 400_000)]
    flood: u64,
}

fn now() -> Time {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Time::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// A server that follows a mock venue.
struct Bench {
    venue: MockVenue,
    bases: Vec<String>,
    server: Child,
    host: String,
    random: SmallRng,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments {
        symbols,
        rate,
        seconds,
        flood,
    } = Arguments::parse();
    let mut bench = Bench::start(symbols).await?;
    bench.trade(rate, seconds).await?;
    bench.flood(flood).await?;
    bench.server.kill().await?;
    Ok(())
}

impl Bench {
    /// Starts both, and waits until each symbol has its past.
    async fn start(symbols: usize) -> anyhow::Result<Self> {
        let bases: Vec<_> = (0..symbols).map(|index| format!("C{index:03}")).collect();
        let names: Vec<_> = bases.iter().map(String::as_str).collect();
        let mut random = SmallRng::seed_from_u64(1);
        let truth = Truth::with_past(&names, PAST_HOURS, now(), &mut random);
        let venue = MockVenue::start(Protocol::Binance, truth).await?;
        let wanted: Vec<_> = names
            .iter()
            .map(|base| Protocol::Binance.symbol(base))
            .collect();
        let mut command = Command::new(beside("tickwire", "build the server")?);
        command
            .args(venue.arguments())
            .args(["--symbols", &wanted.join(","), "--store", "none"])
            .args(["--listen", "127.0.0.1:0"]);
        let begun = Instant::now();
        let (server, host) = listening(command).await?;
        while venue.listeners(names[symbols - 1]) == 0 {
            sleep(PERIOD).await;
        }
        while with_past(&host).await? < symbols {
            sleep(Duration::from_millis(200)).await;
        }
        let past = begun.elapsed().as_secs_f64();
        println!("{symbols} symbols: each has its past after {past:.1} s");
        Ok(Self {
            venue,
            bases,
            server,
            host,
            random,
        })
    }

    /// Trades at an even rate.
    async fn trade(&mut self, rate: u64, seconds: u64) -> anyhow::Result<()> {
        let before = measured(&self.host).await?;
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (from, sent) = (Instant::now(), rate * seconds);
        let batch = rate * PERIOD.as_millis() as u64 / 1_000;
        for _ in 0..sent / batch.max(1) {
            ticks.tick().await;
            for _ in 0..batch.max(1) {
                let base = &self.bases[self.random.random_range(0..self.bases.len())];
                self.venue.trade(base, Deal::at(now(), &mut self.random));
            }
        }
        let elapsed = from.elapsed().as_secs_f64();
        // Each trade is an entry of the log, and its quote is if it is another than
        // before.
        let (taken, entries) = until_taken(&self.host, before, sent as f64).await?;
        self.check_none_missed().await?;
        println!(
            "{sent} trades and {} quotes in {elapsed:.1} s: {:.1} % of a core, {:.1} µs a trade, \
             {} MB at most, none missed",
            entries - sent as f64,
            100.0 * taken / elapsed,
            1e6 * taken / sent as f64,
            self.peak_mb()?,
        );
        Ok(())
    }

    /// Trades as fast as it goes, while one trade is missing and cannot be asked for:
    /// all others have to wait for it.
    async fn flood(&mut self, trades: u64) -> anyhow::Result<()> {
        let (_, before) = measured(&self.host).await?;
        let base = &self.bases[0];
        self.venue.fail(|faults| faults.hides_trades = true);
        self.venue.happen(base, Deal::at(now(), &mut self.random));
        for sent in 0..trades {
            self.venue.trade(base, Deal::at(now(), &mut self.random));
            if sent % 1_000 == 0 {
                yield_now().await;
            }
        }
        let mut left = self.venue.unsent();
        loop {
            sleep(SETTLE).await;
            let now = self.venue.unsent();
            if now == left {
                break;
            }
            left = now;
        }
        let peak_mb = self.peak_mb()?;
        ensure!(
            trades < KEPT_BACK_ABOVE || left > 0,
            "the venue was not slowed down"
        );
        ensure!(peak_mb < FLOOD_MB_MAX, "{peak_mb} MB");
        self.venue.fail(|faults| faults.hides_trades = false);
        until_taken(&self.host, (0.0, before), (trades + 1) as f64).await?;
        self.check_none_missed().await?;
        println!(
            "a flood of {trades} trades that wait for a missing one: {left} kept back at the \
             venue, {peak_mb} MB at most, none missed"
        );
        Ok(())
    }

    async fn check_none_missed(&self) -> anyhow::Result<()> {
        let metrics = metrics(&self.host).await?;
        let missed = value(&metrics, "tickwire_venue_missed_total{venue=\"binance\"}")?;
        ensure!(missed == 0.0, "{missed} trades were missed");
        Ok(())
    }

    fn peak_mb(&self) -> anyhow::Result<u64> {
        let pid = self.server.id().context("the server ended")?;
        Ok(peak_of(pid)? / 1_000_000)
    }
}

/// How many symbols have their past.
async fn with_past(host: &str) -> anyhow::Result<usize> {
    let answer = reqwest::get(format!("http://{host}/api/snapshot")).await?;
    let answer: SnapshotAnswer = answer.json().await?;
    let known = answer.symbols.iter().filter(|state| state.last.is_some());
    Ok(known.count())
}

/// Waits until the log has so many new entries at least, and gets no more; returns the
/// processor time since, and how many entries there are.
async fn until_taken(
    host: &str,
    (cpu, head): (f64, f64),
    least: f64,
) -> anyhow::Result<(f64, f64)> {
    let end = Instant::now() + Duration::from_secs(60);
    let mut before = 0.0;
    loop {
        let (cpu_now, head_now) = measured(host).await?;
        let entries = head_now - head;
        if entries >= least && entries == before {
            return Ok((cpu_now - cpu, entries));
        }
        before = entries;
        ensure!(Instant::now() < end, "{entries} entries for {least}");
        sleep(SETTLE).await;
    }
}

async fn metrics(host: &str) -> anyhow::Result<String> {
    Ok(reqwest::get(format!("http://{host}/metrics"))
        .await?
        .text()
        .await?)
}

/// The server's processor time in seconds, and the newest entry of its log.
async fn measured(host: &str) -> anyhow::Result<(f64, f64)> {
    let metrics = metrics(host).await?;
    let cpu = value(&metrics, "tickwire_process_cpu_seconds_total")?;
    Ok((cpu, value(&metrics, "tickwire_log_head")?))
}

fn value(metrics: &str, name: &str) -> anyhow::Result<f64> {
    let mut lines = metrics.lines();
    let found = lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    found.with_context(|| format!("no {name}"))
}
