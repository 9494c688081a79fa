//! The sizes of the heads of requests and answers, which a browser does not
//! show to a page. The server reports what it received.

use futures_util::StreamExt;
use gloo_net::websocket::{Message, futures::WebSocket};
use shared::{Echo, WireFormat, routes};

use crate::client::{api, http};

/// Sizes of heads, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heads {
    /// A request's head, without its path.
    request: usize,
    /// The head of an answer to a poll, without the digits of its content
    /// length.
    answer: usize,
    /// The heads of the request and of the answer of a WebSocket handshake; the
    /// request's without its path.
    handshake: (usize, usize),
}

/// How long to wait for a handshake. One that a proxy swallows is never
/// answered.
const PATIENCE_MS: u32 = 5_000;
/// The head of the answer to a handshake, where the server cannot report it.
const HANDSHAKE_ANSWER: usize = 166;
/// How much longer the head of an event stream's request is: it has
/// `Accept: text/event-stream`, `Cache-Control: no-cache` and
/// `Pragma: no-cache`, where a poll's has `Accept: */*`.
const STREAM_REQUEST_MORE: usize = 57;
/// How much longer the head of its answer is: it has
/// `transfer-encoding: chunked` and `x-accel-buffering: no` instead of a
/// length, and `text/event-stream` instead of `application/json`.
const STREAM_ANSWER_MORE: usize = 38;

impl Heads {
    /// Measures the sizes by asking the server.
    pub(super) async fn measure() -> Option<Self> {
        let echo = api::echo().await.ok()?;
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

    /// The bytes up and down of the heads of a poll. `path` is the length of
    /// its path, `body` that of the answer's body in this encoding.
    pub(super) fn poll(&self, path: usize, body: f64, format: WireFormat) -> (f64, f64) {
        let digits = body.max(1.0).log10().floor() + 1.0;
        let name = |format: WireFormat| format.media_type().len();
        let answer = self.answer + name(format) - name(WireFormat::Json);
        ((self.request + path) as f64, answer as f64 + digits)
    }

    /// The bytes up and down of the heads of an event stream.
    pub(super) fn stream(&self, path: usize) -> (f64, f64) {
        let up = self.request + path + STREAM_REQUEST_MORE;
        (up as f64, (self.answer + STREAM_ANSWER_MORE) as f64)
    }

    /// The bytes up and down of a WebSocket's handshake.
    pub(super) fn socket(&self, path: usize) -> (f64, f64) {
        let (up, down) = self.handshake;
        ((up + path) as f64, down as f64)
    }
}

/// The size of an answer's head, computed from its headers.
async fn answer() -> Option<usize> {
    let path = format!("{}?limit=1", routes::TICKS);
    let answer = api::whole_poll(&path).await.ok()?;
    let mut size = "HTTP/1.1 \r\n\r\n".len() + answer.status.len();
    for (name, value) in answer.headers {
        let digits = if name == "content-length" {
            value.len()
        } else {
            0
        };
        size += name.len() + value.len() + ": \r\n".len() - digits;
    }
    Some(size)
}

/// The heads of a handshake, which the server sends back in the first frame.
pub(crate) async fn handshake_heads() -> Option<Echo> {
    let url = http::websocket_url(routes::WS_ECHO)?;
    let mut socket = WebSocket::open(&url).ok()?;
    match http::within(PATIENCE_MS, socket.next()).await.flatten()? {
        Ok(Message::Text(text)) => serde_json::from_str(&text).ok(),
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
