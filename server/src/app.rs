//! What every handler can reach.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::alerts::AlertBook;
use crate::deliveries::Deliveries;
use crate::market::Market;
use crate::metrics::Metrics;
use crate::store::{Archive, Health};
use crate::transports::ws::push::Push;

/// What every handler can reach. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// The log and the standings.
    pub market: Arc<Market>,
    /// What people want to be told of.
    pub alerts: Arc<AlertBook>,
    /// The candles of it, in memory and in the store.
    pub archive: Archive,
    /// How the store does, if there is one.
    pub store: Option<Health>,
    /// Writes to the WebSockets that are up to date.
    pub(crate) push: Arc<Push>,
    /// What those who are told of alerts have still to be told.
    pub(crate) webhooks: Arc<[Arc<Deliveries>]>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the server shuts down: streams and waits end.
    pub shutdown: CancellationToken,
    /// The open connections.
    pub connections: TaskTracker,
    /// For how long nothing may come from a feed that says that it is live.
    pub silence_max: Duration,
    /// Who may ask.
    pub access: Access,
    /// The path under which a proxy shows the server; empty for none.
    pub base_path: Arc<str>,
}
