//! Calls to a venue: as many a second as it allows, and none while it asks to wait.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use axum::http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, sleep_until, timeout};

use super::dial::Dialer;
use crate::http::outgoing::{cause, pause};
use venues::Venue;

/// The timeout for an answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// An answer has no more bytes than this: the list of a venue's markets is the
/// longest.
const ANSWER_BYTES_MAX: usize = 64_000_000;
/// How long calls rest if a venue refuses more of them and does not say how long.
const REST: Duration = Duration::from_secs(10);
/// A venue is not believed to want a longer rest.
const REST_MAX: Duration = Duration::from_secs(600);

/// Why a call was not answered, in words that follow the venue's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CallError {
    /// It cannot be reached, or breaks off.
    #[error("{0}")]
    Net(String),
    /// It refuses whoever calls from here.
    #[error("it refuses this location (HTTP {0})")]
    Location(u16),
    /// There were too many calls.
    #[error("it wants fewer calls")]
    Limited,
    /// Any other answer than a success.
    #[error("it answered HTTP {0}: {1}")]
    Status(u16, String),
    /// An answer that is not what is known.
    #[error("its answer cannot be read: {0}")]
    Malformed(String),
}

/// Calls one venue.
#[derive(Debug)]
pub(super) struct Calls {
    client: Client<Dialer, Empty<Bytes>>,
    base: String,
    headers: HeaderMap,
    /// The time between two calls.
    gap: Duration,
    /// When the next call may be made.
    next: Mutex<Instant>,
}

impl Calls {
    pub(super) fn new(dialer: Dialer, base: &str, venue: &dyn Venue) -> Self {
        let agent = concat!("tickwire/", env!("CARGO_PKG_VERSION"));
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        if let Some((name, value)) = venue.header() {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        Self {
            client: Client::builder(TokioExecutor::new()).build(dialer),
            base: base.to_owned(),
            headers,
            gap: Duration::from_secs_f64(1.0 / venue.calls_per_second()),
            next: Mutex::new(Instant::now()),
        }
    }

    /// The body of the answer to a call, which waits for its turn.
    pub(super) async fn get(&self, path: &str) -> Result<String, CallError> {
        sleep_until(self.turn()).await;
        let answer = timeout(PATIENCE, self.call(path)).await;
        answer.unwrap_or_else(|_| {
            let words = format!("it did not answer within {} s", PATIENCE.as_secs());
            Err(CallError::Net(words))
        })
    }

    /// When the next call may be made, which is made then.
    fn turn(&self) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*next).max(Instant::now());
        *next = turn + self.gap;
        turn
    }

    /// Makes no calls for so long.
    fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause.min(REST_MAX);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(until);
    }

    /// Makes no calls for a while: the venue does not say for how long.
    pub(super) fn rest_a_while(&self) {
        self.rest(REST);
    }

    async fn call(&self, path: &str) -> Result<String, CallError> {
        let net = |error: &(dyn Error + 'static)| CallError::Net(cause(error).to_string());
        let uri: Uri = format!("{}{path}", self.base)
            .parse()
            .map_err(|error| net(&error))?;
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = uri;
        request.headers_mut().extend(self.headers.clone());
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| net(&error))?;
        let status = answer.status();
        if let Some(wait) = asked_pause(status, answer.headers()) {
            self.rest(wait);
            return Err(CallError::Limited);
        }
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX);
        let body = body.collect().await;
        let body = body.map_err(|error| CallError::Net(error.to_string()))?;
        let body = String::from_utf8(body.to_bytes().to_vec())
            .map_err(|error| CallError::Malformed(error.to_string()))?;
        match status {
            _ if status.is_success() => Ok(body),
            StatusCode::FORBIDDEN | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => {
                Err(CallError::Location(status.as_u16()))
            }
            _ => Err(CallError::Status(
                status.as_u16(),
                body.chars().take(80).collect(),
            )),
        }
    }
}

/// How long a venue wants no calls, if it wants that: 418 is Binance's for who did not
/// obey 429.
pub(super) fn asked_pause(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    if !matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::IM_A_TEAPOT
    ) {
        return None;
    }
    let wait = headers.get(RETRY_AFTER);
    let wait = wait.and_then(|wait| pause(wait.to_str().ok()?.trim(), SystemTime::now()));
    Some(wait.unwrap_or(REST))
}
