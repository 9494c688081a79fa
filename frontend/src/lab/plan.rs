//! What is to be measured.

use serde::{Deserialize, Serialize};
use shared::{Channel, Transport, WireFormat};

/// A comparison: which transports, over what, for how long, under which
/// conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// All of them run side by side,
    pub(crate) transports: Vec<Transport>,
    /// in each of these encodings that they can carry. Runs that were saved
    /// before there were several were of JSON.
    #[serde(default = "json_only")]
    pub(crate) encodings: Vec<WireFormat>,
    /// Names with commas between, or `*`.
    pub(crate) symbols: String,
    /// Of plain polling.
    pub(crate) interval_ms: u32,
    /// How long it takes.
    pub(crate) seconds: u32,
    /// How much of its time the page is busy with something else.
    pub(crate) busy_percent: u32,
    /// By how much the network is made slower, each way.
    pub(crate) delay_ms: u32,
}

fn json_only() -> Vec<WireFormat> {
    vec![WireFormat::Json]
}

impl Plan {
    /// What runs. A transport that can carry none of the encodings is left out.
    pub(crate) fn channels(&self) -> Vec<Channel> {
        let wanted = |channel: &Channel| {
            self.transports.contains(&channel.transport) && self.encodings.contains(&channel.format)
        };
        Channel::ALL.into_iter().filter(wanted).collect()
    }
}

/// The bounds of each number, and what is taken unless it is said.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) least: u32,
    pub(crate) most: u32,
    pub(crate) usual: u32,
}

pub(crate) const INTERVAL_MS: Bounds = bounds(100, 10_000, 1_000);
pub(crate) const SECONDS: Bounds = bounds(1, 600, 20);
pub(crate) const BUSY_PERCENT: Bounds = bounds(0, 80, 0);
pub(crate) const DELAY_MS: Bounds = bounds(0, 2_000, 0);

const fn bounds(least: u32, most: u32, usual: u32) -> Bounds {
    Bounds { least, most, usual }
}

impl Bounds {
    /// The number within them that a text says or comes nearest to.
    pub(crate) fn read(self, text: &str) -> u32 {
        let number = text.trim().parse().unwrap_or(self.usual);
        number.clamp(self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_within_their_bounds() {
        assert_eq!(INTERVAL_MS.read("250"), 250);
        assert_eq!(INTERVAL_MS.read("1"), 100);
        assert_eq!(INTERVAL_MS.read("99999"), 10_000);
        assert_eq!(INTERVAL_MS.read("soon"), 1_000);
    }
}
