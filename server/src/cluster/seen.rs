//! Which of an exchange's trades are in the log, so that the next leader asks for the
//! others.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use shared::{Span, Time, Trade};

use crate::feed::KnownTrades;

/// A trade stands for no more identifiers than this.
const IDS_MAX: u64 = 50_000;
/// If a trade is so much newer than the newest one, although its identifier is lower,
/// the market counts anew.
const COUNTS_ANEW: Span = Span::from_micros(60_000_000);

/// The identifiers of a market's trades in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// The identifier after the last of those without a gap; 0 if there are none.
    next: u64,
    /// Later ones.
    ahead: BTreeSet<u64>,
    /// When the newest one was.
    time: Option<Time>,
}

impl Seen {
    /// Takes note of a trade by its identifier in the log, as in `7` or `7-9,11`. Whoever
    /// wrote the log wrote a trade when its first identifier was the next one: those
    /// before it that are not there were given up.
    pub(super) fn note(&mut self, trade: &Trade) {
        let is_newer = self
            .time
            .is_some_and(|time| trade.time - time > COUNTS_ANEW);
        let ids = trade.id.as_deref().map(ranges).unwrap_or_default();
        let Some(first) = ids.first().map(|ids| *ids.start()) else {
            return;
        };
        if first < self.next && is_newer {
            self.next = first;
            self.ahead.clear();
        } else if first > self.next {
            self.next = first;
            self.ahead = self.ahead.split_off(&first);
        }
        self.time = self.time.max(Some(trade.time));
        let next = self.next;
        self.ahead
            .extend(ids.into_iter().flatten().filter(|id| *id >= next));
        while self.ahead.remove(&self.next) {
            self.next += 1;
        }
    }

    /// What a feed has to know of it.
    pub(super) fn known(&self) -> Option<KnownTrades> {
        (self.next > 0).then(|| KnownTrades {
            next: self.next,
            ahead: self.ahead.clone(),
        })
    }
}

/// The identifiers in a text; none if it is of another kind.
fn ranges(text: &str) -> Vec<RangeInclusive<u64>> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last && last - first < IDS_MAX).then_some(first..=last)
    };
    let all: Option<Vec<_>> = text.split(',').map(range).collect();
    all.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use shared::Decimal;

    use super::*;

    #[test]
    fn the_next_one_follows_those_without_a_gap() {
        let mut seen = Seen::default();
        assert_eq!(seen.known(), None);
        for (second, id, next, ahead) in [
            (0, "7", 8, &[][..]),
            (0, "8-9,11", 10, &[11]),
            (0, "x", 10, &[11]),
            (0, "10", 12, &[]),
            (1, "12", 13, &[]),
            (60, "3", 13, &[]),
            // What is in between was given up.
            (60, "20,22", 21, &[22]),
            (60, "23", 24, &[]),
            // It counts anew.
            (121, "1-2", 3, &[]),
            (121, "3", 4, &[]),
        ] {
            seen.note(&Trade {
                seq: 0,
                symbol: String::new(),
                time: Time::EPOCH + Span::from_seconds(second),
                at: None,
                id: Some(id.to_owned()),
                price: Decimal::ONE,
                qty: Decimal::ONE,
                side: None,
                bid: None,
                ask: None,
            });
            let known = seen.known().unwrap();
            let found: Vec<_> = known.ahead.iter().copied().collect();
            assert_eq!((known.next, &found[..]), (next, ahead), "{id}");
        }
    }
}
