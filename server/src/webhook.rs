//! Tells another program of each alert that fires, by an HTTP request.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, Uri, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rand::RngExt as _;
use shared::Firing;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::error::Elapsed;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How often one firing is told, at most, until it is taken.
const TRIES_MAX: u32 = 5;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The wait before the second try; twice as long before each one after.
const BACKOFF: Duration = Duration::from_secs(1);

/// Where firings are told, one after the other.
#[derive(Debug)]
pub(crate) struct Webhook {
    url: Uri,
    client: Client<HttpsConnector<HttpConnector>, Body>,
}

/// Why a firing was not taken.
#[derive(Debug, thiserror::Error)]
enum Refused {
    /// The answer was no success.
    #[error("it answered {0}")]
    Status(StatusCode),
    /// The request could not be sent.
    #[error(transparent)]
    Unreachable(#[from] hyper_util::client::legacy::Error),
    /// The request could not be made.
    #[error(transparent)]
    Request(#[from] axum::http::Error),
    /// A firing could not be written.
    #[error(transparent)]
    Firing(#[from] serde_json::Error),
    /// There was none.
    #[error("it did not answer in time")]
    Silent(#[from] Elapsed),
}

impl Refused {
    /// Whether it may be taken another time: not if the request itself is what
    /// is wrong.
    fn is_passing(&self) -> bool {
        match self {
            Self::Status(status) => {
                !status.is_client_error()
                    || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(status)
            }
            Self::Unreachable(_) | Self::Silent(_) => true,
            Self::Request(_) | Self::Firing(_) => false,
        }
    }
}

impl Webhook {
    /// Requests to this address.
    ///
    /// # Errors
    ///
    /// This machine cannot check certificates.
    pub(crate) fn new(url: Uri) -> std::io::Result<Self> {
        let provider = rustls::crypto::ring::default_provider();
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_platform_verifier(provider)?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { url, client })
    }

    /// Tells of each firing until the server stops. The market waits for none
    /// of it: one that falls too far behind misses firings, and the log says so.
    pub(crate) async fn run(self, mut firings: Receiver<Firing>, stop: CancellationToken) {
        let telling = async {
            loop {
                match firings.recv().await {
                    Ok(firing) => self.tell(&firing).await,
                    Err(RecvError::Lagged(count)) => {
                        tracing::warn!(count, "the webhook is too slow; it was not told of alerts");
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        };
        stop.run_until_cancelled(telling).await;
    }

    async fn tell(&self, firing: &Firing) {
        let mut wait = BACKOFF;
        for left in (0..TRIES_MAX).rev() {
            let Err(error) = self.request(firing).await else {
                return;
            };
            // Without the address: that may be a secret.
            let (alert, count) = (firing.id, firing.count);
            if left == 0 || !error.is_passing() {
                tracing::warn!(alert, count, %error, "the webhook was not told of an alert");
                return;
            }
            tracing::debug!(alert, count, %error, left, "the webhook is told again");
            let share = rand::rng().random_range(0.5..1.0);
            sleep(wait.mul_f64(share)).await;
            wait *= 2;
        }
    }

    async fn request(&self, firing: &Firing) -> Result<(), Refused> {
        let agent = concat!("tickwire/", env!("CARGO_PKG_VERSION"));
        let request = Request::post(&self.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, agent)
            .body(Body::from(serde_json::to_vec(firing)?))?;
        let status = timeout(PATIENCE, self.client.request(request))
            .await??
            .status();
        if status.is_success() {
            Ok(())
        } else {
            Err(Refused::Status(status))
        }
    }
}
