//! What clients are refused, counted by reason.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Why a client was refused something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There were as many connections as there may be.
    Connections,
    /// There were as many connections from its address as there may be.
    ConnectionsEach,
    /// The line and the headers of its request did not come in time.
    Head,
    /// The body of its request did not come in time.
    Body,
    /// It took nothing of what it was sent.
    Slow,
    /// Too much of other answers was not taken yet.
    Unsent,
    /// There were as many streams as there may be.
    Streams,
    /// As many long polls waited as may wait.
    LongPolls,
    /// As many calls for candles were answered as may be.
    HistoryCalls,
    /// It sent too many commands over a WebSocket.
    Commands,
    /// It named too many symbols.
    Symbols,
    /// It made or changed too many alerts in a minute.
    Changes,
}

impl Refusal {
    pub(super) const ALL: [Self; 12] = [
        Self::Connections,
        Self::ConnectionsEach,
        Self::Head,
        Self::Body,
        Self::Slow,
        Self::Unsent,
        Self::Streams,
        Self::LongPolls,
        Self::HistoryCalls,
        Self::Commands,
        Self::Symbols,
        Self::Changes,
    ];

    fn key(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::ConnectionsEach => "connections_each",
            Self::Head => "head",
            Self::Body => "body",
            Self::Slow => "slow",
            Self::Unsent => "unsent",
            Self::Streams => "streams",
            Self::LongPolls => "long_polls",
            Self::HistoryCalls => "history_calls",
            Self::Commands => "commands",
            Self::Symbols => "symbols",
            Self::Changes => "changes",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

/// The counters, in the order of [`Refusal::ALL`].
pub(super) fn counters(registry: &mut Registry) -> [Counter; Refusal::ALL.len()] {
    let family = Family::<Reason, Counter>::default();
    registry.register("refused", "What clients were refused", family.clone());
    Refusal::ALL.map(|refusal| {
        let reason = refusal.key();
        family.get_or_create(&Reason { reason }).clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_place() {
        for (place, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, place, "{refusal:?}");
        }
    }
}
