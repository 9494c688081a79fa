//! Where every symbol stands, to be copied in a moment.

use std::sync::Arc;

use shared::{SymbolState, Tick};

/// So many states are copied together when one of them changes while somebody
/// still looks at how they were.
const CHUNK: usize = 32;

/// The states of all symbols, in the order of the catalogue.
///
/// A clone shares them: it costs a count for every [`CHUNK`] of them. Whoever
/// changes one copies its chunk first, but only while a clone has it.
#[derive(Clone, Debug)]
pub(super) struct States(Vec<Arc<Vec<SymbolState>>>);

impl States {
    pub(super) fn new(states: &[SymbolState]) -> Self {
        let chunks = states.chunks(CHUNK);
        Self(chunks.map(|chunk| Arc::new(chunk.to_vec())).collect())
    }

    /// Takes in a tick of the symbol at this place.
    pub(super) fn apply(&mut self, place: usize, tick: &Tick) {
        Arc::make_mut(&mut self.0[place / CHUNK])[place % CHUNK].apply(tick);
    }

    /// The state of the symbol at this place.
    pub(super) fn at(&self, place: usize) -> &SymbolState {
        &self.0[place / CHUNK][place % CHUNK]
    }
}
