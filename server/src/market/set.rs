//! Sets of symbols, shared by all readers of the same symbols.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Context;

use super::bell::{Bell, Place};

/// The symbols that a reader reads, as indices into the catalogue.
///
/// Made by `Sets` only, so that two readers of the same symbols hold the same
/// `Arc` and share the encoded messages for it.
#[derive(Debug)]
pub struct SymbolSet {
    kind: Kind,
    /// The number of the newest entry of the set. Updated while the market is
    /// locked: code that reads the log's head under the lock sees this as of
    /// the same moment.
    newest: AtomicU64,
    /// Wakes the readers that wait for new entries.
    bell: Bell,
    /// How many readers listen to it; resting ones do not count.
    listeners: AtomicUsize,
}

/// A reader's hold on a set, and its place on the set's list of tasks to be
/// woken.
#[derive(Debug)]
pub(super) struct Listener {
    set: Arc<SymbolSet>,
    place: Option<Place>,
    /// Whether it is not listening at the moment.
    rests: bool,
}

impl Listener {
    pub(super) fn new(set: Arc<SymbolSet>) -> Self {
        set.listeners.fetch_add(1, Ordering::Relaxed);
        Self {
            set,
            place: None,
            rests: false,
        }
    }

    pub(super) fn set(&self) -> &Arc<SymbolSet> {
        &self.set
    }

    /// Registers this task to be woken for the set's next entries.
    pub(super) fn listen(&mut self, context: &Context<'_>) {
        if std::mem::take(&mut self.rests) {
            self.set.listeners.fetch_add(1, Ordering::Relaxed);
        }
        self.set.bell.listen(&mut self.place, context.waker());
    }

    /// Stops being woken until it listens again.
    pub(super) fn rest(&mut self) {
        if let Some(place) = self.place.take() {
            self.set.bell.leave(place);
        }
        if !std::mem::replace(&mut self.rests, true) {
            self.set.listeners.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.rest();
    }
}

#[derive(Debug)]
enum Kind {
    All,
    Some {
        /// Sorted, without duplicates.
        indices: Vec<usize>,
        bits: Bits,
    },
}

/// A set of instruments, one bit for each.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn of(instruments: impl IntoIterator<Item = usize>) -> Self {
        let mut bits = Vec::new();
        for instrument in instruments {
            let word = instrument / 64;
            if bits.len() <= word {
                bits.resize(word + 1, 0);
            }
            bits[word] |= 1 << (instrument % 64);
        }
        Self(bits)
    }

    /// All instruments of the set, in order.
    fn iter(&self) -> impl Iterator<Item = usize> {
        let words = self.0.iter().zip((0..).step_by(64));
        words.flat_map(|(word, first)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(first + bit)
            })
        })
    }

    fn contains(&self, instrument: usize) -> bool {
        let word = self.0.get(instrument / 64);
        word.is_some_and(|word| word & (1 << (instrument % 64)) != 0)
    }

    fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }
}

/// The readers that new entries concern.
#[derive(Debug)]
pub(super) enum Concerned {
    /// Every reader, whatever its set.
    All,
    /// Readers whose set has one of these instruments.
    Of(Bits),
}

impl SymbolSet {
    /// Whether the set has the instrument with this index.
    pub fn contains(&self, instrument: usize) -> bool {
        match &self.kind {
            Kind::All => true,
            Kind::Some { bits, .. } => bits.contains(instrument),
        }
    }

    /// Whether the set has every instrument.
    pub fn is_all(&self) -> bool {
        matches!(self.kind, Kind::All)
    }

    /// The set's indices among `0..instruments`, in order.
    pub(crate) fn indices(&self, instruments: usize) -> Vec<usize> {
        match &self.kind {
            Kind::All => (0..instruments).collect(),
            Kind::Some { indices, .. } => indices.clone(),
        }
    }

    /// A set that has no entries after `head`.
    fn new(kind: Kind, head: u64) -> Self {
        Self {
            kind,
            newest: AtomicU64::new(head),
            bell: Bell::default(),
            listeners: AtomicUsize::new(0),
        }
    }

    /// The number of the newest entry of the set, or of a later entry. Read
    /// while the market is locked, it matches the log's head.
    pub(super) fn newest(&self) -> u64 {
        self.newest.load(Ordering::Relaxed)
    }

    /// Records that the log ends at `head` now, with an entry of the set;
    /// returns whether that is new.
    fn move_to(&self, head: u64) -> bool {
        self.newest.swap(head, Ordering::Relaxed) != head
    }

    /// The indices of its instruments; `None` for all.
    pub(super) fn some(&self) -> Option<&[usize]> {
        match &self.kind {
            Kind::All => None,
            Kind::Some { indices, .. } => Some(indices),
        }
    }

    /// Whether these entries concern the set.
    pub(super) fn concerns(&self, concerned: &Concerned) -> bool {
        match (concerned, &self.kind) {
            (Concerned::All, _) | (_, Kind::All) => true,
            (Concerned::Of(instruments), Kind::Some { bits, .. }) => bits.meets(instruments),
        }
    }

    /// Whether it has more than one reader. Only then are encoded messages kept
    /// for the others.
    pub(super) fn is_shared(&self) -> bool {
        self.listeners.load(Ordering::Relaxed) > 1
    }

    /// Wakes the readers that wait for newer entries.
    pub(super) fn wake(&self) {
        self.bell.ring();
    }
}

