//! Many clients of one transport, and their combined measurements.

use std::time::Duration;

use client::{Follower, Traffic};
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use shared::{Channel, ServerMessage, Transport};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout_at};

use crate::Crowd;
use crate::look::{Clock, spent};

/// The longest age that is recorded: ten minutes, in µs. Longer ages count as
/// this one.
const AGE_MAX_US: u64 = 600_000_000;
const REFRESH: Duration = Duration::from_millis(200);

/// The combined measurements of all clients of one transport.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    pub(crate) transport: &'static str,
    pub(crate) encoding: &'static str,
    pub(crate) clients: u32,
    pub(crate) seconds: f64,
    pub(crate) ticks: u64,
    pub(crate) messages: u64,
    pub(crate) requests: u64,
    pub(crate) answers: u64,
    pub(crate) empty_answers: u64,
    /// Bytes of the messages alone.
    pub(crate) payload_bytes: u64,
    /// Bytes received above TCP, with HTTP headers and framing.
    pub(crate) down_bytes: u64,
    pub(crate) up_bytes: u64,
    /// Age of ticks when they arrived, by the server's clock; `None` without
    /// ticks.
    pub(crate) age_p50_ms: Option<f64>,
    pub(crate) age_p95_ms: Option<f64>,
    pub(crate) age_p99_ms: Option<f64>,
    pub(crate) age_max_ms: Option<f64>,
    /// The server's processor time, for all its clients of this transport.
    pub(crate) cpu_us: u64,
    /// The number of ticks that this time was spent on.
    pub(crate) cpu_ticks: u64,
    pub(crate) missed: u64,
    pub(crate) repeated: u64,
    /// Ticks that the server left out, because only the newest were asked for.
    pub(crate) skipped: u64,
    /// Clients that were lost before the end.
    pub(crate) lost: u32,
}

/// The measurements of one client.
struct Seen {
    age_us: Histogram<u64>,
    ticks: u64,
    messages: u64,
    missed: u64,
    repeated: u64,
    skipped: u64,
    traffic: Traffic,
    /// Why the client was lost, if it was.
    fault: Option<anyhow::Error>,
}

impl Seen {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            age_us: Histogram::new_with_bounds(1, AGE_MAX_US, 3)?,
            ticks: 0,
            messages: 0,
            missed: 0,
            repeated: 0,
            skipped: 0,
            traffic: Traffic::default(),
            fault: None,
        })
    }

    fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.age_us.add(&other.age_us)?;
        self.ticks += other.ticks;
        self.messages += other.messages;
        self.missed += other.missed;
        self.repeated += other.repeated;
        self.skipped += other.skipped;
        self.traffic.add(&other.traffic);
        Ok(())
    }
}

/// Runs all clients over one transport.
pub(crate) async fn run(transport: Transport, crowd: &Crowd) -> anyhow::Result<Outcome> {
    let clock = Clock::measure(&crowd.host).await?;
    let channel = Channel::new(transport, crowd.encoding);
    let before = spent(&crowd.host, channel).await?;
    let begun = Instant::now();
    let end = begun + crowd.duration;
    let mut clients = JoinSet::new();
    for _ in 0..crowd.clients {
        let follower = Follower::new(&crowd.host, &crowd.symbols, None)
            .interval(crowd.interval)
            .format(channel.format)
            .pace(crowd.pace());
        clients.spawn(read(follower, transport, clock, end));
    }
    let progress = tokio::spawn(show(transport, begun, crowd.duration));
    let mut all = Seen::new()?;
    let mut lost = 0;
    while let Some(seen) = clients.join_next().await {
        let seen = seen??;
        all.add(&seen)?;
        if let Some(fault) = seen.fault {
            lost += 1;
            if lost == 1 {
                eprintln!("{}: a client was lost: {fault:#}", transport.key());
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    progress.abort();
    let after = spent(&crowd.host, channel).await?;
    let age_ms = |quantile| {
        let us = all.age_us.value_at_quantile(quantile) as f64;
        (!all.age_us.is_empty()).then_some(us / 1e3)
    };
    Ok(Outcome {
        transport: transport.key(),
        encoding: channel.format.key(),
        clients: crowd.clients,
        seconds,
        ticks: all.ticks,
        messages: all.messages,
        requests: all.traffic.requests,
        answers: all.traffic.answers,
        empty_answers: all.traffic.empty,
        payload_bytes: all.traffic.payload,
        down_bytes: all.traffic.down,
        up_bytes: all.traffic.up,
        age_p50_ms: age_ms(0.5),
        age_p95_ms: age_ms(0.95),
        age_p99_ms: age_ms(0.99),
        age_max_ms: age_ms(1.0),
        cpu_us: after.cpu_us.saturating_sub(before.cpu_us),
        cpu_ticks: after.ticks.saturating_sub(before.ticks),
        missed: all.missed,
        skipped: all.skipped,
        repeated: all.repeated,
        lost,
    })
}

/// Shows a progress bar on standard error, if that is a terminal.
async fn show(transport: Transport, begun: Instant, whole: Duration) {
    let bar = ProgressBar::new(u64::try_from(whole.as_millis()).unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("{msg:10} {wide_bar} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(transport.key());
    let mut ticks = interval(REFRESH);
    loop {
        ticks.tick().await;
        bar.set_position(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
    }
}

async fn read(
    mut follower: Follower,
    transport: Transport,
    clock: Clock,
    end: Instant,
) -> anyhow::Result<Seen> {
    let mut seen = Seen::new()?;
    let fault = follow(&mut follower, transport, clock, end, &mut seen).await;
    seen.fault = fault.err();
    seen.missed = follower.chain().missed();
    seen.repeated = follower.chain().repeated();
    seen.skipped = follower.chain().skipped();
    seen.traffic = follower.traffic();
    Ok(seen)
}

async fn follow(
    follower: &mut Follower,
    transport: Transport,
    clock: Clock,
    end: Instant,
    seen: &mut Seen,
) -> anyhow::Result<()> {
    follower.switch(transport).await?;
    while let Ok(messages) = timeout_at(end, follower.next()).await {
        let now = clock.now();
        for message in messages? {
            seen.messages += 1;
            if let ServerMessage::Ticks { ticks, .. } = message {
                seen.ticks += ticks.len() as u64;
                for tick in ticks {
                    let age_us = (now - tick.at()).micros().max(1).unsigned_abs();
                    seen.age_us.saturating_record(age_us);
                }
            }
        }
    }
    Ok(())
}
