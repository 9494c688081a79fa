//! Alerts by the value that they wait for.

use std::collections::BTreeMap;

use shared::Decimal;

use super::AlertId;

/// Which alerts wait at which value: when a value moves, only those that it
/// passes are looked at, however many there are.
#[derive(Debug, Default)]
pub(super) struct Levels(BTreeMap<Decimal, Vec<AlertId>>);

impl Levels {
    pub(super) fn insert(&mut self, level: Decimal, id: AlertId) {
        self.0.entry(level).or_default().push(id);
    }

    pub(super) fn remove(&mut self, level: Decimal, id: AlertId) {
        if let Some(ids) = self.0.get_mut(&level) {
            ids.retain(|known| *known != id);
            if ids.is_empty() {
                self.0.remove(&level);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds those that a value passes which moves from `before`, both ends
    /// included; all of them if it was nowhere before.
    pub(super) fn passed(&self, before: Option<Decimal>, now: Decimal, ids: &mut Vec<AlertId>) {
        let Some(before) = before else {
            ids.extend(self.0.values().flatten());
            return;
        };
        let range = before.min(now)..=before.max(now);
        ids.extend(self.0.range(range).flat_map(|(_, ids)| ids));
    }
}
