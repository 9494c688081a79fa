//! Calls that change something reach the leader from any server.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Subscriber;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use tower_service::Service as _;

use super::bus::Bus;
use crate::feed::{Unreached, Upstream};
use crate::standing::NodeStatus;

/// An answer has no more bytes than this: NATS takes no longer message.
const ANSWER_BYTES_MAX: usize = 900_000;
/// How long whoever changed something waits until this server shows it.
const SHOWN_WITHIN: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// The message of the stream by which all is known that was changed.
const MESSAGE: HeaderName = HeaderName::from_static("tickwire-message");

/// A request or an answer, as it is passed on.
#[derive(Debug, Serialize, Deserialize)]
struct Passed {
    /// The method and the path, or the status.
    line: (String, String),
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// The server that leads, for the others.
#[derive(Debug)]
pub(super) struct Leader {
    bus: Bus,
    status: Arc<NodeStatus>,
}

impl Leader {
    pub(super) fn new(bus: Bus, status: Arc<NodeStatus>) -> Self {
        Self { bus, status }
    }

    async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unreached> {
        let (parts, body) = request.into_parts();
        let changes_something = !parts.method.is_safe();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let call = Passed {
            line: (parts.method.to_string(), path.to_owned()),
            headers: packed(&parts.headers),
            body: body.to_vec(),
        };
        let call = postcard::to_stdvec(&call).map_err(|error| Unreached(error.to_string()))?;
        let answer = self.bus.call(call).await;
        let answer = answer.map_err(|error| Unreached(format!("no leader answers: {error}")))?;
        let unread = || Unreached("the leader's answer cannot be read".to_owned());
        let answer: Passed = postcard::from_bytes(&answer).map_err(|_| unread())?;
        let mut response = Response::new(answer.body.into());
        *response.status_mut() = answer.line.0.parse().map_err(|_| unread())?;
        *response.headers_mut() = unpacked(answer.headers);
        let message = response.headers_mut().remove(MESSAGE);
        if changes_something {
            let message = message.and_then(|message| message.to_str().ok()?.parse().ok());
            self.until_shown(message).await;
        }
        Ok(response)
    }

    /// Whoever changed something sees it here, too.
    async fn until_shown(&self, message: Option<u64>) {
        let end = Instant::now() + SHOWN_WITHIN;
        while message > Some(self.status.shown()) && Instant::now() < end {
            sleep(LOOK_AGAIN).await;
        }
    }
}

impl Upstream for Leader {
    fn is_here(&self) -> bool {
        self.status.is_leading()
    }

    fn pass(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreached>> {
        Box::pin(self.call(request))
    }
}

/// Answers calls of other servers, as long as this one leads.
pub(super) async fn answer(
    bus: &Bus,
    mut calls: Subscriber,
    router: Router,
    status: Arc<NodeStatus>,
) {
    while let Some(call) = calls.next().await {
        let Some(to) = call.reply else {
            continue;
        };
        let (bus, router, status) = (bus.clone(), router.clone(), Arc::clone(&status));
        tokio::spawn(async move {
            let mut answer = answer_one(router, &call.payload).await;
            // What was changed is in the stream by now.
            let message = status.shown().to_string();
            answer
                .headers
                .push((MESSAGE.to_string(), message.into_bytes()));
            if let Ok(answer) = postcard::to_stdvec(&answer) {
                bus.answer(to, answer).await;
            }
        });
    }
}

async fn answer_one(mut router: Router, call: &[u8]) -> Passed {
    let refused = |status: StatusCode| Passed {
        line: (status.as_u16().to_string(), String::new()),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let Ok(call) = postcard::from_bytes::<Passed>(call) else {
        return refused(StatusCode::BAD_REQUEST);
    };
    let (Ok(method), Ok(uri)) = (call.line.0.parse::<Method>(), call.line.1.parse::<Uri>()) else {
        return refused(StatusCode::BAD_REQUEST);
    };
    let mut request = Request::new(Body::from(call.body));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = unpacked(call.headers);
    // A router is always ready, and never fails.
    let Ok(response) = router.call(request).await;
    let (parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, ANSWER_BYTES_MAX).await else {
        return refused(StatusCode::PAYLOAD_TOO_LARGE);
    };
    Passed {
        line: (parts.status.as_u16().to_string(), String::new()),
        headers: packed(&parts.headers),
        body: body.to_vec(),
    }
}

fn packed(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let pack = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_owned(), value.as_bytes().to_vec())
    };
    headers.iter().map(pack).collect()
}

fn unpacked(headers: Vec<(String, Vec<u8>)>) -> HeaderMap {
    let unpack = |(name, value): (String, Vec<u8>)| {
        Some((name.parse().ok()?, HeaderValue::from_bytes(&value).ok()?))
    };
    headers
        .into_iter()
        .filter_map(unpack)
        .collect::<HeaderMap>()
}
