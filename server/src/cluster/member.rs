//! A server that shares a log, before it runs.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use shared::Checkpoint;

use super::node::Node;
use super::older::MemberOlder;
use super::saved::Saved;
use super::{NodeStatus, Seat};
use crate::alerts::PastAlerts;
use crate::feed::{Feed, MemberParts, Older, SharedMember, Upstream};

/// A server that shares a log, before it runs.
pub(super) struct Member {
    pub(super) seat: Seat,
    pub(super) start: Start,
    pub(super) older: Arc<MemberOlder>,
}

/// Where it begins.
pub(super) enum Start {
    /// At a checkpoint of the stream.
    Saved(Box<Saved>),
    /// With a log of its own, which is the stream's if it is the first to lead.
    /// What servers knew beside an earlier log goes on, if it is known.
    Anew(Box<Feed>, Option<Box<Saved>>),
}

impl Member {
    pub(super) fn following(seat: Seat, saved: Saved) -> Self {
        let older = seat.older(Some(&saved.checkpoint));
        let start = Start::Saved(Box::new(saved));
        Self { seat, start, older }
    }

    pub(super) fn anew(seat: Seat, feed: Feed, saved: Option<Box<Saved>>) -> Self {
        let older = seat.older(None);
        older.set_own(feed.older());
        let start = Start::Anew(Box::new(feed), saved);
        Self { seat, start, older }
    }
}

impl SharedMember for Member {
    fn checkpoint(&self) -> Option<&Checkpoint> {
        match &self.start {
            Start::Saved(saved) => Some(&saved.checkpoint),
            Start::Anew(..) => None,
        }
    }

    fn past_alerts(&self) -> Option<PastAlerts> {
        match &self.start {
            Start::Saved(saved) | Start::Anew(_, Some(saved)) => Some(saved.past_alerts()),
            Start::Anew(_, None) => None,
        }
    }

    fn own(&self) -> Option<&Feed> {
        match &self.start {
            Start::Saved(_) => None,
            Start::Anew(feed, _) => Some(feed),
        }
    }

    fn own_mut(&mut self) -> Option<&mut Feed> {
        match &mut self.start {
            Start::Saved(_) => None,
            Start::Anew(feed, _) => Some(feed),
        }
    }

    fn older(&self) -> Arc<dyn Older> {
        Arc::clone(&self.older) as Arc<dyn Older>
    }

    fn status(&self) -> Arc<NodeStatus> {
        Arc::clone(&self.seat.status)
    }

    fn upstream(&self) -> Arc<dyn Upstream> {
        Arc::clone(&self.seat.leader) as Arc<dyn Upstream>
    }

    fn run(self: Box<Self>, parts: MemberParts) -> BoxFuture<'static, Result<(), String>> {
        Box::pin(Node::run(*self, parts))
    }
}
