//! A server that shares a log, before it runs.

use std::fmt;
use std::sync::Arc;

use shared::{Checkpoint, FeedStatus, Interval};

use super::Seat;
use super::missed::Missed;
use super::node::Node;
use super::older::MemberOlder;
use super::saved::{Heritage, Saved};
use crate::alerts::PastAlerts;
use crate::feed::{About, Feed, Older, Upstream};
use crate::flow::FlowParts;
use crate::standing::NodeStatus;

/// A server that shares a log, before it runs.
pub(crate) struct Member {
    about: About,
    pub(super) seat: Seat,
    pub(super) start: Beginning,
    pub(super) older: Arc<MemberOlder>,
}

/// Where it begins.
pub(super) enum Beginning {
    /// At a checkpoint of the stream.
    Saved(Box<Saved>),
    /// With a log of its own, which is the stream's if it is the first to lead.
    /// What servers knew beside an earlier log goes on, if it is known.
    Anew(Box<Feed>, Option<Heritage>),
}

impl Member {
    pub(super) fn following(about: About, seat: Seat, saved: Saved) -> Self {
        Self {
            about,
            older: seat.older(Some(&saved.checkpoint)),
            seat,
            start: Beginning::Saved(Box::new(saved)),
        }
    }

    pub(super) fn anew(seat: Seat, feed: Feed, heritage: Option<Heritage>) -> Self {
        Self {
            about: feed.about().clone(),
            older: seat.older(None),
            seat,
            start: Beginning::Anew(Box::new(feed), heritage),
        }
    }

    /// What it reports about itself.
    pub(crate) fn about(&self) -> &About {
        &self.about
    }

    /// Where it begins, if there is a log already.
    pub(crate) fn checkpoint(&self) -> Option<&Checkpoint> {
        match &self.start {
            Beginning::Saved(saved) => Some(&saved.checkpoint),
            Beginning::Anew(..) => None,
        }
    }

    /// The feed's state at that point.
    pub(crate) fn status(&self) -> FeedStatus {
        match &self.start {
            Beginning::Saved(saved) => saved.checkpoint.feed.clone(),
            Beginning::Anew(feed, _) => feed.status(),
        }
    }

    /// The alerts at that point.
    pub(crate) fn past_alerts(&self) -> Option<PastAlerts> {
        match &self.start {
            Beginning::Saved(saved) => Some(saved.past_alerts()),
            Beginning::Anew(_, Some(heritage)) => Some(heritage.alerts.clone()),
            Beginning::Anew(_, None) => None,
        }
    }

    /// What the feed had to know to make the past that the servers have.
    pub(crate) fn origin(&self) -> Option<String> {
        match &self.start {
            Beginning::Saved(saved) => saved.origin.clone(),
            Beginning::Anew(..) => None,
        }
    }

    /// The feed of a log of its own, if there is none yet.
    pub(crate) fn own(&self) -> Option<&Feed> {
        match &self.start {
            Beginning::Saved(_) => None,
            Beginning::Anew(feed, _) => Some(feed),
        }
    }

    /// The same, to be changed.
    pub(crate) fn own_mut(&mut self) -> Option<&mut Feed> {
        match &mut self.start {
            Beginning::Saved(_) => None,
            Beginning::Anew(feed, _) => Some(feed),
        }
    }

    /// The candles of before.
    pub(crate) fn older(&self) -> Arc<dyn Older> {
        Arc::clone(&self.older) as Arc<dyn Older>
    }

    /// What it has missed, if there is a log already.
    pub(crate) fn missed(&self) -> Option<Missed> {
        self.checkpoint()?;
        Some(Missed {
            older: self.older(),
            new: match self.seat.feed.knows_its_past() {
                // The others are asked for by whoever leads.
                true => vec![Interval::S1, Interval::S5],
                false => Interval::ALL.to_vec(),
            },
        })
    }

    /// How it stands among the others.
    pub(crate) fn node(&self) -> Arc<NodeStatus> {
        Arc::clone(&self.seat.status)
    }

    /// Whom calls are passed to that change something.
    pub(crate) fn upstream(&self) -> Arc<dyn Upstream> {
        Arc::clone(&self.seat.leader) as Arc<dyn Upstream>
    }

    /// Shares the log until the server stops.
    ///
    /// # Errors
    ///
    /// It cannot go on.
    pub(crate) async fn run(self: Box<Self>, parts: FlowParts) -> Result<(), String> {
        Node::run(*self, parts).await
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Member")
            .field("about", &self.about)
            .finish_non_exhaustive()
    }
}
