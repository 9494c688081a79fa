//! Calls to a venue: as many a second as it allows, and none while it asks to wait.

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use axum::http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, sleep_until, timeout};

use crate::http::dial::Dialer;
use crate::http::outgoing::{REST, REST_MAX, asked_pause, cause};
use venues::{Malformed, Venue};

/// The timeout for an answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// An answer has no more bytes than this: the list of a venue's markets is the
/// longest.
const ANSWER_BYTES_MAX: usize = 64_000_000;

/// Why a call was not answered, in words that follow the venue's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
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
    /// The newest trades that it gives do not reach back to its newest bar.
    #[error("it does not give all trades of the newest minutes")]
    Incomplete,
    /// An answer that is not what is known.
    #[error("its answer cannot be read: {0}")]
    Malformed(String),
}

/// Calls one venue.
#[derive(Debug)]
pub(super) struct Calls {
    venue: &'static dyn Venue,
    client: Client<Dialer, Empty<Bytes>>,
    base: String,
    headers: HeaderMap,
    /// The time between two calls.
    gap: Duration,
    /// When the next call may be made.
    next: Mutex<Instant>,
    /// Until when the venue wants no calls; of all who call it.
    rest_until: Arc<Mutex<Instant>>,
}

impl Calls {
    /// Calls that may take this share of what the venue allows.
    pub(super) fn new(dialer: Dialer, base: &str, venue: &'static dyn Venue, share: f64) -> Self {
        let agent = concat!("tickwire/", env!("CARGO_PKG_VERSION"));
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        if let Some((name, value)) = venue.header() {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        let now = Instant::now();
        Self {
            venue,
            client: Client::builder(TokioExecutor::new()).build(dialer),
            base: base.to_owned(),
            headers,
            gap: Duration::from_secs_f64(1.0 / (share * venue.calls_per_second())),
            next: Mutex::new(now),
            rest_until: Arc::new(Mutex::new(now)),
        }
    }

    /// Other calls of the same venue, which do not wait for these, and may take this
    /// share of what it allows.
    pub(super) fn beside(&self, share: f64) -> Self {
        Self {
            venue: self.venue,
            client: self.client.clone(),
            base: self.base.clone(),
            headers: self.headers.clone(),
            gap: Duration::from_secs_f64(1.0 / (share * self.venue.calls_per_second())),
            next: Mutex::new(Instant::now()),
            rest_until: Arc::clone(&self.rest_until),
        }
    }

    /// The venue that is called.
    pub(super) fn venue(&self) -> &'static dyn Venue {
        self.venue
    }

    /// What `parse` makes of the answer to a call, which waits for its turn.
    pub(super) async fn ask<T>(
        &self,
        path: &str,
        parse: impl FnOnce(&dyn Venue, &str) -> Result<T, Malformed>,
    ) -> Result<T, CallError> {
        sleep_until(self.turn()).await;
        // What the venue wants may have changed in the meantime.
        while self.rest_until() > Instant::now() {
            sleep_until(self.turn()).await;
        }
        let answer = timeout(PATIENCE, self.call(path)).await;
        let body = answer.unwrap_or_else(|_| {
            let words = format!("it did not answer within {} s", PATIENCE.as_secs());
            Err(CallError::Net(words))
        })?;
        parse(self.venue, &body).map_err(|error| {
            if self.venue.is_limit(&error.0) {
                self.rest(REST);
                return CallError::Limited;
            }
            CallError::Malformed(error.0)
        })
    }

    /// When the next call may be made, which is made then.
    fn turn(&self) -> Instant {
        let mut next = lock(&self.next);
        let turn = (*next).max(self.rest_until()).max(Instant::now());
        *next = turn + self.gap;
        turn
    }

    fn rest_until(&self) -> Instant {
        *lock(&self.rest_until)
    }

    /// Makes no calls for so long.
    fn rest(&self, pause: Duration) {
        let until = Instant::now() + pause.min(REST_MAX);
        let mut rest_until = lock(&self.rest_until);
        *rest_until = (*rest_until).max(until);
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
        let body = String::from_utf8(body.to_bytes().into())
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

fn lock(instant: &Mutex<Instant>) -> MutexGuard<'_, Instant> {
    // Each change is one step, so a poisoned lock is safe to use.
    instant.lock().unwrap_or_else(PoisonError::into_inner)
}
