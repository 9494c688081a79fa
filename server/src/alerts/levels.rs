//! Alerts by the value that they wait for.

use std::collections::BTreeSet;

use shared::Decimal;

use super::limits::AlertId;

/// The alerts by level: when a value moves, only those that it passes are
/// checked, however many there are.
#[derive(Debug, Default)]
pub(super) struct Levels(BTreeSet<(Decimal, AlertId)>);

impl Levels {
    pub(super) fn insert(&mut self, level: Decimal, id: AlertId) {
        self.0.insert((level, id));
    }

    pub(super) fn remove(&mut self, level: Decimal, id: AlertId) {
        self.0.remove(&(level, id));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the alerts that a value passes when it moves from `before` to
    /// `now`, both ends included; all of them if there was no value before.
    pub(super) fn passed(&self, before: Option<Decimal>, now: Decimal, ids: &mut Vec<AlertId>) {
        let Some(before) = before else {
            ids.extend(self.0.iter().map(|(_, id)| id));
            return;
        };
        let range = (before.min(now), AlertId::MIN)..=(before.max(now), AlertId::MAX);
        ids.extend(self.0.range(range).map(|(_, id)| id));
    }
}
