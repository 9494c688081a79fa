//! What the server goes on with when it begins again; a leaf.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::catalogue::Catalogue;
use crate::feed::Feed;

/// The feed that follows the one that runs, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Successor {
    next: Mutex<Option<(Catalogue, Feed)>>,
    has_next: Notify,
}

impl Successor {
    /// Lets the server go on with this feed.
    pub(crate) fn set(&self, opened: (Catalogue, Feed)) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some(opened);
        self.has_next.notify_one();
    }

    /// Completes when there is a feed to go on with.
    pub(crate) async fn is_there(&self) {
        self.has_next.notified().await;
    }

    /// The feed to go on with.
    pub(crate) fn take(&self) -> Option<(Catalogue, Feed)> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.take()
    }
}
