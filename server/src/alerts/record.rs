//! The record of changes to alerts, for saving and for queries.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use shared::Firing;

use super::limits::{ALERTS_MAX, AlertId};

/// How many firings are remembered.
pub const FIRED_MAX: usize = 1_000;
/// At most this many firings wait to be saved: one for every possible alert.
/// Beyond that, the oldest are lost, and counted.
pub(super) const UNSAVED_FIRINGS_MAX: usize = ALERTS_MAX;

/// The recent firings, and the changes to be saved.
#[derive(Debug)]
pub(super) struct Record {
    /// The newest last. Bounded by [`FIRED_MAX`].
    fired: VecDeque<Arc<Firing>>,
    /// Increases with every change that has to be saved.
    change: u64,
    /// `None` if there is no store.
    unsaved: Option<Waiting>,
    /// Alerts that changed since other servers were told; `None` if there are none.
    unshared: Option<BTreeSet<AlertId>>,
}

/// Changes that wait to be saved.
#[derive(Debug, Default)]
struct Waiting {
    /// For each alert, the newest change that has to be saved; kept until the
    /// store has it. An alert that no longer exists was deleted.
    alerts: BTreeMap<AlertId, u64>,
    /// The same by change.
    changes: BTreeMap<u64, AlertId>,
    /// The newest change that was taken to be saved.
    taken: u64,
    /// Firings that were not yet taken to be saved. Bounded by
    /// [`UNSAVED_FIRINGS_MAX`].
    firings: VecDeque<Arc<Firing>>,
    /// How many of them were dropped.
    lost: u64,
}

/// What was added since the last call, to be saved.
#[derive(Debug, Default)]
pub(super) struct SinceLastSave {
    pub(super) change: u64,
    pub(super) alerts: Vec<AlertId>,
    pub(super) firings: VecDeque<Arc<Firing>>,
    pub(super) lost: u64,
}

impl Record {
    /// A record with the firings of an earlier run, oldest first.
    pub(super) fn new(fired: Vec<Firing>, is_stored: bool) -> Self {
        Self {
            fired: fired.into_iter().map(Arc::new).collect(),
            change: 0,
            unsaved: is_stored.then(Waiting::default),
            unshared: None,
        }
    }

    /// Records from now on what other servers have to be told.
    pub(super) fn share(&mut self) {
        self.unshared = Some(BTreeSet::new());
    }

    /// Records no more what other servers have to be told.
    pub(super) fn share_no_more(&mut self) {
        self.unshared = None;
    }

    /// The alerts that changed since the last call, if other servers have to be told.
    pub(super) fn take_unshared(&mut self) -> BTreeSet<AlertId> {
        self.unshared
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Whether other servers have to be told of something.
    pub(super) fn has_unshared(&self) -> bool {
        self.unshared.as_ref().is_some_and(|ids| !ids.is_empty())
    }

    /// Forgets the firings, and has these instead, oldest first.
    pub(super) fn set_fired(&mut self, fired: Vec<Arc<Firing>>) {
        self.fired = fired.into();
    }

    /// The number of the newest change.
    pub(super) fn change(&self) -> u64 {
        self.change
    }

    /// The number of the newest change, if changes are saved.
    pub(super) fn change_to_save(&self) -> Option<u64> {
        self.unsaved.as_ref().map(|_| self.change)
    }

    /// How many alerts wait to be saved.
    pub(super) fn waiting(&self) -> usize {
        let unsaved = self.unsaved.as_ref();
        unsaved.map_or(0, |unsaved| unsaved.alerts.len())
    }

    /// The newest `limit` firings, newest first.
    pub(super) fn fired(&self, limit: usize) -> Vec<Arc<Firing>> {
        self.fired.iter().rev().take(limit).cloned().collect()
    }

    /// Records that an alert changed.
    pub(super) fn touch(&mut self, id: AlertId) {
        self.change += 1;
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.put(id, self.change);
        }
        if let Some(unshared) = &mut self.unshared {
            unshared.insert(id);
        }
    }

    /// Forgets a deleted alert that the store never had.
    pub(super) fn forget(&mut self, id: AlertId) {
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.remove(id);
        }
    }

    /// Whether a firing is among the recent ones.
    pub(super) fn has(&self, firing: &Firing) -> bool {
        let mut newest_first = self.fired.iter().rev();
        newest_first.any(|known| (known.id, known.count) == (firing.id, firing.count))
    }

    /// Records a firing.
    pub(super) fn fire(&mut self, firing: Arc<Firing>) {
        self.touch(firing.id);
        if self.fired.len() == FIRED_MAX {
            self.fired.pop_front();
        }
        self.fired.push_back(Arc::clone(&firing));
        if let Some(unsaved) = &mut self.unsaved {
            if unsaved.firings.len() == UNSAVED_FIRINGS_MAX {
                unsaved.firings.pop_front();
                unsaved.lost += 1;
            }
            unsaved.firings.push_back(firing);
        }
    }

    /// What was added since the last call. The caller has to keep it until it
    /// is saved.
    pub(super) fn take_unsaved(&mut self) -> SinceLastSave {
        let change = self.change;
        let Some(unsaved) = &mut self.unsaved else {
            return SinceLastSave::default();
        };
        let new = unsaved.changes.range(unsaved.taken + 1..);
        let alerts = new.map(|(_, id)| *id).collect();
        unsaved.taken = change;
        SinceLastSave {
            change,
            alerts,
            firings: std::mem::take(&mut unsaved.firings),
            lost: std::mem::take(&mut unsaved.lost),
        }
    }

    /// Records that everything up to this change is saved.
    pub(super) fn save(&mut self, change: u64) {
        let Some(unsaved) = &mut self.unsaved else {
            return;
        };
        let later = unsaved.changes.split_off(&(change + 1));
        for id in std::mem::replace(&mut unsaved.changes, later).into_values() {
            unsaved.alerts.remove(&id);
        }
    }
}

impl Waiting {
    fn put(&mut self, id: AlertId, change: u64) {
        if let Some(old) = self.alerts.insert(id, change) {
            self.changes.remove(&old);
        }
        self.changes.insert(change, id);
    }

    fn remove(&mut self, id: AlertId) {
        if let Some(change) = self.alerts.remove(&id) {
            self.changes.remove(&change);
        }
    }
}
