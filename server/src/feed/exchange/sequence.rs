//! Puts a market's trades in the order of their identifiers, which are consecutive:
//! what comes twice is left out, and what is missing is found.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;

use shared::{Decimal, Span, Time};

use crate::feed::KnownTrades;
use venues::VenueTrade;

/// The quantities of so many trades are known after they were given, to take apart a
/// trade that the venue merged from known and unknown ones.
const RECENT_TRADES: usize = 2_000;
/// No venue has had more trades.
const ID_MAX: u64 = 1 << 62;
/// If a trade is so much newer than the newest one, although its identifier is lower,
/// the venue counts anew.
const COUNTS_ANEW: Span = Span::from_micros(60_000_000);

/// Where a trade came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The venue sent it.
    Sent,
    /// It was asked for.
    Asked,
}

/// A trade in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    /// The identifiers that it stands for, in order: as a rule one.
    pub(super) ids: Vec<RangeInclusive<u64>>,
    /// Its `ids` are those that the venue gave it.
    pub(super) trade: VenueTrade,
    origin: Origin,
}

/// The trades of one market.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    /// The identifier that comes next; `None` until it is known with which the market
    /// begins.
    next: Option<u64>,
    /// Trades that are waiting for others before them, by their first identifier.
    held: BTreeMap<u64, Placed>,
    /// The further identifiers of those of them that stand for several.
    parts: BTreeSet<u64>,
    /// Identifiers after the next that were given as parts of a merged trade.
    given: BTreeSet<u64>,
    /// The venue has sent all up to this one.
    newest: Option<u64>,
    /// The identifiers and quantities of trades that were given, oldest first.
    recent: VecDeque<(u64, Decimal)>,
    /// When the newest trade that was given was.
    time: Option<Time>,
    filled: u64,
    missed: u64,
}

impl Sequence {
    /// Begins with this identifier. What waited of before it is dropped.
    /// If it has begun before, those in between count as missed.
    pub(super) fn begin(&mut self, first: u64) {
        let first = first.min(ID_MAX);
        if let Some(next) = self.next.replace(first) {
            self.missed += first.saturating_sub(next);
        }
        self.held = self.held.split_off(&first);
        self.parts = self.parts.split_off(&first);
        self.given = self.given.split_off(&first);
    }

    /// Goes on after trades that were given by another server; the newest of them was
    /// after this time.
    pub(super) fn go_on(&mut self, known: &KnownTrades, time: Option<Time>) {
        self.next = Some(known.next);
        self.given = known.ahead.clone();
        self.time = time;
    }

    /// Begins with the first trade that waits, if there is one.
    pub(super) fn begin_with_first(&mut self) {
        if let Some(first) = self.held.keys().next().copied() {
            self.begin(first);
        }
    }

    /// The identifier that comes next; `None` until it has begun.
    pub(super) fn next(&self) -> Option<u64> {
        self.next
    }

    /// How many trades are waiting.
    pub(super) fn waiting(&self) -> usize {
        self.held.len()
    }

    /// How many identifiers were missing, and were asked for and found.
    pub(super) fn filled(&self) -> u64 {
        self.filled
    }

    /// How many identifiers could not be found.
    pub(super) fn missed(&self) -> u64 {
        self.missed
    }

    /// When the newest trade that was given was.
    pub(super) fn time(&self) -> Option<Time> {
        self.time
    }

    /// Takes note that the venue has sent all up to this identifier.
    pub(super) fn has_sent(&mut self, id: u64) {
        self.newest = self.newest.max(Some(id.min(ID_MAX)));
    }

    /// Takes in a trade. It waits if others before it are missing.
    pub(super) fn offer(&mut self, trade: VenueTrade, origin: Origin) {
        if *trade.ids.end() > ID_MAX {
            return;
        }
        self.look_for_a_new_count(&trade, origin);
        let new = self.unknown(&trade.ids);
        let Some(first) = new.first().map(|range| *range.start()) else {
            return;
        };
        let mut trade = trade;
        if new[..] != [trade.ids.clone()] {
            // Some of what it stands for is known already, with its quantity.
            let Some(rest) = self.rest_of(&trade, &new) else {
                return;
            };
            trade.qty = rest;
        }
        let ids = new;
        let all = ids.iter().cloned().flatten();
        self.parts.extend(all.filter(|id| *id > first));
        self.held.insert(first, Placed { ids, trade, origin });
    }