/// Every set that has a reader, each once.
#[derive(Debug)]
pub(super) struct Sets {
    all: Arc<SymbolSet>,
    instruments: usize,
    /// A std mutex: held for a lookup, never across an await.
    some: Mutex<Subsets>,
}

/// The sets that do not have all instruments.
#[derive(Debug, Default)]
struct Subsets {
    by_places: HashMap<Vec<usize>, Weak<SymbolSet>>,
    /// For each instrument, the sets that have it: new entries look only at the
    /// sets that they concern.
    by_instrument: Vec<Vec<Weak<SymbolSet>>>,
    /// How many entries the two lists got since sets without readers were last
    /// removed, and how many they may get before that is done again.
    added: usize,
    sweep_after: usize,
}

/// The least number of entries that is worth a removal.
const SWEEP_LEAST: usize = 4_096;

impl Subsets {
    fn insert(&mut self, set: &Arc<SymbolSet>) {
        let instruments = set.some().unwrap_or_default();
        self.added += 1 + instruments.len();
        if self.added > self.sweep_after {
            self.sweep();
        }
        for instrument in instruments {
            if self.by_instrument.len() <= *instrument {
                self.by_instrument.resize(instrument + 1, Vec::new());
            }
            self.by_instrument[*instrument].push(Arc::downgrade(set));
        }
        self.by_places
            .insert(instruments.to_vec(), Arc::downgrade(set));
    }

    /// Removes the sets without readers. The lists are never more than twice as
    /// long as they were after this.
    fn sweep(&mut self) {
        let lives = |set: &Weak<SymbolSet>| set.strong_count() > 0;
        self.by_places.retain(|_, set| lives(set));
        let mut left = self.by_places.len();
        for sets in &mut self.by_instrument {
            sets.retain(lives);
            left += sets.len();
        }
        (self.added, self.sweep_after) = (0, left.max(SWEEP_LEAST));
    }

    /// The log ends at `head` now: adds to `touched` the sets of an instrument
    /// that have not recorded that yet.
    fn touch(&mut self, instrument: usize, head: u64, touched: &mut Vec<Arc<SymbolSet>>) {
        let Some(sets) = self.by_instrument.get_mut(instrument) else {
            return;
        };
        sets.retain(|set| {
            let set = set.upgrade();
            let lives = set.is_some();
            touched.extend(set.filter(|set| set.move_to(head)));
            lives
        });
    }
}

/// Indices of instruments, sorted and without duplicates.
#[derive(Debug)]
pub(super) struct Places {
    indices: Vec<usize>,
    bits: Bits,
}

impl Places {
    /// The indices may be in any order and contain duplicates.
    pub(super) fn of(mut indices: Vec<usize>) -> Self {
        indices.sort_unstable();
        indices.dedup();
        Self {
            bits: Bits::of(indices.iter().copied()),
            indices,
        }
    }
}

impl Sets {
    pub(super) fn new(instruments: usize) -> Self {
        Self {
            all: Arc::new(SymbolSet::new(Kind::All, 0)),
            instruments,
            some: Mutex::default(),
        }
    }

    pub(super) fn all(&self) -> Arc<SymbolSet> {
        Arc::clone(&self.all)
    }

    /// The set of these instruments; for all of them, it is [`Self::all`]. The
    /// caller holds the market's read lock, and the log ends at `head`.
    /// Otherwise entries could be published before the new set is registered.
    pub(super) fn of(&self, places: Places, head: u64) -> Arc<SymbolSet> {
        let Places { indices, bits } = places;
        if indices.len() == self.instruments {
            return self.all();
        }
        let mut some = self.some();
        if let Some(set) = some.by_places.get(&indices).and_then(Weak::upgrade) {
            return set;
        }
        let set = Arc::new(SymbolSet::new(Kind::Some { indices, bits }, head));
        some.insert(&set);
        set
    }

    /// Records that the log ends at `head` now, with new entries for these
    /// instruments. Returns the sets to be woken once the market is unlocked.
    pub(super) fn touch(&self, concerned: &Concerned, head: u64) -> Vec<Arc<SymbolSet>> {
        let mut touched = vec![self.all()];
        self.all.move_to(head);
        let mut some = self.some();
        match concerned {
            Concerned::All => {
                let sets = some.by_places.values().filter_map(Weak::upgrade);
                touched.extend(sets.filter(|set| set.move_to(head)));
            }
            Concerned::Of(instruments) => {
                for instrument in instruments.iter() {
                    some.touch(instrument, head, &mut touched);
                }
            }
        }
        touched
    }

    /// All sets that have a reader.
    pub(super) fn every(&self) -> Vec<Arc<SymbolSet>> {
        let some = self.some();
        let some = some.by_places.values().filter_map(Weak::upgrade);
        some.chain([self.all()]).collect()
    }

    fn some(&self) -> MutexGuard<'_, Subsets> {
        // Consistent after every step, so a poisoned lock is safe to use.
        self.some.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_that_come_and_go_leave_nothing_behind() {
        let sets = Sets::new(100);
        let kept = sets.of(Places::of(vec![3, 5]), 0);
        for _ in 0..10_000 {
            drop(sets.of(Places::of((0..50).collect()), 0));
        }
        let some = sets.some();
        let entries: usize = some.by_instrument.iter().map(Vec::len).sum();
        assert!(entries < 2 * SWEEP_LEAST, "{entries}");
        drop(some);
        let touched = sets.touch(&Concerned::Of(Bits::of([5])), 7);
        assert!(touched.iter().any(|set| Arc::ptr_eq(set, &kept)));
        assert_eq!(kept.newest(), 7);
    }
}
