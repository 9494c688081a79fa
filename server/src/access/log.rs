//! The log of requests, if it is asked for.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::USER_AGENT;
use axum::middleware::Next;
use axum::response::Response;

use super::{Access, Peer};

/// Logs a request when its answer begins: of a stream, when it opens. What is
/// logged has no tokens, which are in headers only.
pub(crate) async fn log(State(access): State<Access>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let peer = request.extensions().get::<Peer>();
    let hosts = &access.0.hosts;
    let client = peer.map(|peer| hosts.client(peer.address.ip(), request.headers()));
    let agent = request.headers().get(USER_AGENT).cloned();
    let response = next.run(request).await;
    // Their quotation marks and control characters are escaped.
    let agent = agent
        .as_ref()
        .map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    let ms = begun.elapsed().as_secs_f64() * 1e3;
    tracing::info!(
        client = client.map(tracing::field::display),
        method = method.as_str(),
        uri = ?uri,
        status = response.status().as_u16(),
        ms,
        agent = ?agent.unwrap_or_default(),
    );
    response
}
