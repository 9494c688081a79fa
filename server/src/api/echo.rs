//! Shows a request as it arrived: for the page that explains the transports,
//! and for clients that count bytes which a browser does not expose.
//!
//! What a browser hides from its pages is hidden here, too: the values of
//! credentials.

use std::fmt::Write as _;
use std::time::SystemTime;

use axum::Json;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use shared::Echo;

use crate::http::fault::{Fault, NoUpgrade, OtherPage};

/// Headers whose values are hidden.
const SECRETS: [HeaderName; 3] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::PROXY_AUTHORIZATION,
];

/// The request as it arrived
///
/// The request line and headers as text; of credentials, only the length.
#[utoipa::path(get, path = "/api/echo", tag = "Server",
    responses((status = 200, description = "The request line and headers of this request", body = Echo,
        example = json!({"request": "GET /api/echo HTTP/1.1\r\nhost: localhost:8080\r\n\r\n"}))))]
pub(super) async fn request(parts: Parts) -> Response {
    let mut response = Json(Echo {
        request: head_of_request(&parts),
        answer: None,
    })
    .into_response();
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

/// A WebSocket handshake as it arrived
///
/// The request and response headers of a WebSocket handshake, as the first and
/// only frame.
#[utoipa::path(get, path = "/ws/echo", tag = "Server",
    responses((status = 101, description = "One frame with the headers of request and response"), NoUpgrade,
        OtherPage))]
pub(super) async fn handshake(
    parts: Parts,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Fault> {
    let upgrade = upgrade.map_err(|error| Fault::BadParameter(error.body_text().to_lowercase()))?;
    let (tell, told) = tokio::sync::oneshot::channel::<Echo>();
    let mut response = upgrade.on_upgrade(async move |mut socket| {
        let echo = told.await.ok();
        let text = echo.and_then(|echo| serde_json::to_string(&echo).ok());
        if let Some(text) = text {
            // A client that is gone does not need it any more.
            let _ = socket.send(Message::Text(text.into())).await;
        }
    });
    // The HTTP library would add it later, after the headers have been
    // recorded.
    let date = httpdate::fmt_http_date(SystemTime::now());
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, date);
    }
    let answer = format!(
        "HTTP/1.1 {}\r\n{}",
        response.status(),
        head_lines(response.headers())
    );
    // The upgraded connection's task waits for it.
    let _ = tell.send(Echo {
        request: head_of_request(&parts),
        answer: Some(answer),
    });
    Ok(response)
}

fn head_of_request(parts: &Parts) -> String {
    let Parts {
        method,
        uri,
        version,
        headers,
        ..
    } = parts;
    format!("{method} {uri} {version:?}\r\n{}", head_lines(headers))
}

/// One header per line, and the empty line at the end. Names are in lower case,
/// whatever case they arrived in; for secrets, only the length is shown.
fn head_lines(headers: &HeaderMap) -> String {
    let mut text = String::new();
    for (name, value) in headers {
        let value = if SECRETS.contains(name) {
            "*".repeat(value.len()).into()
        } else {
            String::from_utf8_lossy(value.as_bytes())
        };
        // Writing into a string cannot fail.
        let _ = write!(text, "{name}: {value}\r\n");
    }
    text + "\r\n"
}
