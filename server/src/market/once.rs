//! Values that are made once and shared by all who need them at the same time.

use std::sync::{Arc, OnceLock};

/// A value that is made once: the first caller makes it, others that need the
/// same value wait for it, and no lock is held meanwhile.
pub(super) type Slot<V> = Arc<OnceLock<V>>;

/// A few values, each with its key.
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
    /// The slot for this key. There are at most `max` slots; `None` when all of
    /// them are in use for other keys.
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

    /// Drops all values.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
    }
}
