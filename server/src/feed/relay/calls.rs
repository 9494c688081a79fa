//! Calls to the server that is mirrored.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH, LOCATION,
    RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL, USER_AGENT,
};
use axum::http::{HeaderMap, Request, Response, Uri};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use shared::binary::SUBPROTOCOL;
use shared::{Alert, AlertsAnswer, Checkpoint, Cursor, routes};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::RelayConfig;
use crate::feed::{Unreached, Upstream};
use crate::http::dial::Dialer;
use crate::http::outgoing::cause;
use crate::http::websocket::{Lost, Socket, connect};

/// The timeout for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// An answer has no more bytes than this: a checkpoint of many symbols is the longest.
const ANSWER_BYTES_MAX: usize = 64_000_000;
/// No message is longer.
const MESSAGE_BYTES_MAX: usize = 64_000_000;
/// What is passed on of a request, and of its answer.
const PASSED: [HeaderName; 3] = [ACCEPT, CONTENT_TYPE, IF_MATCH];
const PASSED_BACK: [HeaderName; 4] = [CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER];

/// Where a Tickwire is: the address of its WebSocket without `/ws`.
#[derive(Clone, PartialEq, Eq)]
pub struct UpstreamAddress(String);

/// An address that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no address of ws or wss, as in wss://prices.example.org/ws")]
pub struct UpstreamAddressError;

impl FromStr for UpstreamAddress {
    type Err = UpstreamAddressError;

    fn from_str(text: &str) -> Result<Self, UpstreamAddressError> {
        let text = text.trim_end_matches('/');
        let text = text.strip_suffix("/ws").unwrap_or(text);
        let url: Uri = text.parse().map_err(|_| UpstreamAddressError)?;
        let is_good = matches!(url.scheme_str(), Some("ws" | "wss"))
            && url.host().is_some_and(|host| !host.is_empty())
            && url.query().is_none()
            // Addresses are shown.
            && !url.authority().is_some_and(|host| host.as_str().contains('@'));
        is_good
            .then(|| Self(text.to_owned()))
            .ok_or(UpstreamAddressError)
    }
}

impl fmt::Display for UpstreamAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/ws", self.0)
    }
}

impl fmt::Debug for UpstreamAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Calls the server that is mirrored.
#[derive(Debug)]
pub(super) struct Calls {
    address: UpstreamAddress,
    dialer: Dialer,
    client: Client<Dialer, Full<Bytes>>,
    headers: HeaderMap,
}

impl Calls {
    pub(super) fn new(dialer: Dialer, config: RelayConfig) -> Self {
        let agent = concat!("tickwire/", env!("CARGO_PKG_VERSION"));
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        let token = config.tokens.as_ref().and_then(|tokens| tokens.highest());
        let token = token.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok());
        if let Some(mut token) = token {
            token.set_sensitive(true);
            headers.insert(AUTHORIZATION, token);
        }
        Self {
            address: config.address,
            client: Client::builder(TokioExecutor::new()).build(dialer.clone()),
            dialer,
            headers,
        }
    }

    pub(super) fn address(&self) -> &UpstreamAddress {
        &self.address
    }

    /// Where the server stands, with its alerts.
    pub(super) async fn checkpoint(&self) -> Result<Checkpoint, Unreached> {
        self.get(routes::CHECKPOINT).await
    }

    /// All alerts, by number.
    pub(super) async fn alerts(&self) -> Result<Vec<Alert>, Unreached> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let path = format!("{}?after={after}", routes::ALERTS);
            let page: AlertsAnswer = self.get(&path).await?;
            all.extend(page.alerts);
            match page.next {
                Some(next) if next > after => after = next,
                _ => return Ok(all),
            }
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Unreached> {
        let request = Request::get(format!("/{path}")).body(Bytes::new());
        let request = request.map_err(|error| Unreached(error.to_string()))?;
        let answer = self.pass(request).await?;
        let (status, body) = (answer.status(), answer.body());
        if !status.is_success() {
            let start: String = String::from_utf8_lossy(body).chars().take(120).collect();
            return Err(Unreached(format!("it answered {status}: {start}")));
        }
        serde_json::from_slice(body)
            .map_err(|error| Unreached(format!("its answer to {path} cannot be read: {error}")))
    }

    /// Opens its WebSocket for all symbols, from this position on.
    pub(super) async fn follow(&self, cursor: Cursor) -> Result<Socket, Lost> {
        let address = format!(
            "{}/{}?symbols=*&cursor={cursor}",
            self.address.0,
            routes::WS
        );
        let mut request = address.into_client_request()?;
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        headers.insert(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(SUBPROTOCOL),
        );
        let opening = connect(self.dialer.clone(), request, MESSAGE_BYTES_MAX);
        let late = || {
            let seconds = PATIENCE.as_secs();
            Lost::because(format!("it did not answer within {seconds} s"))
        };
        timeout(PATIENCE, opening).await.map_err(|_| late())?
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unreached> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query();
        let path = path.map_or("/", |path| path.as_str());
        let base = self.address.0.replacen("ws", "http", 1);
        let mut request = Request::builder()
            .method(parts.method)
            .uri(format!("{base}{path}"))
            .body(Full::new(body))
            .map_err(|error| Unreached(error.to_string()))?;
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        copy(&parts.headers, headers, &PASSED);
        let net = |error: &(dyn std::error::Error + 'static)| {
            Unreached(format!("it cannot be reached: {}", cause(error)))
        };
        let answer = self.client.request(request).await;
        let (parts, body) = answer.map_err(|error| net(&error))?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| net(error.as_ref()))?;
        let mut answer = Response::new(body.to_bytes());
        *answer.status_mut() = parts.status;
        copy(&parts.headers, answer.headers_mut(), &PASSED_BACK);
        Ok(answer)
    }
}

impl Upstream for Calls {
    fn address(&self) -> Option<String> {
        Some(self.address.to_string())
    }

    fn pass(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreached>> {
        Box::pin(async move {
            let answer = timeout(PATIENCE, self.exchange(request)).await;
            answer.unwrap_or_else(|_| {
                let seconds = PATIENCE.as_secs();
                Err(Unreached(format!("it did not answer within {seconds} s")))
            })
        })
    }
}

/// Copies headers of these names.
fn copy(from: &HeaderMap, to: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        if let Some(value) = from.get(name) {
            to.insert(name.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_the_websocket() {
        for (text, shown) in [
            ("wss://a.example/ws", "wss://a.example/ws"),
            ("ws://127.0.0.1:8080", "ws://127.0.0.1:8080/ws"),
            ("ws://[::1]:8080/prices/ws/", "ws://[::1]:8080/prices/ws"),
        ] {
            let address: UpstreamAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
        }
        for bad in [
            "",
            "http://a.example",
            "wss://",
            "ws://me:secret@a",
            "ws://a/ws?x=1",
        ] {
            assert!(bad.parse::<UpstreamAddress>().is_err(), "{bad}");
        }
    }
}
