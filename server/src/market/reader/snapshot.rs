//! The present states of symbols, for readers that cannot resume from their
//! cursor.

use std::sync::Arc;

use shared::{Cursor, FeedStatus, ServerMessage, SnapshotReason, StoreStatus};

use super::super::frame::{status_message, store_message};
use super::super::snapshots::Form;
use super::super::states::States;
use super::super::{Frame, Market, SymbolSet};
use super::merge::Merged;
use crate::encoding::Encoding;

/// The states of symbols at a position, and the status of the feed and the
/// store at that moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) cursor: Cursor,
    set: Arc<SymbolSet>,
    states: States,
    feed: FeedStatus,
    store: Option<StoreStatus>,
}

impl Snapshot {
    pub(super) fn of(market: &Market, set: Arc<SymbolSet>) -> Self {
        let published = market.published();
        Self {
            cursor: market.cursor_at(published.log.head()),
            set,
            states: published.states.clone(),
            feed: published
                .standing
                .as_ref()
                .unwrap_or(&published.feed)
                .clone(),
            store: published.store.clone(),
        }
    }

    pub(super) fn frames(
        self,
        market: &Market,
        encoding: &dyn Encoding,
        reason: SnapshotReason,
    ) -> Vec<Frame> {
        let (cursor, set) = (self.cursor, &self.set);
        let encode = || {
            let message = ServerMessage::Snapshot {
                reason,
                cursor,
                symbols: market.states(&self.states, set),
            };
            Some(Merged {
                frames: Vec::from_iter(Frame::new(encoding, &message)),
                position: cursor.seq,
            })
        };
        let form = Form::message(encoding, reason);
        let made = market.snapshots.get(set, form, cursor.seq, encode);
        let snapshot = made.map(|made| made.frames).unwrap_or_default();
        let feed = status_message(self.feed, None);
        let store = self.store.map(|status| store_message(status, None));
        let others = [feed].into_iter().chain(store);
        let others = others.filter_map(|message| Frame::new(encoding, &message));
        snapshot.into_iter().chain(others).collect()
    }
}
