//! What a person can choose: a transport, or the best one.

use shared::Transport;

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
