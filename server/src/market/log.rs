//! The log: every tick in one order, numbered from 1, the newest kept.

use std::collections::VecDeque;
use std::sync::Arc;

use shared::SnapshotReason;

use super::batch::Batch;
use super::set::SymbolSet;
use super::start::Start;

/// How many of the newest batches keep the frames that readers share: a
/// second's worth at 16 ms. Older batches have few readers.
const WARM_BATCHES: usize = 64;

/// The newest part of the history, as batches.
///
/// Bounded by `capacity`: when a batch makes the log heavier than that, the
/// oldest batches are dropped. Readers that still needed them get a snapshot.
#[derive(Debug)]
pub(super) struct Log {
    batches: VecDeque<Arc<Batch>>,
    /// In ticks, or entries that weigh as much; see [`Batch::weight`].
    capacity: u64,
    weight: u64,
    head: u64,
    /// The position at which the feed last began anew; 0 if it never did.
    begun: u64,
    /// For each instrument, the number of the newest entry that was dropped; 0
    /// if there is none.
    gone: Vec<u64>,
    /// The same for entries that are for every reader.
    gone_for_all: u64,
}

impl Log {
    /// An empty log for about `capacity` ticks, at this position.
    pub(super) fn new(capacity: u64, start: Start) -> Self {
        let head = start.cursor.seq;
        Self {
            batches: VecDeque::new(),
            capacity,
            weight: 0,
            head,
            begun: if start.is_jump { head } else { 0 },
            gone: Vec::new(),
            gone_for_all: head,
        }
    }

    /// The number of the newest entry; 0 before the first.
    pub(super) fn head(&self) -> u64 {
        self.head
    }

    /// The number of the entry just before the oldest one kept: the earliest
    /// position from which a reader can resume.
    pub(super) fn tail(&self) -> u64 {
        self.batches
            .front()
            .map_or(self.head, |batch| batch.before())
    }

    /// Appends a batch that begins where the log ends, and drops old batches.
    pub(super) fn append(&mut self, batch: Arc<Batch>) {
        debug_assert_eq!(batch.before(), self.head);
        self.head = batch.last();
        self.weight += batch.weight();
        self.batches.push_back(batch);
        if let Some(cold) = self.batches.len().checked_sub(WARM_BATCHES + 1) {
            self.batches[cold].cool();
        }
        // The newest batch is kept whatever its size, so that a reader that is
        // up to date never needs a snapshot.
        while self.weight > self.capacity && self.batches.len() > 1 {
            if let Some(oldest) = self.batches.pop_front() {
                self.weight -= oldest.weight();
                self.note_gone(&oldest);
            }
        }
    }

    /// Drops everything: the feed begins anew. That is an entry of its own for
    /// every reader, of which only its number is kept: from no position before
    /// it can a reader resume.
    pub(super) fn begin_anew(&mut self) {
        self.batches.clear();
        self.weight = 0;
        self.head += 1;
        self.begun = self.head;
        self.gone.clear();
        self.gone_for_all = self.head;
    }

    /// Why a reader cannot resume from a position before the tail.
    pub(super) fn reason_before(&self, position: u64) -> SnapshotReason {
        match position < self.begun {
            true => SnapshotReason::Jumped,
            false => SnapshotReason::Lagged,
        }
    }

    fn note_gone(&mut self, batch: &Batch) {
        batch.each(|instrument, seq| match instrument {
            Some(instrument) => {
                if self.gone.len() <= instrument {
                    self.gone.resize(instrument + 1, 0);
                }
                self.gone[instrument] = seq;
            }
            None => self.gone_for_all = seq,
        });
    }

    /// The number of the newest entry of this set that was dropped. A reader
    /// that has read up to there has missed nothing of the set.
    pub(super) fn gone(&self, set: &SymbolSet) -> u64 {
        let Some(instruments) = set.some() else {
            return self.tail();
        };
        let gone = instruments
            .iter()
            .filter_map(|instrument| self.gone.get(*instrument));
        gone.copied().max().unwrap_or(0).max(self.gone_for_all)
    }

    /// The position to which a reader of `set` at `position` can move without
    /// reading, because it only skips entries of other sets. That is the head
    /// if no entry of the set comes after `position`, or the tail if all
    /// dropped entries after `position` are of other sets.
    pub(super) fn skipped(&self, set: &SymbolSet, position: u64) -> u64 {
        if set.newest() <= position {
            self.head.max(position)
        } else if position < self.tail() && self.gone(set) <= position {
            self.tail()
        } else {
            position
        }
    }

    /// The batches with entries after `position`, oldest first; `None` when the
    /// log cannot resume from there.
    pub(super) fn after(&self, position: u64) -> Option<impl Iterator<Item = &Arc<Batch>>> {
        if position < self.tail() || position > self.head {
            return None;
        }
        // Nearly all readers need only the newest batch, or nothing.
        let newest = self.batches.len().saturating_sub(1);
        let start = match self.batches.back() {
            Some(batch) if batch.last() <= position => newest + 1,
            Some(batch) if batch.before() <= position => newest,
            _ => self
                .batches
                .partition_point(|batch| batch.last() <= position),
        };
        Some(self.batches.range(start..))
    }
}
