//! How far this page's monotonic clock is from the server's.

use futures_util::{SinkExt, StreamExt};
use gloo_net::websocket::{Message, futures::WebSocket};
use gloo_timers::future::TimeoutFuture;
use shared::{ClientCommand, Micros, ServerMessage, TicksAnswer};

use crate::client::{ClockOffset, http, now_ms, within};

/// How often the server is asked; the exchange that took least time counts.
const PINGS: u64 = 8;
const PAUSE_MS: u32 = 30;
/// What a WebSocket does not bring in this time, requests are to bring.
const PATIENCE_MS: u32 = 5_000;

/// Asks the server, by `ping` over a WebSocket of its own, or where that does
/// not get through, by requests. `None` if it says nothing.
///
/// The page's monotonic clock is compared, so what the computer takes for the
/// time of day does not matter, and may be set while the page measures.
pub(super) async fn measure() -> Option<ClockOffset> {
    match within(PATIENCE_MS, by_pings()).await.flatten() {
        Some(offset) => Some(offset),
        None => by_requests().await,
    }
}

async fn by_pings() -> Option<ClockOffset> {
    let url = http::websocket_origin().ok()? + "/ws";
    let mut socket = WebSocket::open(&url).ok()?;
    let mut offset = ClockOffset::default();
    // The greeting says that it is open.
    socket.next().await?.ok()?;
    for req in 0..PINGS {
        let sent_ms = now_ms();
        let ping = ClientCommand::Ping {
            req: Some(req),
            client_time: (sent_ms * 1e3) as Micros,
        };
        let ping = serde_json::to_string(&ping).ok()?;
        socket.send(Message::Text(ping)).await.ok()?;
        loop {
            let Message::Text(text) = socket.next().await?.ok()? else {
                continue;
            };
            let received_ms = now_ms();
            let pong = shared::from_json(text.as_bytes()).ok()?;
            if let ServerMessage::Pong { server_time, .. } = pong {
                offset.observe(sent_ms, received_ms, server_time as f64 / 1e3);
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
        // A first poll begins with the server's greeting.
        let body = http::get("/api/ticks?limit=1", 5_000).await.ok()?;
        let received_ms = now_ms();
        let answer: TicksAnswer = shared::from_json(&body).ok()?;
        if let Some(ServerMessage::Hello { server_time, .. }) = answer.events.first() {
            offset.observe(sent_ms, received_ms, *server_time as f64 / 1e3);
        }
        TimeoutFuture::new(PAUSE_MS).await;
    }
    offset.round_trip_ms().map(|_| offset)
}
