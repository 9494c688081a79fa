//! Alerts, held against every tick.
//!
//! A tick is cheap however many alerts there are: those that wait for a price
//! are kept by that price, and only those are looked at that the price passes
//! on its way from the tick before.

#[cfg(test)]
mod laws;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use shared::{Alert, AlertSpec, Condition, Decimal, Firing, Micros, PriceKind, Tick};

use super::limits::{ALERTS_MAX, AlertError, AlertId};
use super::record::{Record, UNSAVED_FIRINGS_MAX};
use super::watched::Watched;
use crate::market::Placed;

/// An alert, and whether it waits for its condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAlert {
    /// As people see it.
    pub alert: Arc<Alert>,
    /// Whether it will fire when its condition holds. One that fired is not
    /// armed until the condition no longer holds.
    pub armed: bool,
}

/// What happened to alerts since the last time that somebody asked.
#[derive(Clone, Debug, Default)]
pub struct Unsaved {
    /// Number of the newest change in it.
    pub change: u64,
    /// Those that are new or other than before; `None` for one that is gone.
    pub alerts: BTreeMap<AlertId, Option<StoredAlert>>,
    /// What fired, oldest first.
    pub firings: VecDeque<Arc<Firing>>,
    /// How many firings are in none of these, because nobody asked for too
    /// long.
    pub lost: u64,
}

impl Unsaved {
    /// Adds what happened after it. Of too many firings the oldest are lost.
    pub fn extend(&mut self, later: Self) {
        self.change = later.change;
        self.alerts.extend(later.alerts);
        self.firings.extend(later.firings);
        let over = self.firings.len().saturating_sub(UNSAVED_FIRINGS_MAX);
        self.firings.drain(..over);
        self.lost += later.lost + over as u64;
    }
}

/// Some of the alerts, by number.
#[derive(Clone, Debug)]
pub struct AlertsPage {
    /// At most as many as were asked for.
    pub alerts: Vec<Arc<Alert>>,
    /// Whether there are more after these.
    pub has_more: bool,
    /// Goes up with every change of any alert.
    pub change: u64,
}

/// The alerts of the past.
#[derive(Clone, Debug, Default)]
pub struct PastAlerts {
    /// All of them.
    pub alerts: Vec<StoredAlert>,
    /// What fired, oldest first.
    pub fired: Vec<Firing>,
    /// The highest number that was ever given.
    pub newest_id: AlertId,
}

/// An alert, and which instrument it watches: none if the catalogue does not
/// have its symbol.
#[derive(Debug)]
struct Entry {
    kept: StoredAlert,
    place: Option<usize>,
    /// When it is looked at next, whatever the ticks do.
    timer: Option<Micros>,
    /// By how much times have jumped since it last fired.
    jumped: Micros,
}

impl Entry {
    fn new(kept: StoredAlert, place: Option<usize>) -> Self {
        Self {
            kept,
            place,
            timer: None,
            jumped: 0,
        }
    }

