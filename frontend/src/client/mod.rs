//! The page's side of the four transports: one interface, one supervisor that
//! reconnects and switches, one cursor that outlives every connection.

pub(crate) mod alerts;
mod backoff;
pub(crate) mod catalogue;
mod clock;
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

use serde::{Deserialize, Serialize};

pub use clock::ClockOffset;
pub use link::{Link, LinkState, Phase};
pub(crate) use patience::within;
pub use session::{Counters, Session, now_ms};

/// One of the four ways to the same log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Frames pushed over a WebSocket.
    #[serde(rename = "websocket")]
    WebSocket,
    /// Server-sent events.
    Sse,
    /// A request that the server answers once it has something.
    LongPolling,
    /// A request at each interval.
    Polling,
}

impl Transport {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 4] = [Self::WebSocket, Self::Sse, Self::LongPolling, Self::Polling];

    /// What the page calls it.
    pub fn label(self) -> &'static str {
        match self {
            Self::WebSocket => "WebSocket",
            Self::Sse => "SSE",
            Self::LongPolling => "Long polling",
            Self::Polling => "Polling",
        }
    }

    /// Whether it brings messages without being asked for each.
    pub fn is_stream(self) -> bool {
        matches!(self, Self::WebSocket | Self::Sse)
    }

    /// What links and settings call it.
    pub fn key(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Sse => "sse",
            Self::LongPolling => "long-polling",
            Self::Polling => "polling",
        }
    }
}

/// The path that a transport asks for next, as it is sent.
pub(crate) fn path(session: &Session, transport: Transport) -> String {
    http::sent_path(&match transport {
        Transport::WebSocket => ws::path(session),
        Transport::Sse => sse::path(session),
        Transport::LongPolling => poll::path(session, poll::WAIT_MS),
        Transport::Polling => poll::path(session, 0),
    })
}

/// What a person can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The best transport that gets through.
    Auto,
    /// This one, and no other.
    Only(Transport),
}

impl Choice {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 5] = [
        Self::Auto,
        Self::Only(Transport::WebSocket),
        Self::Only(Transport::Sse),
        Self::Only(Transport::LongPolling),
        Self::Only(Transport::Polling),
    ];

    /// What the page calls it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Auto => "Auto",
            Self::Only(transport) => transport.label(),
        }
    }

    /// What links and settings call it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Only(transport) => transport.key(),
        }
    }

    /// The one with this key; [`Self::Auto`] if there is none.
    pub fn of_key(key: &str) -> Self {
        let known = Self::ALL.into_iter().find(|choice| choice.key() == key);
        known.unwrap_or(Self::Auto)
    }

    /// The next one, round and round.
    pub fn next(self) -> Self {
        let place = Self::ALL.iter().position(|choice| *choice == self);
        Self::ALL[place.map_or(0, |place| (place + 1) % Self::ALL.len())]
    }
}
