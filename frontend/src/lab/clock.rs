//! The offset of the server's clock from this page's monotonic clock.

use futures_util::{SinkExt, StreamExt};
use gloo_net::websocket::{Message, futures::WebSocket};
use gloo_timers::future::TimeoutFuture;
use shared::{ClientCommand, ClockOffset, ServerMessage, Time, routes};

use crate::client::{api, http};
use crate::clock::now_ms;

/// How often the server is asked; the quickest exchange counts.
const PINGS: u64 = 8;
const PAUSE_MS: u32 = 30;
/// After this time without an answer over a WebSocket, requests are used.
const PATIENCE_MS: u32 = 5_000;

/// Measures the offset with `ping` commands over a WebSocket of its own, or,
/// where that does not get through, with requests. `None` if the server does
/// not answer.
///
/// It uses the page's monotonic clock, so the computer's time of day does
/// not matter, and may be set while the page measures.
pub(super) async fn measure() -> Option<Offset> {
    let measured = match http::within(PATIENCE_MS, by_pings()).await.flatten() {
        Some(measured) => measured,
        None => by_requests().await?,
    };
    Some(Offset {
        ms: measured.ms()?,
        round_trip_ms: measured.round_trip_ms()?,
    })
}

/// What to add to the page's monotonic clock to get the server's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offset {
    pub(super) ms: f64,
    /// The offset is wrong by half of this at most.
    pub(super) round_trip_ms: f64,
}

async fn by_pings() -> Option<ClockOffset> {
    let url = http::websocket_url(routes::WS)?;
    let mut socket = WebSocket::open(&url).ok()?;
    let mut offset = ClockOffset::default();
    // The greeting shows that the connection is open.
    socket.next().await?.ok()?;
    for req in 0..PINGS {
        let sent_ms = now_ms();
        let ping = ClientCommand::Ping {
            req: Some(req),
            client_time: Time::from_millis(sent_ms),
        };
        let ping = serde_json::to_string(&ping).ok()?;
        socket.send(Message::Text(ping)).await.ok()?;
        loop {
            let Message::Text(text) = socket.next().await?.ok()? else {
                continue;
            };
            let received_ms = now_ms();
            let pong = serde_json::from_str(&text).ok()?;
            if let ServerMessage::Pong { server_time, .. } = pong {
                offset.observe(sent_ms, received_ms, server_time.millis());
                break;
            }
        }
        TimeoutFuture::new(PAUSE_MS).await;
    }
    Some(offset)
}

async fn by_requests() -> Option<ClockOffset> {
    let mut offset = ClockOffset::default();
    for _ in 0..PINGS {
        let sent_ms = now_ms();
        let server_time = api::time().await.ok()?;
        offset.observe(sent_ms, now_ms(), server_time.millis());
        TimeoutFuture::new(PAUSE_MS).await;
    }
    Some(offset)
}
