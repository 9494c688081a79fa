//! What is made once, for all who want the same at the same time.

use std::sync::{Arc, OnceLock};

/// A value that is being made, or was: whoever is first makes it, others who
/// want the same wait for that, and nobody holds a lock meanwhile.
pub(super) type Slot<V> = Arc<OnceLock<V>>;

/// A few values by what they are for.
#[derive(Debug)]
pub(super) struct OnceMap<K, V> {
    slots: Vec<(K, Slot<V>)>,
}

impl<K, V> Default for OnceMap<K, V> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

impl<K: PartialEq, V> OnceMap<K, V> {
    /// The slot for this, of which there are at most `max`; `None` when all of
    /// them are for something else.
    pub(super) fn slot(&mut self, key: K, max: usize) -> Option<Slot<V>> {
        if let Some((_, slot)) = self.slots.iter().find(|(known, _)| *known == key) {
            return Some(Arc::clone(slot));
        }
        if self.slots.len() >= max {
            return None;
        }
        let slot = Slot::default();
        self.slots.push((key, Arc::clone(&slot)));
        Some(slot)
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
    }
}
