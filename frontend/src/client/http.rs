//! Addresses of the server, and requests that are aborted when nothing waits
//! for them any more.

use gloo_net::http::{Request, RequestBuilder};
use leptos::prelude::document;
use serde::Deserialize;
use shared::{Cursor, routes};
use web_sys::{AbortController, Url};

use super::within;

/// The query with these symbols, which are encoded already, and the cursor, if
/// there is one.
pub(super) fn query(symbols: &str, cursor: Option<Cursor>) -> String {
    match cursor {
        Some(cursor) => format!("?symbols={symbols}&cursor={cursor}"),
        None => format!("?symbols={symbols}"),
    }
}

/// The path as it is sent, relative to the page: `/tickwire/api/time` for
/// `api/time` on a page at `/tickwire/`.
pub(crate) fn sent_path(path: &str) -> String {
    let url = document().base_uri().ok().flatten();
    let url = url.and_then(|base| Url::new_with_base(path, &base).ok());
    url.map_or_else(|| path.to_owned(), |url| url.pathname() + &url.search())
}

/// The address of a WebSocket on the page's own server. `path` is relative to
/// the page, as in `ws?symbols=*`.
///
/// # Errors
///
/// The page has no address to make it from.
pub(crate) fn websocket_url(path: &str) -> Result<String, String> {
    let base = document().base_uri().ok().flatten();
    let base = base.ok_or("the page has no address")?;
    let url = Url::new_with_base(path, &base).map_err(|_| "the page has no address")?;
    url.set_protocol(if url.protocol() == "https:" {
        "wss:"
    } else {
        "ws:"
    });
    Ok(url.href())
}

/// The part of a [`shared::ApiError`] that the page needs.
#[derive(Deserialize)]
struct Fault {
    message: String,
}

/// Aborts a request when it is dropped. After the answer it does nothing.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The body of a successful `GET` that is answered within `patience_ms`.
/// Dropping the future aborts the request.
pub(crate) async fn get(url: &str, patience_ms: u32) -> Result<Vec<u8>, String> {
    send(Request::get(url), None, patience_ms).await
}

/// The body of the answer, if that is a success and arrives within
/// `patience_ms`. The body of the request, if there is one, is JSON.
pub(crate) async fn send(
    request: RequestBuilder,
    body: Option<String>,
    patience_ms: u32,
) -> Result<Vec<u8>, String> {
    let answer = within(patience_ms, exchange(request, body)).await;
    answer.unwrap_or_else(|| Err("the server does not answer".to_owned()))
}

/// Why the server does not allow this page to open a WebSocket or to change
/// anything; `None` if it does allow it, or does not answer.
pub(crate) async fn refusal(patience_ms: u32) -> Option<String> {
    let ask = async {
        let response = Request::post(routes::ACCESS).send().await.ok()?;
        if ![403, 421].contains(&response.status()) {
            return None;
        }
        let fault: Fault = serde_json::from_slice(&response.binary().await.ok()?).ok()?;
        Some(fault.message)
    };
    within(patience_ms, ask).await.flatten()
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
    // Fails only for invalid headers.
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
    match serde_json::from_slice::<Fault>(&body) {
        Ok(error) => Err(error.message),
        Err(_) => Err(format!("the server answered with status {status}")),
    }
}
