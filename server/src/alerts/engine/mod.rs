//! Checks alerts against every tick.
//!
//! A tick is cheap however many alerts there are: alerts on a price are indexed
//! by that price, and only those are checked that the price passes on its way
//! from the tick before.

mod firing;
mod followed;
mod kinds;

#[cfg(test)]
mod laws;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use shared::{Alert, AlertSpec, Decimal, Firing, PriceKind, Span, Time};

use super::limits::{ALERTS_MAX, AlertError, AlertId};
use super::record::Record;
use super::stored::{AlertsPage, PastAlerts, StoredAlert, Unsaved};
use super::watched::Watched;

/// An alert and the instrument that it watches; `None` if its symbol is not in
/// the catalogue.
#[derive(Debug)]
struct Entry {
    kept: StoredAlert,
    place: Option<usize>,
    /// When it is checked next, regardless of ticks.
    timer: Option<Time>,
    /// How far times have jumped since it last fired.
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

    /// The end of its cooldown, if it fired shortly before `at` and is still
    /// quiet.
    fn quiet_until(&self, at: Time) -> Option<Time> {
        let Alert {
            spec, last_fired, ..
        } = &*self.kept.alert;
        let last_fired = last_fired.filter(|_| spec.repeat)?;
        let until = last_fired + self.jumped + Span::from_seconds(spec.cooldown_s.into());
        // If the clock was set back, `at` is before `last_fired`, and the alert
        // is not quiet.
        (last_fired..until).contains(&at).then_some(until)
    }
}

/// All alerts, and the indices to find those that a tick concerns.
#[derive(Debug)]
pub(super) struct Engine {
    all: BTreeMap<AlertId, Entry>,
    /// By instrument.
    watched: Vec<Watched>,
    /// Alerts to be checked at a time: those that wait for silence, and those
    /// whose condition became true during the cooldown. Ticks do not move the
    /// timer of a silence alert: when it is due, it is moved to the newest tick
    /// plus its seconds of silence.
    timers: BTreeSet<(Time, AlertId)>,
    record: Record,
    newest_id: AlertId,
    /// Alerts up to this number may be in the store.
    offered_id: AlertId,
    /// How many alerts there may be.
    pub(super) most: usize,
    /// A buffer for the alerts that a tick passes.
    passed: Vec<AlertId>,
}

impl Engine {
    /// The alerts of an earlier run, as of `now`, in a market with these
    /// prices; `place_of` gives the index of a symbol's instrument. Changes are
    /// recorded to be saved if `is_stored`.
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
            most: ALERTS_MAX,
            passed: Vec::new(),
        };
        for kept in past.alerts {
            let place = place_of(&kept.alert.spec.symbol);
            alerts.insert(Entry::new(kept, place), now);
        }
        alerts
    }

    /// Prices begin anew with these, by instrument: each alert is as it would be
    /// if it had been made at this price. It does not fire for what it cannot
    /// have seen.
    pub(super) fn begin_anew(&mut self, prices: &[Option<Decimal>], now: Time) {
        let prices = prices.iter().copied().chain(std::iter::repeat(None));
        let places = self.watched.iter_mut().zip(prices);
        places.for_each(|(watched, price)| *watched = Watched::new(price));
        self.timers.clear();
        let ids: Vec<AlertId> = self.all.keys().copied().collect();
        for id in ids {
            if let Some(entry) = self.all.get_mut(&id) {
                entry.timer = None;
                let last = entry.place.and_then(|place| self.watched[place].last());
                let spec = &entry.kept.alert.spec;
                let armed = kinds::is_armed_at(
                    &spec.condition,
                    last.filter(|_| spec.on == PriceKind::Last),
                );
                if entry.kept.armed != armed {
                    entry.kept.armed = armed;
                    self.record.touch(id);
                }
            }
            self.watch(id, now);
        }
    }

    /// Adds an alert to the indices.
    fn insert(&mut self, entry: Entry, now: Time) {
        let id = entry.kept.alert.id;
        self.all.insert(id, entry);
        self.watch(id, now);
    }

    /// The first `limit` alerts after the number `after`.
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

    /// The newest `limit` firings, newest first.
    pub(super) fn fired(&self, limit: usize) -> Vec<Arc<Firing>> {
        self.record.fired(limit)
    }

    /// All alerts, for an engine that goes on with them.
    pub(super) fn past(&self) -> PastAlerts {
        let fired = self.record.fired(usize::MAX);
        PastAlerts {
            alerts: self.all.values().map(|entry| entry.kept.clone()).collect(),
            fired: fired.iter().rev().map(|one| Firing::clone(one)).collect(),
            newest_id: self.newest_id,
        }
    }

    /// Adds an alert on the instrument at `place`.
    pub(super) fn create(
        &mut self,
        spec: AlertSpec,
        place: usize,
        now: Time,
    ) -> Result<Arc<Alert>, AlertError> {
        // Alerts deleted while nothing can be written still take memory.
        let most = self.most;
        if self.all.len() >= most || self.record.waiting() >= 2 * most.max(1) {
            return Err(AlertError::Full { most });
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

    /// Replaces an alert's settings, armed as if it had never fired. Fails if
    /// its version is not among `expected`. It then watches the instrument at
    /// `place`, if there is one.
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

    /// Deletes an alert. Fails if its version is not among `expected`.
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

    /// Adds an alert to the index of its instrument, if it is enabled.
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

    /// The number of the newest change.
    pub(super) fn change(&self) -> u64 {
        self.record.change()
    }

    /// Whether other servers have to be told of something.
    pub(super) fn has_unshared(&self) -> bool {
        self.record.has_unshared()
    }

    /// The number of the newest change, if changes are saved.
    pub(super) fn change_to_save(&self) -> Option<u64> {
        self.record.change_to_save()
    }

    /// The unsaved changes that were not taken before. The caller has to keep
    /// them until they are saved.
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

    /// Records that everything up to this change is saved.
    pub(super) fn save(&mut self, change: u64) {
        self.record.save(change);
    }
}
