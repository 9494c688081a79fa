use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context as _, bail};
use eventsource_stream::{Event, EventStreamError, Eventsource as _};
use futures_util::{Stream, StreamExt as _};
use shared::{ApiError, ServerMessage, TicksAnswer};
use tokio::time::{Instant, sleep_until};

type EventStream = dyn Stream<Item = Result<Event, EventStreamError<reqwest::Error>>> + Send;

/// An open stream of server-sent events.
pub(super) struct Events(Pin<Box<EventStream>>);

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

impl Events {
    pub(super) async fn open(http: &reqwest::Client, url: &str) -> anyhow::Result<Self> {
        let response = checked(http.get(url).send().await?).await?;
        Ok(Self(Box::pin(response.bytes_stream().eventsource())))
    }

    pub(super) async fn next(&mut self, bytes: &mut u64) -> anyhow::Result<ServerMessage> {
        let event = self.0.next().await.context("the event stream ended")??;
        *bytes += event.data.len() as u64;
        Ok(serde_json::from_str(&event.data)?)
    }
}

/// Requests one after the other.
#[derive(Debug)]
pub(super) struct Polls {
    next: Instant,
    interval: Duration,
    /// How long the server may keep a request, in ms.
    wait_ms: u32,
    limit: u32,
}

impl Polls {
    pub(super) fn new(interval: Duration, wait_ms: u32, limit: u32) -> Self {
        Self {
            next: Instant::now(),
            interval,
            wait_ms,
            limit,
        }
    }

    pub(super) async fn ask(
        &mut self,
        http: &reqwest::Client,
        url: &str,
        bytes: &mut u64,
    ) -> anyhow::Result<TicksAnswer> {
        sleep_until(self.next).await;
        self.next = Instant::now() + self.interval;
        let url = format!("{url}&wait_ms={}&limit={}", self.wait_ms, self.limit);
        let body = checked(http.get(url).send().await?).await?.bytes().await?;
        *bytes += body.len() as u64;
        Ok(serde_json::from_slice(&body)?)
    }
}

async fn checked(response: reqwest::Response) -> anyhow::Result<reqwest::Response> {
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    match response.json::<ApiError>().await {
        Ok(error) => bail!("{status}: {}", error.message),
        Err(_) => bail!("{status}"),
    }
}
