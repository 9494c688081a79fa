//! The states of all symbols, which are cheap to copy.

use std::sync::Arc;

use shared::{SymbolState, Tick};

/// How many states are copied together when one of them changes while a clone
/// still holds them.
const CHUNK: usize = 32;

/// The states of all symbols, in the order of the catalogue.
///
/// A clone shares them: it costs a reference count for every [`CHUNK`] of them.
/// A change of one state copies its chunk first, but only while a clone holds
/// that chunk.
#[derive(Clone, Debug)]
pub(super) struct States(Vec<Arc<Vec<SymbolState>>>);

impl States {
    pub(super) fn new(states: &[SymbolState]) -> Self {
        let chunks = states.chunks(CHUNK);
        Self(chunks.map(|chunk| Arc::new(chunk.to_vec())).collect())
    }

    /// Applies a tick of the symbol at this index.
    pub(super) fn apply(&mut self, place: usize, tick: &Tick) {
        Arc::make_mut(&mut self.0[place / CHUNK])[place % CHUNK].apply(tick);
    }

    /// The state of a symbol once this has become known of its session so far. Quotes
    /// stay, and a price that is newer.
    pub(super) fn joined(&self, place: usize, found: SymbolState) -> SymbolState {
        let state = self.at(place);
        let is_newer = state.time > found.time;
        SymbolState {
            last: state.last.filter(|_| is_newer).or(found.last),
            time: state.time.max(found.time),
            previous: found.previous.or(state.previous),
            bid: state.bid,
            bid_qty: state.bid_qty,
            ask: state.ask,
            ask_qty: state.ask_qty,
            ..found
        }
    }

    /// Sets the state of the symbol at this index.
    pub(super) fn set(&mut self, place: usize, state: SymbolState) {
        Arc::make_mut(&mut self.0[place / CHUNK])[place % CHUNK] = state;
    }

    /// The state of the symbol at this index.
    pub(super) fn at(&self, place: usize) -> &SymbolState {
        &self.0[place / CHUNK][place % CHUNK]
    }
}
