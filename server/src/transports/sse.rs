//! Server-sent events: a stream of frames over a plain HTTP response.

use std::collections::VecDeque;
use std::convert::Infallible;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use shared::{Channel, Transport, WireFormat};

use super::{Heartbeat, hello};
use crate::app::App;
use crate::encoding::JSON;
use crate::http::fault::{BadQuery, Fault};
use crate::http::query::{CursorParameter, PaceParameters, Query, SymbolsParameter};
use crate::limits::Permit;
use crate::market::{Frame, Reader};
use crate::metrics::{Meter, OpenGuard};

const CHANNEL: Channel = Channel::new(Transport::Sse, WireFormat::Json);

/// How long a browser waits before it reconnects by itself, in ms.
const RETRY: &[u8] = b"retry: 2000\n\n";

/// One of the events of a stream.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what is written as text")]
pub(crate) struct ServerSentEvent {
    /// The message's name.
    event: Option<String>,
    /// The cursor after it, where it moves one.
    id: Option<String>,
    /// After how many ms to reconnect.
    retry: Option<u32>,
    /// The message, as JSON: a `ServerMessage`.
    #[schema(content_media_type = "application/json")]
    data: Option<String>,
}

/// Server-sent events
///
/// An endless stream: `event:` is the message's name, `id:` the cursor, `data:`
/// the message. For example, to listen for alerts:
/// `new EventSource("/api/stream").addEventListener("alerts", …)`.
#[utoipa::path(get, path = "/api/stream", tag = "Transports",
    params(SymbolsParameter, CursorParameter, PaceParameters,
        ("Last-Event-ID" = Option<String>, Header,
            description = "The cursor to resume from, sent by a browser that reconnects; takes precedence over `cursor`",
            example = "k3f9zq-128843")),
    responses((status = 200, description = "A stream of events, each with one message",
        body = ServerSentEvent, content_type = "text/event-stream",
        example = "event: heartbeat\nid: k3f9zq-128860\ndata: {\"event\":\"heartbeat\",\"from\":\"k3f9zq-128845\",\"cursor\":\"k3f9zq-128860\",\"server_time\":1763836805000000}\n\n"),
        BadQuery))]
pub(crate) async fn stream(
    State(app): State<App>,
    Extension(meter): Extension<Meter>,
    Query(symbols): Query<SymbolsParameter>,
    Query(cursor): Query<CursorParameter>,
    Query(pace): Query<PaceParameters>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let set = symbols.set_or_all(&app)?;
    let pace = pace.pace()?;
    // A browser that reconnects by itself repeats the old URL and adds this
    // header, which is the newer of the two.
    let last_event_id = headers.get("last-event-id").map(|id| id.to_str());
    let cursor = match last_event_id {
        // Anything but a stream would make the browser stop reconnecting. So an
        // unreadable id is treated as a cursor that cannot be resumed.
        Some(Ok(id)) if !id.is_empty() => id.parse().ok(),
        Some(Err(_)) => None,
        _ => cursor.cursor()?,
    };
    let permit = app.bounds.stream()?;
    meter.carries(CHANNEL);
    app.market.until_at(cursor).await;
    let mut events = Events {
        permit,
        open: app.metrics.of(CHANNEL).open(),
        reader: Reader::new(&app.market, JSON, set, cursor).with_pace(pace),
        heartbeat: Heartbeat::new(),
        // Browsers wait this long before they reconnect.
        chunks: VecDeque::from([Bytes::from_static(RETRY)]),
        app,
    };
    let first = hello(&events.app.market, JSON);
    events.push(first);
    let body = Body::from_stream(stream::unfold(events, Events::next));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        // A proxy that compresses would delay events.
        (header::CACHE_CONTROL, "no-store, no-transform"),
        // Without it, nginx would delay events until its buffer is full.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, body).into_response())
}

/// One open stream.
struct Events {
    app: App,
    #[expect(
        dead_code,
        reason = "counts the stream against the most while it lives"
    )]
    permit: Permit,
    reader: Reader,
    heartbeat: Heartbeat,
    /// Bytes that are read from the log and not yet taken by the connection: at
    /// most the frames of one read, since the next read waits until these are
    /// gone.
    chunks: VecDeque<Bytes>,
    #[expect(dead_code, reason = "counts the stream as open while it lives")]
    open: OpenGuard,
}

impl Events {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            if let Some(chunk) = self.chunks.pop_front() {
                return Some((Ok(chunk), self));
            }
            tokio::select! {
                frames = self.reader.next() => self.push(frames?),
                () = self.heartbeat.due() => {
                    let heartbeat = self.reader.heartbeat();
                    self.push(heartbeat);
                }
            }
        }
    }

    fn push(&mut self, frames: impl IntoIterator<Item = Frame>) {
        for frame in frames {
            let id = match frame.cursor {
                Some(cursor) => format!("id: {cursor}\n"),
                None => String::new(),
            };
            let head = format!("event: {}\n{id}data: ", frame.event);
            let bytes = head.len() + frame.bytes.len() + 2;
            self.heartbeat.sent();
            self.app.metrics.of(CHANNEL).sent(bytes, frame.ticks);
            // The JSON itself is shared with all other readers.
            self.chunks.push_back(head.into());
            self.chunks.push_back(frame.bytes);
            self.chunks.push_back(Bytes::from_static(b"\n\n"));
        }
    }
}
