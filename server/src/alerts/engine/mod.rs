//! Alerts, held against every tick.
//!
//! A tick is cheap however many alerts there are: those that wait for a price
//! are kept by that price, and only those are looked at that the price passes
//! on its way from the tick before.

mod firing;
mod kinds;

#[cfg(test)]
mod laws;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use shared::{Alert, AlertSpec, Decimal, Firing, Span, Time};

use super::limits::{ALERTS_MAX, AlertError, AlertId};
use super::record::Record;
use super::stored::{AlertsPage, PastAlerts, StoredAlert, Unsaved};
use super::watched::Watched;

/// An alert, and which instrument it watches: none if the catalogue does not
/// have its symbol.
#[derive(Debug)]
struct Entry {
    kept: StoredAlert,
    place: Option<usize>,
    /// When it is looked at next, whatever the ticks do.
    timer: Option<Time>,
    /// By how much times have jumped since it last fired.
    jumped: Span,
}

impl Entry {
    fn new(kept: StoredAlert, place: Option<usize>) -> Self {
        Self {
            kept,
            place,
            timer: None,
            jumped: Span::ZERO,
        }
    }

    /// Until when it is quiet at `at`, because it fired a moment ago.
    fn quiet_until(&self, at: Time) -> Option<Time> {
        let Alert {
            spec, last_fired, ..
        } = &*self.kept.alert;
        let last_fired = last_fired.filter(|_| spec.repeat)?;
        let until = last_fired + self.jumped + Span::from_seconds(spec.cooldown_s.into());
        // A clock that was set back does not silence anything for long.
        (last_fired..until).contains(&at).then_some(until)
    }
}

/// All alerts, and what they wait for.
#[derive(Debug)]
pub(super) struct Engine {
    all: BTreeMap<AlertId, Entry>,
    /// By instrument.
    watched: Vec<Watched>,
    /// Those that are to be looked at at a time: where silence is waited for,
    /// and where a condition came true while the alert was quiet. A tick does
    /// not change this: silence that is due is put off by as long as there was
    /// something to hear.
    timers: BTreeSet<(Time, AlertId)>,
    record: Record,
    newest_id: AlertId,
    /// Alerts up to this number may be in the store.
    offered_id: AlertId,
    /// Those that a tick passes, while it is looked at.
    passed: Vec<AlertId>,
}

impl Engine {
    /// The alerts of the past, at `now`, of a market whose instruments had
    /// these prices; `place_of` says which of them has a symbol. They are to be
    /// saved if `is_stored`.
    pub(super) fn new(
        past: PastAlerts,
        prices: impl IntoIterator<Item = Option<Decimal>>,
        place_of: impl Fn(&str) -> Option<usize>,
        is_stored: bool,
        now: Time,
    ) -> Self {
        let newest_id = past.alerts.iter().map(|kept| kept.alert.id).max();
        let newest_id = past.newest_id.max(newest_id.unwrap_or(0));
        let mut alerts = Self {
            all: BTreeMap::new(),
            watched: prices.into_iter().map(Watched::new).collect(),
            timers: BTreeSet::new(),
            record: Record::new(past.fired, is_stored),
            newest_id,
            offered_id: newest_id,
            passed: Vec::new(),
        };
        for kept in past.alerts {
            let place = place_of(&kept.alert.spec.symbol);
            alerts.insert(Entry::new(kept, place), now);
        }
        alerts
    }

    /// Puts an alert in its place, and waits for what it waits for.
    fn insert(&mut self, entry: Entry, now: Time) {
        let id = entry.kept.alert.id;
        self.all.insert(id, entry);
        self.watch(id, now);
    }

    /// The first `limit` of them after the number `after`.
    pub(super) fn page(&self, after: AlertId, limit: usize) -> AlertsPage {
        let mut later = self.all.range((Bound::Excluded(after), Bound::Unbounded));
        let page = later.by_ref().take(limit);
        AlertsPage {
            alerts: page
                .map(|(_, entry)| Arc::clone(&entry.kept.alert))
                .collect(),
            has_more: later.next().is_some(),
            change: self.record.change(),
        }
    }

    pub(super) fn get(&self, id: AlertId) -> Result<&Arc<Alert>, AlertError> {
        let entry = self.all.get(&id).ok_or(AlertError::Unknown(id))?;
        Ok(&entry.kept.alert)
    }

