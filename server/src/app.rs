//! The state that all handlers share.

use std::sync::Arc;
use std::time::Duration;

use shared::Epoch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::alerts::AlertBook;
use crate::api::Page;
use crate::deliveries::Deliveries;
use crate::feed::{Remote, Upstream};
use crate::limits::Bounds;
use crate::market::Market;
use crate::metrics::Metrics;
use crate::standing::NodeStatus;
use crate::store::{Archive, Health};
use crate::successor::Successor;
use crate::transports::ws::push::Push;
use crate::uploads::Uploads;

/// The state that all handlers share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// The log and the states of the symbols.
    pub market: Arc<Market>,
    /// The alerts.
    pub alerts: Arc<AlertBook>,
    /// The market's candles, in memory and in the store.
    pub archive: Archive,
    /// The store's health, if there is a store.
    pub store: Option<Health>,
    /// Writes to the WebSockets that are up to date.
    pub(crate) push: Arc<Push>,
    /// Pending deliveries to the receivers of webhooks.
    pub(crate) webhooks: Arc<[Arc<Deliveries>]>,
    /// The server's counters.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the server shuts down: streams and waiting requests end.
    pub shutdown: CancellationToken,
    /// The open connections.
    pub connections: TaskTracker,
    /// How long a feed that reports itself live may be silent.
    pub silence_max: Duration,
    /// Reaches the replay, if the feed is one.
    pub replay: Option<Remote>,
    /// What the server goes on with when it begins again.
    pub(crate) successor: Arc<Successor>,
    /// Whom calls are passed to that change something, if its log is mirrored.
    pub(crate) upstream: Option<Arc<dyn Upstream>>,
    /// A name for this start of the server, which no other has.
    pub(crate) start: Epoch,
    /// How this server stands among those that share its log, if it is shared.
    pub(crate) node: Option<Arc<NodeStatus>>,
    /// Takes in files to be replayed, if people may bring some.
    pub(crate) uploads: Option<Uploads>,
    /// Checks which requests are allowed.
    pub access: Access,
    /// What clients can take, at most.
    pub(crate) bounds: Bounds,
    /// The page's files.
    pub page: Page,
    /// The path prefix under which a proxy serves the server; empty for none.
    pub base_path: Arc<str>,
}
