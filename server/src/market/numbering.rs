//! What happens, as entries that follow the log's head.

use std::sync::{Arc, MutexGuard, PoisonError};

use shared::{FeedState, Span, Tick};

use super::batch::Batch;
use super::{Announcements, Market};
use crate::entries::{Entries, Known, Notice, Placed};
use crate::feed::{self, PastCandles, StateChange};

/// A message never holds more firings than this.
const BATCH_FIRINGS: usize = 400;
/// An entry never holds more candles than this: half a megabyte.
const PART_CANDLES: usize = 4_000;

impl Market {
    /// Ticks with their numbers, and the alerts that fire by them; leaves `pending`
    /// empty. Each tick comes with the catalogue index of its instrument.
    pub(super) fn numbered(&self, pending: &mut Vec<(usize, Tick)>) -> Vec<Entries> {
        if pending.is_empty() {
            return Vec::new();
        }
        // There is one writer, so the head does not move meanwhile.
        let ticks = pending.drain(..).zip(self.cursor().seq + 1..);
        let ticks: Vec<_> = ticks
            .map(|((place, tick), seq)| (place, tick.numbered(seq)))
            .collect();
        let fired = self.observer.observe(&ticks);
        let ticks = std::iter::once(Entries::Ticks(ticks));
        ticks.chain(in_messages(&fired)).collect()
    }

    /// The alerts that fire because their time has come.
    pub(super) fn timed(&self) -> Vec<Entries> {
        in_messages(&self.observer.wake()).collect()
    }

    /// What other parts have announced.
    pub(super) fn announced(&self) -> Vec<Entries> {
        let announced = std::mem::take(&mut *self.announcements());
        let mut notices = announced.notices;
        if let Some(ahead) = announced.clock {
            let mut published = self.published_mut();
            published.ahead = ahead;
            let mut feed = published.feed.clone();
            drop(published);
            // A feed that has ended gives its reason in `detail`, which is
            // kept.
            if feed.state == FeedState::Live && feed.venues.is_empty() {
                feed.detail = clock_words(ahead);
                notices.push(Notice::Feed(feed));
            }
        }
        let changes = self.observer.take_changes();
        notices.extend(changes.map(Notice::AlertsChanged));
        notices.into_iter().map(Entries::Notice).collect()
    }

    pub(super) fn announcements(&self) -> MutexGuard<'_, Announcements> {
        // Each part is replaced as a whole, so a poisoned lock is safe to use.
        self.announcements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_announcements(&self) -> bool {
        *self.announcements() != Announcements::default()
    }

    /// An instrument's past from before its next trade. Readers get its state, in which
    /// the session so far is counted; they request the candles. Very many candles are
    /// several entries.
    pub(super) fn known(&self, past: feed::History) -> Vec<Entries> {
        let feed::History {
            instrument,
            candles,
        } = past;
        if candles.iter().all(Vec::is_empty) {
            return Vec::new();
        }
        let published = self.published();
        let of = &self.run.catalogue.instruments()[instrument];
        let index = u32::try_from(instrument).unwrap_or(u32::MAX);
        let found = published.history.state_with(of, index, &candles);
        let state = published.states.joined(instrument, found);
        drop(published);
        let known = |candles| {
            Entries::Known(vec![Known {
                instrument,
                state: state.clone(),
                candles: Arc::new(candles),
                is_whole: true,
            }])
        };
        in_parts(&candles).into_iter().map(known).collect()
    }

    /// The feed's state from now on.
    pub(super) fn state(&self, change: StateChange) -> Entries {
        let mut status = self.published().feed.clone();
        status.state = change.state;
        status.detail = change.detail;
        status.replay = change.replay;
        status.venues = change.venues;
        let retry_ms = change.retry.map(|retry| retry.as_millis());
        status.retry_ms = retry_ms.and_then(|ms| u64::try_from(ms).ok());
        Entries::Notice(Notice::Feed(status))
    }

    /// A trade as it is stored in the log, and the catalogue index of its
    /// instrument.
    pub(super) fn trade(&self, trade: feed::Trade) -> (usize, Tick) {
        let place = trade.instrument;
        (place, trade.into_tick(self.symbol_at(place)))
    }

    /// The same for a quote.
    pub(super) fn quote(&self, quote: feed::Quote) -> (usize, Tick) {
        let place = quote.instrument;
        (place, quote.into_tick(self.symbol_at(place)))
    }

    fn symbol_at(&self, place: usize) -> String {
        self.run.catalogue.instruments()[place].symbol.clone()
    }

    /// Entries as batches that follow the head and each other.
    pub(super) fn batches(&self, all: Vec<Entries>) -> Vec<Batch> {
        let mut head = self.cursor().seq;
        let number = |entries| {
            let batch = Batch::new(&self.run, head, entries);
            head = batch.last();
            batch
        };
        all.into_iter().map(number).collect()
    }
}

/// Candles in parts with so many of them that a message holds them.
fn in_parts(candles: &PastCandles) -> Vec<PastCandles> {
    if candles.iter().map(Vec::len).sum::<usize>() <= PART_CANDLES {
        return vec![candles.clone()];
    }
    let mut parts = Vec::new();
    for (at, bars) in candles.iter().enumerate() {
        parts.extend(bars.chunks(PART_CANDLES).map(|bars| {
            let mut part = PastCandles::default();
            part[at] = bars.to_vec();
            part
        }));
    }
    parts
}

/// Firings as entries: one, or a few if there are very many.
fn in_messages(fired: &[Placed]) -> impl Iterator<Item = Entries> {
    let all = fired.chunks(BATCH_FIRINGS);
    all.map(|fired| Entries::Firings(fired.to_vec()))
}

/// The message about times that are ahead of the wall clock.
pub(crate) fn clock_words(ahead: Span) -> String {
    match ahead.whole_seconds() {
        0 => String::new(),
        seconds => format!(
            "the server's clock was set back; times go on from before, {seconds} s ahead of it"
        ),
    }
}
