//! The plan of a measurement.

use serde::{Deserialize, Serialize};
use shared::{Channel, Transport, WireFormat};

/// What to compare: the transports and encodings, the symbols, the duration,
/// and the conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The transports, which run side by side.
    pub(crate) transports: Vec<Transport>,
    /// The encodings. Each transport runs in all of these that it can carry.
    /// Runs that were saved when there was only one encoding used JSON.
    #[serde(default = "json_only")]
    pub(crate) encodings: Vec<WireFormat>,
    /// Names separated by commas, or `*`.
    pub(crate) symbols: String,
    /// The interval of plain polling.
    pub(crate) interval_ms: u32,
    /// The duration.
    pub(crate) seconds: u32,
    /// For what share of its time the page is kept busy with other work.
    pub(crate) busy_percent: u32,
    /// The network delay that is added in each direction.
    pub(crate) delay_ms: u32,
}

fn json_only() -> Vec<WireFormat> {
    vec![WireFormat::Json]
}

impl Plan {
    /// The channels to run. A transport that can carry none of the encodings is
    /// left out.
    pub(crate) fn channels(&self) -> Vec<Channel> {
        let wanted = |channel: &Channel| {
            self.transports.contains(&channel.transport) && self.encodings.contains(&channel.format)
        };
        Channel::ALL.into_iter().filter(wanted).collect()
    }
}

/// The bounds of a number, and its default.
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
    /// Reads a number, and limits it to the bounds. Text that is not a number
    /// gives the default.
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
