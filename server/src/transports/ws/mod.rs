//! The WebSocket transport: frames to the client, commands from it.

mod command;
pub(crate) mod push;
mod session;
mod socket;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, header};
use axum::response::Response;
use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use shared::{Channel, Transport, WireFormat};
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;

use self::session::Session;
use self::socket::Socket;
use super::branches::Branches;
use crate::app::App;
use crate::attention::Watched;
use crate::encoding;
use crate::http::fault::{BadQuery, Fault, NoUpgrade, OtherPage};
use crate::http::query::{
    CursorParameter, EncodingParameter, PaceParameters, Query, SymbolsParameter,
};
use crate::market::Reader;
use crate::metrics::Meter;
use crate::wire::Wire;

/// WebSocket
///
/// The server sends messages; the client sends commands (`subscribe`,
/// `unsubscribe`, `pace`, `ping`) over the same connection. With `symbols`, the
/// client is subscribed at once.
#[utoipa::path(get, path = "/ws", tag = "Transports",
    params(SymbolsParameter, CursorParameter, PaceParameters, EncodingParameter,
        ("Sec-WebSocket-Protocol" = Option<String>, Header,
            description = "The encoding of messages: `tickwire.json.v1` (the default) or `tickwire.bin.v1`",
            example = "tickwire.json.v1")),
    responses((status = 101, description = "Switches to WebSocket frames, each with one message"), BadQuery,
        NoUpgrade, OtherPage))]
pub(crate) async fn upgrade(
    State(app): State<App>,
    Query(symbols): Query<SymbolsParameter>,
    Query(cursor): Query<CursorParameter>,
    Query(pace): Query<PaceParameters>,
    Query(encoding): Query<EncodingParameter>,
    mut parts: Parts,
) -> Result<Response, Fault> {
    let on_upgrade = parts.extensions.remove::<OnUpgrade>();
    let (on_upgrade, mut response) = shake_hands(&parts, on_upgrade)?;
    let named = named(&parts.headers);
    let format = agreed(named, encoding.format()?)?;
    if let Some(named) = named {
        let name = HeaderValue::from_static(named.subprotocol());
        let headers = response.headers_mut();
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, name);
    }
    let encoding = encoding::of(format);
    let (cursor, pace) = (cursor.cursor()?, pace.pace()?);
    app.market.until_at(cursor).await;
    let reader = match symbols.set(&app)? {
        Some(set) => Reader::new(&app.market, encoding, set, cursor),
        None if cursor.is_some() => {
            let message = "cursor needs symbols beside it, as in symbols=*";
            return Err(Fault::BadParameter(message.to_owned()));
        }
        None => Reader::idle(&app.market, encoding),
    };
    let permit = app.bounds.stream()?;
    let channel = Channel::new(Transport::WebSocket, format);
    let connections = app.connections.clone();
    let meter = Meter::new(Arc::clone(&app.metrics));
    meter.carries(channel);
    let run = async move {
        let Some((wire, rest)) = on_upgrade.await.ok().and_then(raw) else {
            return;
        };
        let session = Session {
            metrics: app.metrics.of(channel).clone(),
            socket: Socket::new(wire, rest, app.bounds.limits().slow).await,
            commands: app.bounds.commands(),
            app,
            permit,
            encoding,
            reader: reader.with_pace(pace),
            handed: None,
            heartbeat: None,
            branches: Branches::new(),
        };
        session.run().await;
    };
    connections.spawn(meter.measure(run));
    Ok(response)
}

/// The encoding, which a client may name by its subprotocol or in the query.
fn agreed(named: Option<WireFormat>, in_query: Option<WireFormat>) -> Result<WireFormat, Fault> {
    match (named, in_query) {
        (Some(one), Some(other)) if one != other => {
            let one = one.subprotocol();
            let message =
                format!("encoding is {other}, and the subprotocol {one}; name one of them");
            Err(Fault::BadParameter(message))
        }
        (one, other) => Ok(one.or(other).unwrap_or_default()),
    }
}

/// The answer to the handshake (RFC 6455, section 4.2), and the future that
/// gives the connection once the answer is sent.
fn shake_hands(
    parts: &Parts,
    on_upgrade: Option<OnUpgrade>,
) -> Result<(OnUpgrade, Response), Fault> {
    let request = Request::from_parts(parts.clone(), ());
    let response = create_response_with_body(&request, Body::empty);
    let response =
        response.map_err(|error| Fault::BadParameter(error.to_string().to_lowercase()))?;
    // Present for every request that asks for an upgrade.
    let message = || "this connection cannot be upgraded".to_owned();
    let on_upgrade = on_upgrade.ok_or_else(|| Fault::BadParameter(message()))?;
    Ok((on_upgrade, response))
}

/// The connection itself, and the bytes that arrived after the handshake.
fn raw(upgraded: Upgraded) -> Option<(Wire, Bytes)> {
    // All connections of the server have this type.
    let parts = upgraded.downcast::<TokioIo<Watched>>().ok()?;
    Some((parts.io.into_inner().into_inner(), parts.read_buf))
}

/// The encoding that the client names as a subprotocol; the binary one if it
/// names both.
fn named(headers: &HeaderMap) -> Option<WireFormat> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
    let names = values.filter_map(|value| value.to_str().ok());
    let names: Vec<_> = names
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .collect();
    let mut known = WireFormat::ALL.into_iter().rev();
    known.find(|format| names.contains(&format.subprotocol()))
}
