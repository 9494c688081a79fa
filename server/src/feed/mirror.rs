//! Feeds whose entries another server has numbered.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Request, Response};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use shared::{Alert, Checkpoint, FeedStatus, SnapshotReason};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Catalogue, Feed, Gone, Older, Running};
use crate::alerts::{AlertBook, PastAlerts};
use crate::cluster::NodeStatus;
use crate::deliveries::Deliveries;
use crate::entries::Entries;
use crate::kept::Kept;
use crate::market::Market;
use crate::successor::Successor;

/// How many groups of entries may wait between a mirror and the market.
const CHANNEL_ENTRIES: usize = 64;

/// The log of another server, which is mirrored: it is numbered there, and judged.
pub trait Mirror: Send {
    /// Where it begins.
    fn checkpoint(&self) -> &Checkpoint;

    /// Why it begins there, if readers may have been further back.
    fn reason(&self) -> Option<SnapshotReason>;

    /// Whom calls are passed to that change something.
    fn upstream(&self) -> Arc<dyn Upstream>;

    /// The candles of before.
    fn older(&self) -> Arc<dyn Older>;

    /// Sends entries until the receiver is gone.
    fn run(self: Box<Self>, sender: MirrorSender) -> Running;
}

/// What a mirror sends.
#[derive(Clone, Debug, PartialEq)]
pub enum MirrorEvent {
    /// The entries after the one with this number.
    Entries(u64, Entries),
    /// How prices stand at this server, whatever the mirrored log says; `None` if it is
    /// as that says.
    Standing(Option<FeedStatus>),
    /// All alerts as they are there, if changes were too many to be told.
    Alerts(Vec<Alert>),
}

/// Where a mirror sends entries.
#[derive(Debug)]
pub struct MirrorSender {
    channel: mpsc::Sender<MirrorEvent>,
    successor: Arc<Successor>,
}

impl MirrorSender {
    /// A sender, and the market's end. What a mirror begins anew with goes to the
    /// successor.
    pub(crate) fn new(successor: Arc<Successor>) -> (Self, mpsc::Receiver<MirrorEvent>) {
        let (channel, events) = mpsc::channel(CHANNEL_ENTRIES);
        (Self { channel, successor }, events)
    }

    /// Sends an event.
    ///
    /// # Errors
    ///
    /// Nobody receives it.
    pub(super) async fn send(&self, event: MirrorEvent) -> Result<(), Gone> {
        self.channel.send(event).await.map_err(|_| Gone)
    }

    /// Lets the server begin again with this feed, which cannot go on where this one
    /// stands.
    pub(super) fn begin_again(&self, opened: (Catalogue, Feed)) {
        self.successor.set(opened);
    }
}

/// The server whose log is mirrored.
pub trait Upstream: fmt::Debug + Send + Sync {
    /// Whether this server itself numbers the log now.
    fn is_here(&self) -> bool {
        false
    }

    /// Its address, if it is always the same server.
    fn address(&self) -> Option<String> {
        None
    }

    /// Passes a request to it, and its answer back.
    ///
    /// # Errors
    ///
    /// It cannot be reached.
    fn pass(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreached>>;
}

/// The server whose log is mirrored cannot be reached, and why not, in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreached(pub String);

/// One of several servers with one log: now it mirrors it, now it writes it.
pub(crate) trait SharedMember: Send {
    /// Where it begins, if there is a log already.
    fn checkpoint(&self) -> Option<&Checkpoint>;

    /// The alerts at that point.
    fn past_alerts(&self) -> Option<PastAlerts>;

    /// The feed of a log of its own, if there is none yet.
    fn own(&self) -> Option<&Feed>;

    /// The same, to be changed.
    fn own_mut(&mut self) -> Option<&mut Feed>;

    /// The candles of before.
    fn older(&self) -> Arc<dyn Older>;

    /// How it stands among the others.
    fn status(&self) -> Arc<NodeStatus>;

    /// Whom calls are passed to that change something.
    fn upstream(&self) -> Arc<dyn Upstream>;

    /// Shares the log until the server stops.
    ///
    /// # Errors
    ///
    /// It cannot go on.
    fn run(self: Box<Self>, parts: MemberParts) -> BoxFuture<'static, Result<(), String>>;
}

/// What a server needs to share a log.
pub(crate) struct MemberParts {
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
