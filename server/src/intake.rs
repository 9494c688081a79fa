//! Where the log's entries come from: a feed, or the servers that share the log.

use std::sync::Arc;

use shared::{Checkpoint, FeedStatus, SnapshotReason};

use crate::alerts::PastAlerts;
use crate::cluster::{Member, Missed};
use crate::feed::{About, Events, Feed, Heir, Mirror, Older, Upstream};
use crate::flow::{Flow, FlowParts};
use crate::market::Start;
use crate::standing::NodeStatus;

/// Where the log's entries come from.
#[derive(Debug)]
pub struct Intake(Kind);

#[derive(Debug)]
enum Kind {
    /// A feed, whose entries are numbered here, or by the one server that it mirrors.
    Feed(Feed),
    /// The log is shared; its servers number it by turns.
    Shared(Box<Member>),
}

impl From<Feed> for Intake {
    fn from(feed: Feed) -> Self {
        Self(Kind::Feed(feed))
    }
}

impl From<Member> for Intake {
    fn from(member: Member) -> Self {
        Self(Kind::Shared(Box::new(member)))
    }
}

impl Intake {
    /// What it reports about itself.
    pub fn about(&self) -> &About {
        match &self.0 {
            Kind::Feed(feed) => feed.about(),
            Kind::Shared(member) => member.about(),
        }
    }

    /// The feed of this server itself, if it begins with that.
    pub(crate) fn own(&self) -> Option<&Feed> {
        match &self.0 {
            Kind::Feed(feed) => Some(feed),
            Kind::Shared(member) => member.own(),
        }
    }

    /// The same, to be changed.
    pub(crate) fn own_mut(&mut self) -> Option<&mut Feed> {
        match &mut self.0 {
            Kind::Feed(feed) => Some(feed),
            Kind::Shared(member) => member.own_mut(),
        }
    }

    fn mirror(&self) -> Option<&dyn Mirror> {
        match &self.0 {
            Kind::Feed(feed) => feed.mirror(),
            Kind::Shared(_) => None,
        }
    }

    fn member(&self) -> Option<&Member> {
        match &self.0 {
            Kind::Feed(_) => None,
            Kind::Shared(member) => Some(member),
        }
    }

    /// Whether the log is that of other servers, too.
    pub(crate) fn is_of_others(&self) -> bool {
        self.mirror().is_some() || self.member().is_some()
    }

    /// Where the log begins at this server, if it goes on from another one's.
    pub(crate) fn checkpoint(&self) -> Option<&Checkpoint> {
        match &self.0 {
            Kind::Feed(feed) => feed.checkpoint(),
            Kind::Shared(member) => member.checkpoint(),
        }
    }

    /// Where the log begins at this server.
    pub(crate) fn start(&self) -> Start {
        let reason = self.mirror().and_then(Mirror::reason);
        let cursor = self.checkpoint().map(|checkpoint| checkpoint.cursor);
        Start {
            cursor: cursor.unwrap_or_else(|| Start::anew().cursor),
            is_jump: reason == Some(SnapshotReason::Jumped),
            is_of_others: self.is_of_others(),
        }
    }

    /// The feed's state at the start.
    pub(crate) fn status(&self) -> FeedStatus {
        match &self.0 {
            Kind::Feed(feed) => feed.status(),
            Kind::Shared(member) => member.status(),
        }
    }

    /// The alerts with which it begins, if other servers know them.
    pub(crate) fn past_alerts(&self) -> Option<PastAlerts> {
        match &self.0 {
            Kind::Feed(feed) => Some(PastAlerts::of_checkpoint(feed.checkpoint()?)),
            Kind::Shared(member) => member.past_alerts(),
        }
    }

    /// The candles of before.
    pub(crate) fn older(&self) -> Option<Arc<dyn Older>> {
        match &self.0 {
            Kind::Feed(feed) => feed.older(),
            Kind::Shared(member) => Some(member.older()),
        }
    }

    /// What the feed had to know to make the past that other servers have.
    pub(crate) fn origin(&self) -> Option<String> {
        self.member()?.origin()
    }

    /// What this server has missed, if the others have it.
    pub(crate) fn missed(&self) -> Option<Missed> {
        self.member()?.missed()
    }

    /// How this server stands among those that share the log.
    pub(crate) fn node(&self) -> Option<Arc<NodeStatus>> {
        Some(self.member()?.node())
    }

    /// Whom calls are passed to that change something, if that is another server.
    pub(crate) fn upstream(&self) -> Option<Arc<dyn Upstream>> {
        match self.member() {
            Some(member) => Some(member.upstream()),
            None => self.mirror().map(Mirror::upstream),
        }
    }

    /// What has to run.
    pub(crate) fn run(self, parts: FlowParts) -> Flow {
        match self.0 {
            Kind::Feed(feed) => {
                let heir = Arc::clone(&parts.successor) as Arc<dyn Heir>;
                let (events, running) = feed.start(parts.kept.clone(), heir);
                let market = Box::pin(async move {
                    let FlowParts {
                        market,
                        flush,
                        stop,
                        ..
                    } = parts;
                    match events {
                        Events::Own(events) => market.run(events, flush, stop).await,
                        Events::Mirrored(events) => market.follow(events, stop).await,
                    }
                });
                Flow {
                    feed: Some(running),
                    market,
                }
            }
            Kind::Shared(member) => Flow {
                feed: None,
                market: Box::pin(member.run(parts)),
            },
        }
    }
}
