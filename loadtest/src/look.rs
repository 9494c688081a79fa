//! What the server reports about itself: its clock, and its costs so far.

use std::time::Instant;

use anyhow::Context as _;
use shared::{Channel, ClockOffset, StatsAnswer, Time, TimeAnswer, TransportStats, routes};

/// How often the clock is asked; the quickest exchange counts.
const EXCHANGES: usize = 8;

/// The offset of the server's clock from this machine's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// The moment from which this machine's time is counted.
    begun: Instant,
    offset_ms: f64,
}

impl Clock {
    /// Measures the offset by asking the server.
    pub(crate) async fn measure(host: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::new();
        let url = format!("http://{host}/{}", routes::TIME);
        let begun = Instant::now();
        let now_ms = || begun.elapsed().as_secs_f64() * 1e3;
        let mut offset = ClockOffset::default();
        for _ in 0..EXCHANGES {
            let sent_ms = now_ms();
            let answer = http.get(&url).send().await;
            let answer = answer.with_context(|| format!("no server at {host}"))?;
            let received_ms = now_ms();
            let answer: TimeAnswer = answer.json().await?;
            offset.observe(sent_ms, received_ms, answer.server_time.millis());
        }
        let offset_ms = offset.ms().context("no exchange")?;
        Ok(Self { begun, offset_ms })
    }

    /// The time on the server's clock.
    pub(crate) fn now(self) -> Time {
        let now_ms = self.begun.elapsed().as_secs_f64() * 1e3;
        Time::from_millis(now_ms + self.offset_ms)
    }
}

/// What a transport has cost the server so far.
pub(crate) async fn spent(host: &str, channel: Channel) -> anyhow::Result<TransportStats> {
    let url = format!("http://{host}/{}", routes::STATS);
    let stats: StatsAnswer = reqwest::get(url).await?.json().await?;
    let own = stats.of(channel).cloned();
    own.with_context(|| format!("/{} has no '{}'", routes::STATS, channel.label()))
}
