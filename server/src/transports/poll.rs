//! Polling answers at once; long polling waits, up to a timeout, until there is
//! a message.

use std::time::Duration;

use axum::Extension;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use shared::{Channel, TicksAnswer, Transport, WireFormat};
use tokio::time::{Instant, sleep, sleep_until};

use super::hello;
use crate::app::App;
use crate::encoding::{self, Encoding};
use crate::http::fault::{BadQuery, Fault};
use crate::http::negotiate;
use crate::http::query::{
    CursorParameter, EncodingParameter, PaceParameters, PollParameters, Query, SymbolsParameter,
};
use crate::market::{Answer, Frame, Reader};
use crate::metrics::{ChannelMetrics, Meter};

/// The messages in the binary encoding, as `docs/wire.md` describes them.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes what is written as bytes")]
pub(crate) struct Binary(Vec<u8>);

/// Polling and long polling
///
/// Everything between the cursor and the newest tick, at once; with `wait_ms`,
/// as soon as there is a message. Use the `cursor` of the answer in the next
/// request.
#[utoipa::path(get, path = "/api/ticks", tag = "Transports",
    params(SymbolsParameter, CursorParameter, PollParameters, PaceParameters, EncodingParameter,
        ("Accept" = Option<String>, Header,
            description = "`application/vnd.tickwire.v1` for the binary encoding; otherwise JSON",
            example = "application/json")),
    responses((status = 200, description = "The messages since the cursor; empty if there are none",
        content((TicksAnswer = "application/json", example = json!({"from": "k3f9zq-128843", "cursor": "k3f9zq-128844",
            "events": [{"event": "ticks", "from": "k3f9zq-128843", "cursor": "k3f9zq-128844",
                "ticks": [{"seq": 128_844, "symbol": "BTC-USD", "time": 1_763_836_800_012_345_i64,
                    "price": "64012.75", "qty": "0.0125", "side": "buy", "bid": "64012.50",
                    "ask": "64013.00"}]}]})),
            (Binary = "application/vnd.tickwire.v1"))), BadQuery))]
pub(crate) async fn ticks(
    State(app): State<App>,
    Extension(meter): Extension<Meter>,
    Query(symbols): Query<SymbolsParameter>,
    Query(cursor): Query<CursorParameter>,
    Query(poll): Query<PollParameters>,
    Query(pace): Query<PaceParameters>,
    Wanted(encoding): Wanted,
) -> Result<Response, Fault> {
    let set = symbols.set_or_all(&app)?;
    let cursor = cursor.cursor()?;
    let (wait, limit) = (poll.wait()?, poll.limit()?);
    let limit = limit.min(app.bounds.ticks(encoding.format()));
    let pace = pace.pace()?;
    let transport = if wait.is_zero() {
        Transport::Poll
    } else {
        Transport::LongPoll
    };
    let channel = Channel::new(transport, encoding.format());
    meter.carries(channel);
    let metrics = app.metrics.of(channel);
    let _open = metrics.open();
    app.market.until_at(cursor).await;
    let mut reader = Reader::new(&app.market, encoding, set, cursor)
        .with_pace(pace)
        .informed();
    let deadline = Instant::now() + wait;
    let _permit = match wait.is_zero() {
        true => None,
        false => Some(app.bounds.long_poll()?),
    };
    // A client without a cursor gets a snapshot at once.
    if cursor.is_some() && !wait.is_zero() {
        let pause = Duration::from_millis(pace.every_ms.into());
        tokio::select! {
            () = sleep(pause.min(wait)) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
    let mut answer = reader.answer(limit);
    if answer.frames.is_empty() && !wait.is_zero() {
        answer = wait_for(&mut reader, limit, deadline, &app).await;
    }
    match cursor {
        None => _ = answer.frames.splice(0..0, hello(&app.market, encoding)),
        // A poll does not remember what its client was told: it tells it each time.
        Some(_) => answer.frames.extend(reader.standing()),
    }
    let messages: Vec<_> = answer
        .frames
        .iter()
        .map(|frame| frame.bytes.clone())
        .collect();
    let body = encoding.answer(answer.from, answer.cursor, &messages);
    count(metrics, &answer.frames, body.len());
    let mut response = body.into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static(encoding.format().media_type());
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The encoding that the URL names; otherwise the one that the client prefers.
pub(crate) struct Wanted(&'static dyn Encoding);

impl<S: Send + Sync> FromRequestParts<S> for Wanted {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let Query(named) = Query::<EncodingParameter>::from_request_parts(parts, state).await?;
        let named = named.format()?;
        let offered = WireFormat::ALL.map(WireFormat::media_type);
        let wanted = negotiate::media_type(&parts.headers, &offered);
        let mut known = WireFormat::ALL.into_iter();
        let found = known.find(|format| Some(format.media_type()) == wanted);
        Ok(Self(encoding::of(named.or(found).unwrap_or_default())))
    }
}

/// The first answer with messages, or the answer at the deadline or at
/// shutdown.
async fn wait_for(reader: &mut Reader, limit: usize, deadline: Instant, app: &App) -> Answer {
    loop {
        let over = tokio::select! {
            () = reader.wait() => app.market.is_closed(),
            () = sleep_until(deadline) => true,
            () = app.shutdown.cancelled() => true,
        };
        let answer = reader.answer(limit);
        if over || reader.stands_anew() || !answer.frames.is_empty() {
            return answer;
        }
    }
}

fn count(metrics: &ChannelMetrics, frames: &[Frame], bytes: usize) {
    if frames.is_empty() {
        return metrics.empty(bytes);
    }
    let inside: usize = frames.iter().map(|frame| frame.bytes.len()).sum();
    for (frame, index) in frames.iter().zip(0..) {
        // The bytes around the messages are counted with the first message.
        let around = if index == 0 { bytes - inside } else { 0 };
        metrics.sent(frame.bytes.len() + around, frame.ticks);
    }
}