    /// The newest `limit` firings, the newest first.
    pub(super) fn fired(&self, limit: usize) -> Vec<Arc<Firing>> {
        self.record.fired(limit)
    }

    /// Adds an alert of the instrument at `place`.
    pub(super) fn create(
        &mut self,
        spec: AlertSpec,
        place: usize,
        now: Time,
    ) -> Result<Arc<Alert>, AlertError> {
        // What is deleted while nothing can be written has to be remembered.
        if self.all.len() >= ALERTS_MAX || self.record.waiting() >= 2 * ALERTS_MAX {
            return Err(AlertError::Full);
        }
        self.watched[place].check_room(&spec)?;
        self.newest_id += 1;
        let alert = Arc::new(Alert {
            id: self.newest_id,
            version: 1,
            spec,
            created: now,
            fired: 0,
            last_fired: None,
        });
        let kept = StoredAlert {
            alert: Arc::clone(&alert),
            armed: true,
        };
        self.insert(Entry::new(kept, Some(place)), now);
        self.record.touch(alert.id);
        Ok(alert)
    }

    /// Sets an alert anew, armed as if it had never fired, unless it is at another version than
    /// `expected`. It then watches the instrument at `place`, if there is one.
    pub(super) fn replace(
        &mut self,
        id: AlertId,
        expected: Option<&[u64]>,
        spec: AlertSpec,
        place: Option<usize>,
        now: Time,
    ) -> Result<Arc<Alert>, AlertError> {
        let mut alert = Alert::clone(self.check(id, expected)?);
        if let Some(place) = place {
            self.watched[place].check_room(&spec)?;
        }
        self.unwatch(id);
        alert.version += 1;
        alert.spec = spec;
        alert.last_fired = None;
        let alert = Arc::new(alert);
        let kept = StoredAlert {
            alert: Arc::clone(&alert),
            armed: true,
        };
        self.insert(Entry::new(kept, place), now);
        self.record.touch(id);
        Ok(alert)
    }

    /// Deletes an alert, unless it is at another version than `expected`.
    pub(super) fn delete(
        &mut self,
        id: AlertId,
        expected: Option<&[u64]>,
    ) -> Result<(), AlertError> {
        self.check(id, expected)?;
        self.unwatch(id);
        self.all.remove(&id);
        self.record.touch(id);
        if id > self.offered_id {
            self.record.forget(id);
        }
        Ok(())
    }

    fn check(&self, id: AlertId, expected: Option<&[u64]>) -> Result<&Arc<Alert>, AlertError> {
        let alert = self.get(id)?;
        match expected {
            Some(expected) if !expected.contains(&alert.version) => Err(AlertError::Stale {
                id,
                version: alert.version,
                expected: expected.first().copied().unwrap_or_default(),
            }),
            _ => Ok(alert),
        }
    }

    /// Waits for an alert's condition, if it is on.
    fn watch(&mut self, id: AlertId, now: Time) {
        let Some(Entry {
            kept,
            place: Some(place),
            ..
        }) = self.all.get(&id)
        else {
            return;
        };
        let spec = &kept.alert.spec;
        if !spec.enabled {
            return;
        }
        self.watched[*place].insert(id, spec);
        if let Some(silence) = kinds::silence(&spec.condition) {
            self.set_timer(id, now + silence);
        }
    }

    fn unwatch(&mut self, id: AlertId) {
        let Some(Entry {
            kept,
            place: Some(place),
            timer,
            ..
        }) = self.all.get_mut(&id)
        else {
            return;
        };
        self.watched[*place].remove(id, &kept.alert.spec);
        if let Some(due) = timer.take() {
            self.timers.remove(&(due, id));
        }
    }

    /// Number of the newest change, if somebody saves them.
    pub(super) fn change_to_save(&self) -> Option<u64> {
        self.record.change_to_save()
    }

    /// What has to be saved and was not taken before. Whoever takes it has to
    /// keep it until it is saved.
    pub(super) fn take_unsaved(&mut self) -> Unsaved {
        self.offered_id = self.newest_id;
        let news = self.record.take_unsaved();
        let kept = |id| self.all.get(id).map(|entry| entry.kept.clone());
        Unsaved {
            change: news.change,
            alerts: news.alerts.iter().map(|id| (*id, kept(id))).collect(),
            firings: news.firings,
            lost: news.lost,
        }
    }

    /// Everything up to this change is saved.
    pub(super) fn save(&mut self, change: u64) {
        self.record.save(change);
    }
}
