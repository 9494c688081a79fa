//! The page's side of the four transports: one interface, one supervisor that
//! reconnects and switches, one cursor that outlives every connection.

pub(crate) mod alerts;
mod backoff;
pub(crate) mod catalogue;
pub(crate) mod history;
pub(crate) mod http;
mod ladder;
mod link;
mod patience;
mod poll;
mod session;
mod sse;
pub(crate) mod timekeeper;
mod ws;

use shared::Transport;

pub use link::{Link, LinkState, Phase};
pub(crate) use patience::within;
pub use session::{Counters, Session, now_ms};

/// The path that a transport requests next, as it is sent.
pub(crate) fn path(session: &Session, transport: Transport) -> String {
    http::sent_path(&match transport {
        Transport::WebSocket => ws::path(session),
        Transport::Sse => sse::path(session),
        Transport::LongPoll => poll::path(session, poll::WAIT_MS),
        Transport::Poll => poll::path(session, 0),
    })
}

/// The transports that a person can choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The best transport that gets through.
    Auto,
    /// This one, and no other.
    Only(Transport),
}

impl Choice {
    /// All of them, in the order in which the page shows them.
    pub const ALL: [Self; 5] = [
        Self::Auto,
        Self::Only(Transport::WebSocket),
        Self::Only(Transport::Sse),
        Self::Only(Transport::LongPoll),
        Self::Only(Transport::Poll),
    ];

    /// The label on the page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Auto => "Auto",
            Self::Only(transport) => transport.label(),
        }
    }

    /// The name in links and settings.
    pub fn key(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Only(transport) => transport.key(),
        }
    }

    /// The choice with this name; [`Self::Auto`] if there is none.
    pub fn of_key(key: &str) -> Self {
        key.parse().map_or(Self::Auto, Self::Only)
    }

    /// The next choice; the first one after the last.
    pub fn next(self) -> Self {
        let place = Self::ALL.iter().position(|choice| *choice == self);
        Self::ALL[place.map_or(0, |place| (place + 1) % Self::ALL.len())]
    }
}