    /// Until when it is quiet at `at`, because it fired a moment ago.
    fn quiet_until(&self, at: Micros) -> Option<Micros> {
        let Alert {
            spec, last_fired, ..
        } = &*self.kept.alert;
        let last_fired = last_fired.filter(|_| spec.repeat)?;
        let until = last_fired + self.jumped + Micros::from(spec.cooldown_s) * 1_000_000;
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
    timers: BTreeSet<(Micros, AlertId)>,
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
        now: Micros,
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
    fn insert(&mut self, entry: Entry, now: Micros) {
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
        now: Micros,
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
        now: Micros,
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

    /// Takes in a tick of the instrument at `place`; adds what fires, by the
    /// alerts' numbers.
    pub(super) fn apply(&mut self, place: usize, tick: &Tick, firings: &mut Vec<Placed>) {
        for id in self.watched[place].hear(tick) {
            self.wait_for_silence(id, tick.at());
        }
        let mut passed = std::mem::take(&mut self.passed);
        for kind in PriceKind::ALL {
            let Some(price) = tick.price(kind) else {
                continue;
            };
            let told = (kind, price);
            let before = self.watched[place].apply(told, tick.time(), &mut passed);
            if passed.is_empty() {
                continue;
            }
            passed.sort_unstable();
            passed.dedup();
            for id in passed.drain(..) {
                self.look(id, place, (before, price), tick, firings);
            }
        }
        self.passed = passed;
    }

    /// Begins to wait for silence, with something that was heard at `at`.
    fn wait_for_silence(&mut self, id: AlertId, at: Micros) {
        let entry = self.all.get(&id);
        let condition = entry.map(|entry| &entry.kept.alert.spec.condition);
        if let Some(Condition::SilentS(seconds)) = condition {
            self.set_timer(id, at + Micros::from(*seconds) * 1_000_000);
        }
    }

    /// Looks whether a price does anything to an alert, which a tick told after
    /// the one `before`.
    fn look(
        &mut self,
        id: AlertId,
        place: usize,
        (before, price): (Option<Decimal>, Decimal),
        tick: &Tick,
        firings: &mut Vec<Placed>,
    ) {
        let Some(entry) = self.all.get_mut(&id) else {
            return;
        };
        let quiet_until = entry.quiet_until(tick.at());
        let times = (tick.time(), tick.at());
        let kept = &mut entry.kept;
        let on = kept.alert.spec.on;
        let holds = match &kept.alert.spec.condition {
            Condition::Above(level) => price > *level,
            Condition::Below(level) => price < *level,
            Condition::Moves(moves) => {
                self.watched[place].moved(on, moves.window_s) >= moves.percent
            }
            Condition::Crosses(level) => {
                // It was on the other side a tick ago, so it is armed.
                let crossed = before.is_some_and(|before| {
                    before.cmp(level).is_ne() && before.cmp(level) != price.cmp(level)
                });
                // Where the price is when the quiet ends says nothing of this.
                if crossed && quiet_until.is_none() {
                    self.fire(id, Some(price), times, firings);
                }
                return;
            }
            Condition::SilentS(_) => return,
        };
        if let Some(until) = quiet_until
            && holds
            && kept.armed
        {
            // Told then, if it still holds.
            self.set_timer(id, until);
        } else if holds == kept.armed {
            kept.armed = !holds;
            if holds {
                self.fire(id, Some(price), times, firings);
            }
            self.record.touch(id);
        }
    }

    /// Times have jumped ahead by so much, without so much having passed: what
    /// waits for a length of time waits no shorter for that.
    pub(super) fn jump(&mut self, by: Micros) {
        let timers = std::mem::take(&mut self.timers);
        self.timers = timers.into_iter().map(|(due, id)| (due + by, id)).collect();
        for entry in self.all.values_mut() {
            entry.timer = entry.timer.map(|due| due + by);
            entry.jumped += by;
        }
        self.watched.iter_mut().for_each(|watched| watched.jump(by));
    }

    /// When [`Self::wake`] has something to do.
    pub(super) fn next_timer(&self) -> Option<Micros> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// Looks at those whose time has come, and adds what fires because nothing
    /// was heard until `now`.
    pub(super) fn wake(&mut self, now: Micros, firings: &mut Vec<Placed>) {
        while let Some((due, id)) = self.timers.first().copied().filter(|(due, _)| *due <= now) {
            self.timers.remove(&(due, id));
            let Some(entry) = self.all.get_mut(&id) else {
                continue;
            };
            entry.timer = None;
            let Some(place) = entry.place else {
                continue;
            };
            let watched = &mut self.watched[place];
            let spec = &entry.kept.alert.spec;
            let Condition::SilentS(seconds) = spec.condition else {
                watched.look_at_next(id, spec);
                continue;
            };
            let heard = watched.heard_at() + Micros::from(seconds) * 1_000_000;
            let later = entry.quiet_until(now).max(Some(heard));
            if let Some(later) = later.filter(|later| *later > due) {
                self.set_timer(id, later);
                continue;
            }
            // The next tick starts the wait again.
            watched.look_at_next(id, spec);
            let price = watched.last();
            self.fire(id, price, (now, now), firings);
        }
    }

    fn set_timer(&mut self, id: AlertId, due: Micros) {
        let Some(entry) = self.all.get_mut(&id) else {
            return;
        };
        if let Some(old) = entry.timer.replace(due) {
            self.timers.remove(&(old, id));
        }
        self.timers.insert((due, id));
    }

    /// Fires; `time` is the source's, `at` the server's.
    fn fire(
        &mut self,
        id: AlertId,
        price: Option<Decimal>,
        (time, at): (Micros, Micros),
        firings: &mut Vec<Placed>,
    ) {
        let Some(Entry {
            kept: StoredAlert { alert, .. },
            place: Some(place),
            jumped,
            ..
        }) = self.all.get_mut(&id)
        else {
            return;
        };
        *jumped = 0;
        let firing = Arc::new(Firing {
            id,
            symbol: alert.spec.symbol.clone(),
            condition: alert.spec.condition.clone(),
            on: alert.spec.on,
            price,
            time,
            at: (at != time).then_some(at),
            count: alert.fired + 1,
            note: alert.spec.note.clone(),
        });
        firings.push((*place, Arc::clone(&firing)));
        // Whoever looks at it keeps what was.
        let alert = Arc::make_mut(alert);
        alert.apply(&firing);
        if !alert.spec.enabled {
            self.unwatch(id);
        }
        self.record.fire(firing);
    }

    /// Waits for an alert's condition, if it is on.
    fn watch(&mut self, id: AlertId, now: Micros) {
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
        if let Condition::SilentS(seconds) = spec.condition {
            self.set_timer(id, now + Micros::from(seconds) * 1_000_000);
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
