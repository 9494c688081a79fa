use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use eventsource_stream::{Event, EventStreamError, Eventsource as _};
use futures_util::{Stream, StreamExt as _};
use reqwest::header::ACCEPT;
use shared::binary::Instruments;
use shared::{ApiError, ServerMessage, TicksAnswer, WireFormat};
use tokio::time::{Instant, sleep_until};

use super::Traffic;

/// About how many bytes surround the three chunks of an event: the digits of
/// their lengths and the line ends (RFC 9112, section 7.1).
const CHUNKS_BYTES: u64 = 18;

type EventStream = dyn Stream<Item = Result<Event, EventStreamError<reqwest::Error>>> + Send;

/// An open stream of server-sent events.
pub(super) struct Events {
    events: Pin<Box<EventStream>>,
    /// Bytes of the stream that were received.
    raw: Arc<AtomicU64>,
    /// Bytes of the stream that were counted.
    counted: u64,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

impl Events {
    pub(super) async fn open(
        http: &reqwest::Client,
        url: &str,
        traffic: &mut Traffic,
    ) -> anyhow::Result<Self> {
        let response = checked(http.get(url).send().await?).await?;
        traffic.exchanged(response.url(), "*/*", response.headers());
        let raw = Arc::new(AtomicU64::new(0));
        let counting = Arc::clone(&raw);
        let stream = response.bytes_stream().inspect(move |chunk| {
            if let Ok(chunk) = chunk {
                counting.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            }
        });
        Ok(Self {
            events: Box::pin(stream.eventsource()),
            raw,
            counted: 0,
        })
    }

    pub(super) async fn next(&mut self, traffic: &mut Traffic) -> anyhow::Result<ServerMessage> {
        let event = self
            .events
            .next()
            .await
            .context("the event stream ended")??;
        traffic.payload += event.data.len() as u64;
        let raw = self.raw.load(Ordering::Relaxed);
        traffic.down += raw - self.counted + CHUNKS_BYTES;
        self.counted = raw;
        Ok(serde_json::from_str(&event.data)?)
    }
}

/// Sends requests one after the other.
#[derive(Debug)]
pub(super) struct Polls {
    next: Instant,
    interval: Duration,
    /// How long the server may hold a request, in ms.
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
        request: reqwest::RequestBuilder,
        format: WireFormat,
        instruments: &mut Instruments,
        traffic: &mut Traffic,
    ) -> anyhow::Result<TicksAnswer> {
        sleep_until(self.next).await;
        self.next = Instant::now() + self.interval;
        let own = [("wait_ms", self.wait_ms), ("limit", self.limit)];
        let request = request.query(&own).header(ACCEPT, format.media_type());
        let response = checked(request.send().await?).await?;
        traffic.exchanged(response.url(), format.media_type(), response.headers());
        let body = response.bytes().await?;
        traffic.payload += body.len() as u64;
        traffic.down += body.len() as u64;
        let answer = match format {
            WireFormat::Json => serde_json::from_slice(&body)?,
            WireFormat::Binary => instruments.read_answer(&body)?,
        };
        traffic.answers += 1;
        traffic.empty += u64::from(answer.events.is_empty());
        Ok(answer)
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
