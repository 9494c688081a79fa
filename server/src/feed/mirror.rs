//! Feeds whose entries another server has numbered.

use std::fmt;
use std::sync::Arc;

use axum::http::{Request, Response};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use shared::{Alert, Checkpoint, FeedStatus, SnapshotReason};
use tokio::sync::mpsc;

use super::{Catalogue, Feed, Gone, Older, Running};
use crate::entries::Entries;

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

/// Takes what the server goes on with when a feed cannot go on where it stands.
pub(crate) trait Heir: fmt::Debug + Send + Sync {
    /// Lets the server begin again with this feed.
    fn begin_again(&self, opened: (Catalogue, Feed));
}

/// Where a mirror sends entries.
#[derive(Debug)]
pub struct MirrorSender {
    channel: mpsc::Sender<MirrorEvent>,
    heir: Arc<dyn Heir>,
}

impl MirrorSender {
    /// A sender, and the market's end. What a mirror begins anew with goes to the heir.
    pub(super) fn new(heir: Arc<dyn Heir>) -> (Self, mpsc::Receiver<MirrorEvent>) {
        let (channel, events) = mpsc::channel(CHANNEL_ENTRIES);
        (Self { channel, heir }, events)
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
        self.heir.begin_again(opened);
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