    /// If the venue counts anew, begins there.
    fn look_for_a_new_count(&mut self, trade: &VenueTrade, origin: Origin) {
        let is_lower = self.next.is_some_and(|next| *trade.ids.end() < next);
        let is_newer = self
            .time
            .is_some_and(|time| trade.time - time > COUNTS_ANEW);
        if is_lower && is_newer && origin == Origin::Sent {
            self.recent.clear();
            self.held.clear();
            self.parts.clear();
            self.given.clear();
            self.newest = None;
            self.next = Some(*trade.ids.start());
        }
    }

    /// Those of these identifiers that are neither given nor waiting.
    fn unknown(&self, ids: &RangeInclusive<u64>) -> Vec<RangeInclusive<u64>> {
        let first = self
            .next
            .map_or(*ids.start(), |next| next.max(*ids.start()));
        let mut new: Vec<RangeInclusive<u64>> = Vec::new();
        for id in first..=*ids.end() {
            if self.given.contains(&id) || self.waits(id) {
                continue;
            }
            match new.last_mut() {
                Some(last) if *last.end() + 1 == id => *last = *last.start()..=id,
                _ => new.push(id..=id),
            }
        }
        new
    }

    fn waits(&self, id: u64) -> bool {
        self.held.contains_key(&id) || self.parts.contains(&id)
    }

    /// The quantity of a merged trade without that of its known parts; `None` if
    /// that is not known.
    fn rest_of(&self, trade: &VenueTrade, new: &[RangeInclusive<u64>]) -> Option<Decimal> {
        let mut rest = trade.qty;
        for id in trade.ids.clone() {
            if new.iter().any(|ids| ids.contains(&id)) {
                continue;
            }
            rest = rest.checked_sub(self.quantity(id)?)?;
        }
        (rest > Decimal::ZERO).then_some(rest)
    }

    /// The quantity of one identifier, if it was a trade of its own.
    fn quantity(&self, id: u64) -> Option<Decimal> {
        if let Some(placed) = self.held.get(&id) {
            return (placed.ids[..] == [id..=id]).then_some(placed.trade.qty);
        }
        let at = self.recent.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(self.recent[at].1)
    }

    /// The trades whose turn it is.
    pub(super) fn take(&mut self) -> Vec<Placed> {
        let mut due = Vec::new();
        while let Some(next) = self.next {
            if !self.given.remove(&next) {
                let Some(placed) = self.held.remove(&next) else {
                    break;
                };
                self.give(next, &placed);
                due.push(placed);
            }
            self.next = Some(next + 1);
        }
        due
    }

    fn give(&mut self, next: u64, placed: &Placed) {
        for id in placed.ids.iter().cloned().flatten() {
            if self.parts.remove(&id) {
                self.given.insert(id);
            }
        }
        if placed.origin == Origin::Asked {
            self.filled += placed.count();
        }
        if placed.ids[..] == [next..=next] {
            if self.recent.len() == RECENT_TRADES {
                self.recent.pop_front();
            }
            self.recent.push_back((next, placed.trade.qty));
        }
        self.time = self.time.max(Some(placed.trade.time));
    }

    /// The first identifiers that are missing, after [`Self::take`].
    pub(super) fn missing(&self) -> Option<RangeInclusive<u64>> {
        let next = self.next?;
        let held = self.held.keys().next().map(|first| first - 1);
        let last = held.or(self.newest)?;
        (next <= last).then_some(next..=last)
    }

    /// Goes on after these identifiers, which nobody has. They count as missed.
    pub(super) fn give_up(&mut self, ids: &RangeInclusive<u64>) {
        let (Some(next), end) = (self.next, *ids.end()) else {
            return;
        };
        if end < next {
            return;
        }
        let later = self.given.split_off(&(end + 1));
        let given = std::mem::replace(&mut self.given, later);
        let given = given.into_iter().filter(|id| *id >= next).count() as u64;
        self.missed += end - next + 1 - given;
        self.next = Some(end + 1);
    }
}

impl Placed {
    /// How many identifiers it stands for.
    pub(super) fn count(&self) -> u64 {
        self.ids.iter().map(|ids| ids.end() - ids.start() + 1).sum()
    }

    /// Its identifiers in words, as in `7` or `7-9,11`.
    pub(super) fn id(&self) -> String {
        let words = self.ids.iter().map(|ids| match ids.start() == ids.end() {
            true => ids.start().to_string(),
            false => format!("{}-{}", ids.start(), ids.end()),
        });
        words.collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests;
