//! How many bytes the heads of requests and answers have, which a browser does
//! not tell a page. The server tells what arrived.

use futures_util::StreamExt;
use gloo_net::http::Request;
use gloo_net::websocket::{Message, futures::WebSocket};
use shared::{Echo, WireFormat, routes};

use crate::client::{http, within};

/// The sizes of heads, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heads {
    /// A request, without its path.
    request: usize,
    /// An answer to a poll, without the digits of its length.
    answer: usize,
    /// The request and the answer of a WebSocket's handshake, the former
    /// without its path.
    handshake: (usize, usize),
}

/// An upgrade that is swallowed is never answered.
const PATIENCE_MS: u32 = 5_000;
/// The answer to a handshake, where the server does not tell.
const HANDSHAKE_ANSWER: usize = 166;
/// An event stream's request says `Accept: text/event-stream` and
/// `Cache-Control: no-cache` and `Pragma: no-cache`, where a poll's says
/// `Accept: */*`.
const STREAM_REQUEST_MORE: usize = 57;
/// Its answer has `transfer-encoding: chunked` and `x-accel-buffering: no`
/// instead of a length, and `text/event-stream` instead of `application/json`.
const STREAM_ANSWER_MORE: usize = 38;

impl Heads {
    /// Asks the server.
    pub(super) async fn measure() -> Option<Self> {
        let body = http::get(routes::ECHO, 5_000).await.ok()?;
        let echo: Echo = shared::from_json(&body).ok()?;
        let request = echo
            .request
            .len()
            .saturating_sub("/".len() + routes::ECHO.len());
        let handshake = handshake().await.unwrap_or((request, HANDSHAKE_ANSWER));
        Some(Self {
            request,
            answer: answer().await?,
            handshake,
        })
    }

    /// Bytes up and down of a poll for a path, its answer's body having so many
    /// bytes in this encoding.
    pub(super) fn poll(&self, path: usize, body: f64, format: WireFormat) -> (f64, f64) {
        let digits = body.max(1.0).log10().floor() + 1.0;
        let name = |format: WireFormat| format.media_type().len();
        let answer = self.answer + name(format) - name(WireFormat::Json);
        ((self.request + path) as f64, answer as f64 + digits)
    }

    /// The same of an event stream.
    pub(super) fn stream(&self, path: usize) -> (f64, f64) {
        let up = self.request + path + STREAM_REQUEST_MORE;
        (up as f64, (self.answer + STREAM_ANSWER_MORE) as f64)
    }

    /// The same of a WebSocket's handshake.
    pub(super) fn socket(&self, path: usize) -> (f64, f64) {
        let (up, down) = self.handshake;
        ((up + path) as f64, down as f64)
    }
}

/// The head of an answer, as its headers say.
async fn answer() -> Option<usize> {
    let response = Request::get(&format!("{}?limit=1", routes::TICKS))
        .send()
        .await
        .ok()?;
    let mut size = "HTTP/1.1 200 OK\r\n\r\n".len();
    for (name, value) in response.headers().entries() {
        let digits = if name == "content-length" {
            value.len()
        } else {
            0
        };
        size += name.len() + value.len() + ": \r\n".len() - digits;
    }
    Some(size)
}

/// The heads of a handshake, which the server tells in the first frame.
pub(crate) async fn handshake_heads() -> Option<Echo> {
    let url = http::websocket_url(routes::WS_ECHO).ok()?;
    let mut socket = WebSocket::open(&url).ok()?;
    match within(PATIENCE_MS, socket.next()).await.flatten()? {
        Ok(Message::Text(text)) => shared::from_json(text.as_bytes()).ok(),
        _ => None,
    }
}

async fn handshake() -> Option<(usize, usize)> {
    let echo = handshake_heads().await?;
    Some((
        echo.request
            .len()
            .saturating_sub("/".len() + routes::WS_ECHO.len()),
        echo.answer?.len(),
    ))
}
