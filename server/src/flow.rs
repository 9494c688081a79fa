//! What makes the log's entries while the server runs.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::alerts::AlertBook;
use crate::deliveries::Deliveries;
use crate::feed::Running;
use crate::kept::Kept;
use crate::market::Market;
use crate::successor::Successor;

/// What runs as long as there are to be entries.
pub(crate) struct Flow {
    /// Sends the feed's events, if that is not done by turns.
    pub(crate) feed: Option<Running>,
    /// Makes entries of them.
    pub(crate) market: BoxFuture<'static, Result<(), String>>,
}

/// What that needs, whether it makes entries of a feed's events or shares a log.
pub(crate) struct FlowParts {
    pub(crate) market: Arc<Market>,
    pub(crate) alerts: Arc<AlertBook>,
    pub(crate) receivers: Vec<Arc<Deliveries>>,
    /// Answers calls of other servers.
    pub(crate) router: Router,
    pub(crate) kept: Option<Arc<Kept>>,
    pub(crate) successor: Arc<Successor>,
    pub(crate) flush: Duration,
    pub(crate) silence_max_ms: u64,
    pub(crate) trades_per_second: f64,
    pub(crate) goes_on: bool,
    pub(crate) stop: CancellationToken,
}
