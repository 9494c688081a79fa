//! What clients send over a WebSocket, and the symbols that they name.

use serde::{Deserialize, Serialize};

use crate::Time;

/// A command from the client, over the WebSocket. `op` names its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum ClientCommand {
    /// Adds symbols to the connection's set.
    Subscribe {
        /// Returned in the answer.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        req: Option<u64>,
        /// Symbols, or `["*"]` for all.
        symbols: Vec<String>,
        /// The cursor to resume from; without it, the answer is followed by a
        /// snapshot. A string, so that an error can name an invalid one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(
            feature = "openapi",
            schema(pattern = "^[1-9a-z][0-9a-z]{0,5}-(0|[1-9][0-9]{0,18})$")
        )]
        cursor: Option<String>,
    },
    /// Removes symbols from the connection's set.
    Unsubscribe {
        /// Returned in the answer.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        req: Option<u64>,
        /// Symbols, or `["*"]` for all.
        symbols: Vec<String>,
    },
    /// Changes the pace of the connection from now on.
    Pace {
        /// Returned in the answer.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        req: Option<u64>,
        /// At most one message of ticks in this many milliseconds, from 0 to
        /// 10000; 0 by default.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(nullable = false, maximum = 10_000))]
        every_ms: Option<u32>,
        /// Whether to send only the newest trade and quote of each symbol;
        /// false by default.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(nullable = false))]
        latest: Option<bool>,
    },
    /// Asks for a `pong`, to measure the round trip and the clocks' offset.
    Ping {
        /// Returned in the answer.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        req: Option<u64>,
        /// The client's clock.
        client_time: Time,
    },
}

/// A set of symbols as clients write it: names, or `*` for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Symbols {
    /// All symbols of the catalogue.
    All,
    /// These symbols.
    Named(Vec<String>),
}

impl Symbols {
    /// Parses a list such as `["BTC-USD","ETH-USD"]` or `["*"]`. Empty names
    /// are skipped.
    pub fn from_names<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Self {
        let mut named = Vec::new();
        for name in names {
            match name.as_ref().trim() {
                "*" => return Self::All,
                "" => {}
                name => named.push(name.to_owned()),
            }
        }
        Self::Named(named)
    }

    /// Parses a comma-separated list such as `BTC-USD,ETH-USD` or `*`.
    pub fn from_list(list: &str) -> Self {
        Self::from_names(list.split(','))
    }
}
