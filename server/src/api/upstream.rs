//! Calls that are for the server whose log is mirrored.

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::{body, replay};
use crate::access::Client;
use crate::app::App;
use crate::http::Fault;

/// What only the server that numbers the log can answer, besides changes.
const ANSWERED_THERE: [&str; 2] = ["/api/webhooks", "/api/replay"];
/// What looks like a change, and is a question about this server.
const ANSWERED_HERE: &str = "/api/access";

/// Passes what changes something on, if the log is mirrored.
pub(super) async fn pass(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let path = path.map_or("", |path| path.as_str());
    let is_read = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let is_theirs = match is_read {
        true => ANSWERED_THERE.contains(&path),
        false => path != ANSWERED_HERE,
    };
    let upstream = app
        .upstream
        .filter(|upstream| is_theirs && !upstream.is_here());
    let Some(upstream) = upstream else {
        return next.run(request).await;
    };
    if path.ends_with(replay::FILES) {
        let message = "this server mirrors another one: bring the file there";
        return Fault::Unavailable(message).into_response();
    }
    let client = request.extensions().get::<Client>().copied();
    if let Some(Client(client)) = client.filter(|_| !is_read)
        && let Err(fault) = app.bounds.change(client)
    {
        return fault.into_response();
    }
    let (parts, body) = request.into_parts();
    // The body is here already.
    let Ok(body) = to_bytes(body, body::BYTES_MAX).await else {
        return Fault::TooLarge(body::BYTES_MAX as u64).into_response();
    };
    match upstream.pass(Request::from_parts(parts, body)).await {
        Ok(answer) => answer.map(Body::from),
        Err(error) => {
            let message = format!("this is for the server that numbers the log: {error}");
            Fault::Upstream(message).into_response()
        }
    }
}
