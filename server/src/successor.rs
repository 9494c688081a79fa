//! What the server goes on with when it begins again.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::catalogue::Catalogue;
use crate::feed::{Feed, Heir};
use crate::intake::Intake;

/// What follows what runs now, if there is something.
#[derive(Debug, Default)]
pub(crate) struct Successor {
    next: Mutex<Option<(Catalogue, Intake)>>,
    has_next: Notify,
}

impl Successor {
    /// Lets the server go on with this.
    pub(crate) fn set(&self, opened: (Catalogue, Intake)) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some(opened);
        self.has_next.notify_one();
    }

    /// Completes when there is something to go on with.
    pub(crate) async fn is_there(&self) {
        self.has_next.notified().await;
    }

    /// What there is to go on with.
    pub(crate) fn take(&self) -> Option<(Catalogue, Intake)> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        next.take()
    }
}

impl Heir for Successor {
    fn begin_again(&self, (catalogue, feed): (Catalogue, Feed)) {
        self.set((catalogue, feed.into()));
    }
}
