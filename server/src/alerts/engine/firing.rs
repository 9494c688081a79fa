//! How ticks and time change alerts.

use std::sync::Arc;

use shared::{Decimal, Firing, PriceKind, Span, Tick, Time};

use super::super::limits::AlertId;
use super::kinds::{self, Effect};
use super::{Engine, Entry, StoredAlert};
use crate::market::Placed;

impl Engine {
    /// Applies a tick of the instrument at `place`; adds the alerts that fire
    /// to `firings`, for each kind of price in the order of their numbers.
    pub(in super::super) fn apply(&mut self, place: usize, tick: &Tick, firings: &mut Vec<Placed>) {
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

    /// Starts to wait for silence, counted from a tick that was received at
    /// `at`.
    fn wait_for_silence(&mut self, id: AlertId, at: Time) {
        let entry = self.all.get(&id);
        let condition = entry.map(|entry| &entry.kept.alert.spec.condition);
        if let Some(silence) = condition.and_then(kinds::silence) {
            self.set_timer(id, at + silence);
        }
    }

    /// Checks an alert against the price of a tick; `before` is the same kind
    /// of price before that tick.
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
        let watched = &self.watched[place];
        let moved = |window_s| watched.moved(on, window_s);
        let holds = match kinds::effect(&kept.alert.spec.condition, before, price, moved) {
            Effect::State(holds) => holds,
            // An event during the cooldown is not reported later: where the price
            // is then says nothing about it.
            Effect::Event(happens) => {
                if happens && quiet_until.is_none() {
                    self.fire(id, Some(price), times, firings);
                }
                return;
            }
            Effect::None => return,
        };
        if let Some(until) = quiet_until
            && holds
            && kept.armed
        {
            // Checked again at the first price after the cooldown; it fires
            // then if the condition still holds.
            self.set_timer(id, until);
        } else if holds == kept.armed {
            kept.armed = !holds;
            if holds {
                self.fire(id, Some(price), times, firings);
            }
            self.record.touch(id);
        }
    }

    /// Times have jumped ahead by `by`, without that much time having passed.
    /// All waiting times are moved by it, so that they do not become shorter.
    pub(in super::super) fn jump(&mut self, by: Span) {
        let timers = std::mem::take(&mut self.timers);
        self.timers = timers.into_iter().map(|(due, id)| (due + by, id)).collect();
        for entry in self.all.values_mut() {
            entry.timer = entry.timer.map(|due| due + by);
            entry.jumped = entry.jumped + by;
        }
        self.watched.iter_mut().for_each(|watched| watched.jump(by));
    }

    /// The time at which [`Self::wake`] has something to do.
    pub(in super::super) fn next_timer(&self) -> Option<Time> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// Checks the alerts whose timers are due, and adds to `firings` those that
    /// fire because no tick arrived until `now`.
    pub(in super::super) fn wake(&mut self, now: Time, firings: &mut Vec<Placed>) {
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
            let Some(silence) = kinds::silence(&spec.condition) else {
                watched.look_at_next(id, spec);
                continue;
            };
            let heard = watched.heard_at() + silence;
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

    pub(super) fn set_timer(&mut self, id: AlertId, due: Time) {
        let Some(entry) = self.all.get_mut(&id) else {
            return;
        };
        if let Some(old) = entry.timer.replace(due) {
            self.timers.remove(&(old, id));
        }
        self.timers.insert((due, id));
    }

    /// Makes the alert fire; `time` is the source's time, `at` the server's.
    fn fire(
        &mut self,
        id: AlertId,
        price: Option<Decimal>,
        (time, at): (Time, Time),
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
        *jumped = Span::ZERO;
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
        // Others that hold this alert keep the earlier state.
        let alert = Arc::make_mut(alert);
        alert.apply(&firing);
        if !alert.spec.enabled {
            self.unwatch(id);
        }
        self.record.fire(firing);
    }
}
