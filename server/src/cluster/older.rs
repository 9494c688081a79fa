//! Candles of before a server joined: the leader has them.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use shared::{Candle, Checkpoint, Interval, Time};

use crate::feed::{Older, OlderBars, OlderError, Upstream, UpstreamBars};
use crate::standing::NodeStatus;

/// Candles of before, from the leader; and at the leader, from its feed.
#[derive(Debug)]
pub(super) struct MemberOlder {
    status: Arc<NodeStatus>,
    theirs: OlderBars<Arc<UpstreamBars>>,
    own: Mutex<Option<Arc<dyn Older>>>,
}

impl MemberOlder {
    /// Of a server that begins at this checkpoint, if there is one.
    pub(super) fn new(
        leader: Arc<dyn Upstream>,
        status: Arc<NodeStatus>,
        checkpoint: Option<&Checkpoint>,
    ) -> Self {
        let bars = Arc::new(UpstreamBars::new(leader, checkpoint));
        Self {
            status,
            theirs: OlderBars::new(bars),
            own: Mutex::default(),
        }
    }

    /// Passes the past that the feed of this server makes or fetches.
    pub(super) fn set_own(&self, own: Option<Arc<dyn Older>>) {
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = own;
    }

    fn own(&self) -> Option<Arc<dyn Older>> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.clone()
    }
}

impl Older for MemberOlder {
    fn until(&self) -> Time {
        match self.status.is_leading() {
            true => self.own().map_or(Time::MIN, |own| own.until()),
            false => Time::MIN,
        }
    }

    fn replaces_store(&self) -> bool {
        // That may have a hole, from when this server was away.
        !self.status.is_leading()
    }

    fn before(
        &self,
        instrument: usize,
        interval: Interval,
        first: Time,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Candle>, OlderError>> {
        if !self.status.is_leading() {
            return self.theirs.before(instrument, interval, first, limit);
        }
        Box::pin(async move {
            match self.own() {
                Some(own) => own.before(instrument, interval, first, limit).await,
                None => Ok(Vec::new()),
            }
        })
    }
}
