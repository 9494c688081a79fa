//! Its addresses: one WebSocket, and calls.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Query, State, WebSocketUpgrade};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};

use super::{Call, Protocol, Venue, lock, socket};

type Shared = State<(Protocol, Arc<Mutex<Venue>>)>;

pub(super) fn router(protocol: Protocol, venue: Arc<Mutex<Venue>>) -> Router {
    let router = Router::new().fallback(get(call));
    let router = match protocol {
        Protocol::Kraken => router.route("/v2", any(connect)),
        Protocol::Coinbase => router.route("/", any(connect)),
        Protocol::Binance => router.route("/stream", any(connect)),
    };
    router.with_state((protocol, venue))
}

async fn connect(State((protocol, venue)): Shared, upgrade: WebSocketUpgrade) -> Response {
    if let Some(refused) = refused(&venue) {
        return refused;
    }
    upgrade.on_upgrade(move |socket| socket::serve(socket, protocol, venue))
}

fn refused(venue: &Mutex<Venue>) -> Option<Response> {
    let status = lock(venue).faults.status?;
    let status = StatusCode::from_u16(status).ok()?;
    Some((status, "refused as told").into_response())
}

async fn call(
    State((protocol, venue)): Shared,
    uri: Uri,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    if let Some(refused) = refused(&venue) {
        return refused;
    }
    let mut venue = lock(&venue);
    let now = Instant::now();
    venue.seen.calls.push(uri.to_string());
    if venue.rest_until.is_some_and(|until| now < until) {
        venue.seen.calls_too_early += 1;
    }
    if venue.faults.limited_calls > 0 {
        venue.faults.limited_calls -= 1;
        venue.seen.calls_refused += 1;
        venue.rest_until = Some(now + Duration::from_millis(990));
        return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], "").into_response();
    }
    let (path, wire) = (uri.path(), protocol.wire());
    if path.to_lowercase().contains("trades") && venue.faults.hides_trades {
        return (StatusCode::INTERNAL_SERVER_ERROR, "hidden").into_response();
    }
    let call = Call {
        path,
        query: &query,
    };
    match wire.answer(&call, &venue) {
        Some(answer) => ([("content-type", "application/json")], answer).into_response(),
        None => (StatusCode::NOT_FOUND, "no such call").into_response(),
    }
}
