//! What the server tells: its clock, and what it has spent.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use loadtest::Transport;
use serde::Deserialize;
use shared::{ServerMessage, TicksAnswer};

/// How often the clock is asked; the exchange that took least time counts.
const EXCHANGES: usize = 8;

/// What to add to this machine's clock to get the server's, in µs, and how long
/// the quickest exchange took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    offset_us: i64,
    pub(crate) round_trip_us: i64,
}

impl Clock {
    /// Asks the server (RFC 5905, section 8).
    pub(crate) async fn measure(host: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::new();
        let url = format!("http://{host}/api/ticks?limit=1");
        let mut best: Option<Self> = None;
        for _ in 0..EXCHANGES {
            let (sent_us, begun) = (now_us()?, Instant::now());
            let answer = http.get(&url).send().await;
            let answer = answer.with_context(|| format!("no server at {host}"))?;
            let round_trip_us = i64::try_from(begun.elapsed().as_micros())?;
            let answer: TicksAnswer = answer.json().await?;
            if let Some(ServerMessage::Hello { server_time, .. }) = answer.events.first()
                && best.is_none_or(|best| round_trip_us < best.round_trip_us)
            {
                best = Some(Self {
                    offset_us: server_time - (sent_us + round_trip_us / 2),
                    round_trip_us,
                });
            }
        }
        best.with_context(|| format!("{host} does not greet"))
    }

    /// The server's clock, in µs since the epoch.
    pub(crate) fn now_us(self) -> anyhow::Result<i64> {
        Ok(now_us()? + self.offset_us)
    }
}

fn now_us() -> anyhow::Result<i64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(i64::try_from(now.as_micros())?)
}

/// What a transport has cost the server so far.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Spent {
    pub(crate) ticks: u64,
    pub(crate) cpu_us: u64,
}

impl Spent {
    /// Asks the server.
    pub(crate) async fn so_far(host: &str, transport: Transport) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Stats {
            transports: Vec<serde_json::Value>,
        }
        let url = format!("http://{host}/api/stats");
        let stats: Stats = reqwest::get(url).await?.json().await?;
        let name = transport.key();
        let own = stats.transports.into_iter();
        let own = own.into_iter().find(|own| own["transport"] == name);
        let own = own.with_context(|| format!("/api/stats has no '{name}'"))?;
        Ok(serde_json::from_value(own)?)
    }
}
