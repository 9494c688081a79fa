//! What happened to alerts, for those who save it and those who look it up.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use shared::Firing;

use super::limits::{ALERTS_MAX, AlertId};

/// How many firings are remembered.
pub const FIRED_MAX: usize = 1_000;
/// So many firings wait for whoever saves them: one of every alert there can
/// be. Of more, the oldest are lost, and counted.
pub(super) const UNSAVED_FIRINGS_MAX: usize = ALERTS_MAX;

/// What happened.
#[derive(Debug)]
pub(super) struct Record {
    /// The newest last. Bounded by [`FIRED_MAX`].
    fired: VecDeque<Arc<Firing>>,
    /// Goes up with everything that has to be saved.
    change: u64,
    /// Where there is no store, nothing waits for it.
    unsaved: Option<Waiting>,
}

/// What waits to be saved.
#[derive(Debug, Default)]
struct Waiting {
    /// Each alert, and as of which change it has to be saved: until the store
    /// has it. One that is no more was deleted.
    alerts: BTreeMap<AlertId, u64>,
    /// The same by change.
    changes: BTreeMap<u64, AlertId>,
    /// Up to which change whoever saves knows of it.
    taken: u64,
    /// What fired, and nobody took to save it. Bounded by
    /// [`UNSAVED_FIRINGS_MAX`].
    firings: VecDeque<Arc<Firing>>,
    /// How many of them had to go.
    lost: u64,
}

/// What is new since the last time that somebody asked, to save it.
#[derive(Debug, Default)]
pub(super) struct SinceLastSave {
    pub(super) change: u64,
    pub(super) alerts: Vec<AlertId>,
    pub(super) firings: VecDeque<Arc<Firing>>,
    pub(super) lost: u64,
}

impl Record {
    /// Of what fired before, the oldest first.
    pub(super) fn new(fired: Vec<Firing>, is_stored: bool) -> Self {
        Self {
            fired: fired.into_iter().map(Arc::new).collect(),
            change: 0,
            unsaved: is_stored.then(Waiting::default),
        }
    }

    /// Number of the newest change.
    pub(super) fn change(&self) -> u64 {
        self.change
    }

    /// Number of the newest change, if somebody saves them.
    pub(super) fn change_to_save(&self) -> Option<u64> {
        self.unsaved.as_ref().map(|_| self.change)
    }

    /// How many alerts wait to be saved.
    pub(super) fn waiting(&self) -> usize {
        let unsaved = self.unsaved.as_ref();
        unsaved.map_or(0, |unsaved| unsaved.alerts.len())
    }

    /// The newest `limit` firings, the newest first.
    pub(super) fn fired(&self, limit: usize) -> Vec<Arc<Firing>> {
        self.fired.iter().rev().take(limit).cloned().collect()
    }

    /// Something happened to an alert.
    pub(super) fn touch(&mut self, id: AlertId) {
        self.change += 1;
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.put(id, self.change);
        }
    }

    /// An alert that the store never had is no more.
    pub(super) fn forget(&mut self, id: AlertId) {
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.remove(id);
        }
    }

    /// It fired.
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

    /// What is new since the last time. Whoever takes it has to keep it until
    /// it is saved.
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

    /// Everything up to this change is saved.
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
