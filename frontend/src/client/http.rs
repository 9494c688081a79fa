//! Requests to the server, and its addresses.

use futures_util::FutureExt;
use futures_util::future::{Either, LocalBoxFuture, select};
use gloo_net::http::{Request, RequestBuilder, Response};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::document;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use web_sys::{AbortController, Url};

use crate::faults::CallError;

/// The path as it is sent, relative to the page: `/tickwire/api/time` for
/// `api/time` on a page at `/tickwire/`.
pub(crate) fn sent_path(path: &str) -> String {
    let url = document().base_uri().ok().flatten();
    let url = url.and_then(|base| Url::new_with_base(path, &base).ok());
    url.map_or_else(|| path.to_owned(), |url| url.pathname() + &url.search())
}

/// The address of a WebSocket on the page's own server; `None` for a page that
/// has no address to make it from. `path` is relative to the page, as in
/// `ws?symbols=*`.
pub(crate) fn websocket_url(path: &str) -> Option<String> {
    let base = document().base_uri().ok().flatten()?;
    let url = Url::new_with_base(path, &base).ok()?;
    url.set_protocol(if url.protocol() == "https:" {
        "wss:"
    } else {
        "ws:"
    });
    Some(url.href())
}

/// What is escaped in a query: everything but letters, digits, and the marks
/// that have no meaning there.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'*');

/// A text as a part of a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// The part of a [`shared::ApiError`] that the page needs.
#[derive(Deserialize)]
struct Fault {
    message: String,
}

/// Aborts a request when it is dropped. After the answer it does nothing.
pub(super) struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The outcome of `future`, if it completes in time; otherwise it is dropped.
pub(crate) async fn within<T>(patience_ms: u32, future: impl Future<Output = T>) -> Option<T> {
    let over = TimeoutFuture::new(patience_ms);
    match select(future.boxed_local(), over).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(_) => None,
    }
}

/// The body of a successful `GET` that is answered within `patience_ms`.
/// Dropping the future aborts the request.
pub(super) fn get(
    url: &str,
    patience_ms: u32,
) -> LocalBoxFuture<'static, Result<Vec<u8>, CallError>> {
    send(Request::get(url), None, patience_ms)
}

/// The same, read as JSON.
pub(super) async fn get_json<T: DeserializeOwned>(
    url: &str,
    patience_ms: u32,
) -> Result<T, CallError> {
    read(&get(url, patience_ms).await?)
}

/// Reads an answer.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, CallError> {
    serde_json::from_slice(body).map_err(|error| CallError::Unreadable(error.to_string()))
}

/// The body of the answer, if that is a success and arrives within
/// `patience_ms`. The body of the request, if there is one, is JSON.
pub(super) fn send(
    request: RequestBuilder,
    body: Option<String>,
    patience_ms: u32,
) -> LocalBoxFuture<'static, Result<Vec<u8>, CallError>> {
    let answer = within(patience_ms, exchange(request, body));
    answer
        .map(|answer| answer.unwrap_or(Err(CallError::Late)))
        .boxed_local()
}

async fn exchange(request: RequestBuilder, body: Option<String>) -> Result<Vec<u8>, CallError> {
    let (response, _abort) = answer(request, body).await?;
    let status = response.status();
    let body = response.binary().await;
    let body = body.map_err(|_| CallError::BrokeOff)?;
    if response.ok() {
        return Ok(body);
    }
    Err(refused(status, &body))
}

/// The error of an answer that is not a success.
pub(super) fn refused(status: u16, body: &[u8]) -> CallError {
    let fault = read::<Fault>(body).ok();
    CallError::Refused {
        status,
        reason: fault.map(|fault| fault.message),
    }
}

/// The head of an answer, whatever its status. Until its body is read, dropping
/// the second part aborts the request.
pub(super) async fn answer(
    request: RequestBuilder,
    body: Option<String>,
) -> Result<(Response, AbortOnDrop), CallError> {
    let controller = AbortController::new().map_err(|_| CallError::Unsupported)?;
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
    let request = request.map_err(|_| CallError::Unsupported)?;
    let response = request.send().await;
    let response = response.map_err(|_| CallError::Unreachable)?;
    Ok((response, abort))
}
