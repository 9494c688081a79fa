//! Which feed is to be run.

use super::{ExchangeConfig, RelayConfig, ReplayConfig, SimConfig};

/// Which feed to run, and its settings.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedConfig {
    /// A simulated market.
    Sim(SimConfig),
    /// Files of prices.
    Replay(ReplayConfig),
    /// Public exchanges, live.
    Exchange(ExchangeConfig),
    /// Another Tickwire, whose log is mirrored.
    Relay(RelayConfig),
}

impl FeedConfig {
    /// Whether the feed can be asked for candles of any time, as an exchange can.
    pub(crate) fn knows_its_past(&self) -> bool {
        match self {
            Self::Exchange(_) => true,
            Self::Sim(_) | Self::Replay(_) | Self::Relay(_) => false,
        }
    }
}
