//! How a server stands among those that share its log; a leaf.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use shared::{NodeAnswer, Span};

/// How a server stands, for those who watch over it. Shared by its parts.
#[derive(Debug)]
pub(crate) struct NodeStatus {
    /// The server's own name.
    pub(crate) node: String,
    leader: Mutex<Option<String>>,
    is_leading: AtomicBool,
    /// The message of the stream up to which it shows everything, and how many it has
    /// not shown yet.
    shown: AtomicU64,
    behind: AtomicU64,
    /// How long the newest batch was on its way from the leader, in µs.
    hop: AtomicU64,
}

impl NodeStatus {
    pub(crate) fn new(node: &str) -> Self {
        Self {
            node: node.to_owned(),
            leader: Mutex::default(),
            is_leading: AtomicBool::new(false),
            shown: AtomicU64::new(0),
            behind: AtomicU64::new(0),
            hop: AtomicU64::new(0),
        }
    }

    /// Who leads, if that is known.
    pub(crate) fn leader(&self) -> Option<String> {
        let leader = self.leader.lock().unwrap_or_else(PoisonError::into_inner);
        leader.clone()
    }

    pub(crate) fn set_leader(&self, leader: Option<String>) {
        *self.leader.lock().unwrap_or_else(PoisonError::into_inner) = leader;
    }

    /// Whether this server leads.
    pub(crate) fn is_leading(&self) -> bool {
        self.is_leading.load(Ordering::Acquire)
    }

    pub(crate) fn set_leading(&self, is_leading: bool) {
        self.is_leading.store(is_leading, Ordering::Release);
        if is_leading {
            self.set_behind(0);
            self.set_leader(Some(self.node.clone()));
        }
    }

    /// The message of the stream up to which it shows everything.
    pub(crate) fn shown(&self) -> u64 {
        self.shown.load(Ordering::Acquire)
    }

    pub(crate) fn set_shown(&self, message: u64) {
        self.shown.store(message, Ordering::Release);
    }

    /// How many messages of the stream it has not shown yet.
    pub(crate) fn behind(&self) -> u64 {
        self.behind.load(Ordering::Relaxed)
    }

    pub(crate) fn set_behind(&self, messages: u64) {
        self.behind.store(messages, Ordering::Relaxed);
    }

    /// How long the newest batch was on its way from the leader, by the clocks of both.
    pub(crate) fn hop(&self) -> Span {
        Span::from_micros(i64::try_from(self.hop.load(Ordering::Relaxed)).unwrap_or(i64::MAX))
    }

    pub(crate) fn set_hop(&self, hop: Span) {
        let micros = u64::try_from(hop.to_duration().as_micros()).unwrap_or(u64::MAX);
        self.hop.store(micros, Ordering::Relaxed);
    }

    /// For those who ask.
    pub(crate) fn answer(&self) -> NodeAnswer {
        NodeAnswer {
            node: Some(self.node.clone()),
            leader: self.leader(),
            behind: self.behind(),
            hop_us: match self.is_leading() {
                true => 0,
                false => self.hop.load(Ordering::Relaxed),
            },
            mirrors: None,
        }
    }

    /// In one line.
    pub(crate) fn line(&self) -> String {
        let node = &self.node;
        match (self.is_leading(), self.leader()) {
            (true, _) => format!("node: {node}, which leads"),
            (false, Some(leader)) => format!(
                "node: {node}, behind {leader} by {} messages, the newest took {:.1} ms",
                self.behind(),
                1_000.0 * self.hop().seconds()
            ),
            (false, None) => format!("node: {node}, and no leader"),
        }
    }
}
