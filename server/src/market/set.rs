//! Sets of symbols, shared by all readers that want the same ones.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The symbols that a reader wants, as indices into the catalogue.
///
/// Made by [`Sets`] only, so that two readers of the same symbols hold the
/// same `Arc` and share what was encoded for it.
#[derive(Debug)]
pub struct SymbolSet {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    All,
    /// Sorted, without repeats.
    Some(Vec<usize>),
}

impl SymbolSet {
    /// Whether the instrument with this index is wanted.
    pub fn contains(&self, instrument: usize) -> bool {
        match &self.kind {
            Kind::All => true,
            Kind::Some(indices) => indices.binary_search(&instrument).is_ok(),
        }
    }

    /// Whether every instrument is wanted.
    pub fn is_all(&self) -> bool {
        matches!(self.kind, Kind::All)
    }

    /// The wanted indices among `0..instruments`, in order.
    pub(super) fn indices(&self, instruments: usize) -> Vec<usize> {
        match &self.kind {
            Kind::All => (0..instruments).collect(),
            Kind::Some(indices) => indices.clone(),
        }
    }
}

/// Every set that some reader holds, each once.
#[derive(Debug)]
pub(super) struct Sets {
    all: Arc<SymbolSet>,
    instruments: usize,
    /// A std mutex: held for a look-up, never across an await. Sets whose last
    /// reader has gone are swept out whenever the map has doubled.
    some: Mutex<Interned>,
}

#[derive(Debug, Default)]
struct Interned {
    sets: HashMap<Vec<usize>, Weak<SymbolSet>>,
    sweep_at: usize,
}

impl Sets {
    pub(super) fn new(instruments: usize) -> Self {
        Self {
            all: Arc::new(SymbolSet { kind: Kind::All }),
            instruments,
            some: Mutex::default(),
        }
    }

    pub(super) fn all(&self) -> Arc<SymbolSet> {
        Arc::clone(&self.all)
    }

    /// The set of these indices, in any order; all of them are [`Self::all`].
    pub(super) fn of(&self, mut indices: Vec<usize>) -> Arc<SymbolSet> {
        indices.sort_unstable();
        indices.dedup();
        if indices.len() == self.instruments {
            return self.all();
        }
        // The map is whole after every step; a panic elsewhere spoils nothing.
        let mut interned = self.some.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = interned.sets.get(&indices).and_then(Weak::upgrade) {
            return set;
        }
        if interned.sets.len() >= interned.sweep_at {
            interned.sets.retain(|_, set| set.strong_count() > 0);
            interned.sweep_at = 2 * interned.sets.len() + 64;
        }
        let kind = Kind::Some(indices.clone());
        let set = Arc::new(SymbolSet { kind });
        interned.sets.insert(indices, Arc::downgrade(&set));
        set
    }
}
