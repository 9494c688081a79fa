//! How far this page's monotonic clock is from the server's.

use futures_util::{SinkExt, StreamExt};
use gloo_net::websocket::{Message, futures::WebSocket};
use gloo_timers::future::TimeoutFuture;
use shared::{ClientCommand, ClockOffset, ServerMessage, Time, TimeAnswer, routes};

use crate::client::{http, now_ms, within};

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
pub(super) async fn measure() -> Option<Offset> {
    let measured = match within(PATIENCE_MS, by_pings()).await.flatten() {
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
    /// It is off by half of this at most.
    pub(super) round_trip_ms: f64,
}

async fn by_pings() -> Option<ClockOffset> {
    let url = http::websocket_url(routes::WS).ok()?;
    let mut socket = WebSocket::open(&url).ok()?;
    let mut offset = ClockOffset::default();
    // The greeting says that it is open.
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
            let pong = shared::from_json(text.as_bytes()).ok()?;
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
        let body = http::get(routes::TIME, 5_000).await.ok()?;
        let received_ms = now_ms();
        let TimeAnswer { server_time } = serde_json::from_slice(&body).ok()?;
        offset.observe(sent_ms, received_ms, server_time.millis());
        TimeoutFuture::new(PAUSE_MS).await;
    }
    Some(offset)
}
