//! Addresses of the server, and requests that end when nobody waits for them.

use gloo_net::http::{Request, RequestBuilder};
use serde::Deserialize;
use shared::Cursor;
use web_sys::AbortController;

use super::within;

/// The symbols, as they are named in an address, and, if there is one, the
/// cursor.
pub(super) fn query(symbols: &str, cursor: Option<Cursor>) -> String {
    match cursor {
        Some(cursor) => format!("?symbols={symbols}&cursor={cursor}"),
        None => format!("?symbols={symbols}"),
    }
}

/// `ws://host` or `wss://host` of the page's own server.
pub(crate) fn websocket_origin() -> Result<String, String> {
    let location = web_sys::window().ok_or("no window")?.location();
    let host = location.host().map_err(|_| "the page has no host")?;
    let secure = location
        .protocol()
        .is_ok_and(|protocol| protocol == "https:");
    Ok(format!("{}://{host}", if secure { "wss" } else { "ws" }))
}

/// What the page needs of a [`shared::ApiError`].
#[derive(Deserialize)]
struct Fault {
    message: String,
}

/// Aborts a request when it is dropped; harmless after the answer.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The body of a successful `GET` that is there within `patience_ms`.
/// Dropping the future aborts the request.
pub(crate) async fn get(url: &str, patience_ms: u32) -> Result<Vec<u8>, String> {
    send(Request::get(url), None, patience_ms).await
}

/// The body of the answer, if it is a success that is there within
/// `patience_ms`; with a body of the request, which is JSON.
pub(crate) async fn send(
    request: RequestBuilder,
    body: Option<String>,
    patience_ms: u32,
) -> Result<Vec<u8>, String> {
    let answer = within(patience_ms, exchange(request, body)).await;
    answer.unwrap_or_else(|| Err("the server does not answer".to_owned()))
}

async fn exchange(request: RequestBuilder, body: Option<String>) -> Result<Vec<u8>, String> {
    let controller = AbortController::new().map_err(|_| "no AbortController")?;
    let abort = AbortOnDrop(controller);
    let signal = abort.0.signal();
    let request = request.abort_signal(Some(&signal));
    let request = match body {
        Some(body) => request
            .header("content-type", "application/json")
            .body(body),
        None => request.build(),
    };
    // Fails only for headers that are none.
    let request = request.map_err(|_| "the request could not be made")?;
    let response = request
        .send()
        .await
        .map_err(|_| "the server cannot be reached")?;
    let status = response.status();
    let body = response.binary().await;
    let body = body.map_err(|_| "the answer broke off")?;
    if response.ok() {
        return Ok(body);
    }
    match shared::from_json::<Fault>(&body) {
        Ok(error) => Err(error.message),
        Err(_) => Err(format!("the server answered with status {status}")),
    }
}
