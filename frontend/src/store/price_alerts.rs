//! The alerts that charts show, combined from lists, answers and messages. A
//! message can arrive before an older answer.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use shared::{Alert, AlertChanges, Firing};

/// An alert on a price.
#[derive(Clone)]
pub struct PriceAlert {
    /// The alert as the server sent it.
    pub alert: Rc<Alert>,
    /// Its price, for the screen.
    pub level: f64,
}

impl PriceAlert {
    /// `None` for an alert that is not on a price.
    fn of(alert: &Rc<Alert>) -> Option<Self> {
        Some(Self {
            level: alert.spec.condition.level()?.to_f64(),
            alert: Rc::clone(alert),
        })
    }

    /// Whether both are the same alert, at whatever price.
    pub fn is(&self, other: &Self) -> bool {
        self.alert.id == other.alert.id
    }
}

/// All alerts that are enabled and on a price.
///
/// Messages arrive in the order of the log. The answer to a request may be
/// older than messages that arrived after the request was sent, so these
/// messages take precedence.
#[derive(Debug, Default)]
pub(super) struct PriceAlerts {
    /// By the alert's number.
    all: BTreeMap<u64, Rc<Alert>>,
    /// What arrived since the request that has no answer yet.
    since: Option<Since>,
}

/// What arrived since a request was sent.
#[derive(Debug, Default)]
struct Since {
    /// The alerts that people changed or deleted.
    changed: BTreeSet<u64>,
    /// The alerts that fired, with the newest firing of each.
    fired: BTreeMap<u64, Firing>,
}

impl Since {
    /// Brings an alert from the answer up to date; `None` if a message has
    /// changed it since.
    fn up_to_date(&self, mut alert: Alert) -> Option<Alert> {
        if self.changed.contains(&alert.id) {
            return None;
        }
        if let Some(firing) = self.fired.get(&alert.id)
            && firing.count > alert.fired
        {
            alert.apply(firing);
        }
        Some(alert)
    }
}

impl PriceAlerts {
    /// A request is sent to the server: messages from now on may be newer than
    /// its answer.
    pub(super) fn ask(&mut self) {
        self.since = Some(Since::default());
    }

    /// The request has ended, with an answer or without.
    pub(super) fn stop_asking(&mut self) {
        self.since = None;
    }

    /// Applies firings; returns whether an alert is no longer shown because of
    /// them.
    pub(super) fn fire(&mut self, firings: &[Firing]) -> bool {
        let mut is_other = false;
        for firing in firings {
            if let Some(since) = &mut self.since {
                since.fired.insert(firing.id, firing.clone());
            }
            if let Some(known) = self.all.get(&firing.id) {
                let mut alert = Alert::clone(known);
                alert.apply(firing);
                is_other |= !is_shown(&alert);
                self.put(alert);
            }
        }
        is_other
    }

    /// Applies changes that people made.
    pub(super) fn change(&mut self, changes: &AlertChanges) {
        if let Some(since) = &mut self.since {
            let changed = changes.changed.iter().map(|alert| alert.id);
            since
                .changed
                .extend(changed.chain(changes.deleted.iter().copied()));
        }
        for alert in &changes.changed {
            self.put(alert.clone());
        }
        for id in &changes.deleted {
            self.all.remove(id);
        }
    }

    /// Applies the answer to the request: one alert that was added or changed.
    pub(super) fn answer(&mut self, alert: Alert) {
        let since = self.since.take().unwrap_or_default();
        since
            .up_to_date(alert)
            .into_iter()
            .for_each(|alert| self.put(alert));
    }

    /// Applies the answer to the request: all alerts.
    pub(super) fn list(&mut self, all: Vec<Alert>) {
        let since = self.since.take().unwrap_or_default();
        self.all.retain(|id, _| since.changed.contains(id));
        let listed = all.into_iter().filter_map(|alert| since.up_to_date(alert));
        listed.for_each(|alert| self.put(alert));
    }

    /// A command for this alert was refused. The alert gets a new `Rc`, so that
    /// a chart that shows it as moved resets it.
    pub(super) fn refuse(&mut self, id: u64) {
        if let Some(alert) = self.all.get_mut(&id) {
            *alert = Rc::new(Alert::clone(alert));
        }
    }

    /// Whether the alert is still as it was when this was read.
    pub(super) fn is_current(&self, alert: &Rc<Alert>) -> bool {
        let known = self.all.get(&alert.id);
        known.is_some_and(|known| Rc::ptr_eq(known, alert))
    }

    /// What `make` returns for each alert on the price of a symbol.
    pub(super) fn of<T>(&self, symbol: &str, make: impl FnMut(PriceAlert) -> T) -> Vec<T> {
        let all = self.all.values();
        let own = all.filter(|alert| alert.spec.symbol == symbol);
        own.filter_map(PriceAlert::of).map(make).collect()
    }

    fn put(&mut self, alert: Alert) {
        if is_shown(&alert) {
            self.all.insert(alert.id, Rc::new(alert));
        } else {
            self.all.remove(&alert.id);
        }
    }
}

/// Whether charts show this alert.
fn is_shown(alert: &Alert) -> bool {
    alert.spec.enabled && alert.spec.condition.level().is_some()
}

#[cfg(test)]
mod tests {
    use shared::{AlertSpec, Condition, Decimal, PriceKind, Time};

    use super::*;

    fn alert(id: u64, version: u64, level: i64, repeat: bool) -> Alert {
        Alert {
            id,
            version,
            spec: AlertSpec {
                symbol: "A".to_owned(),
                condition: Condition::Crosses(Decimal::from(level)),
                on: PriceKind::Last,
                repeat,
                cooldown_s: 1,
                enabled: true,
                note: String::new(),
            },
            created: Time::EPOCH,
            fired: 0,
            last_fired: None,
        }
    }

    fn firing(id: u64, count: u64) -> Firing {
        Firing {
            id,
            symbol: "A".to_owned(),
            condition: Condition::Crosses(Decimal::ONE),
            on: PriceKind::Last,
            price: None,
            time: Time::EPOCH,
            at: None,
            count,
            note: String::new(),
        }
    }

    fn changed(alert: Alert) -> AlertChanges {
        AlertChanges {
            changed: vec![alert],
            ..AlertChanges::default()
        }
    }

    /// Number, version, level and count of firings of each alert.
    fn shown(all: &PriceAlerts) -> Vec<(u64, u64, f64, u64)> {
        let of = |shown: PriceAlert| {
            let alert = &shown.alert;
            (alert.id, alert.version, shown.level, alert.fired)
        };
        all.of("A", of)
    }

    #[test]
    fn what_fires_while_they_are_listed_is_listed() {
        let mut all = PriceAlerts::default();
        all.ask();
        all.fire(&[firing(1, 1), firing(2, 1)]);
        all.fire(&[firing(1, 2)]);
        all.list(vec![
            alert(1, 1, 5, true),
            alert(2, 1, 5, false),
            alert(3, 1, 6, true),
        ]);
        // The second alert does not repeat, so it is gone after it has fired.
        assert_eq!(shown(&all), [(1, 1, 5.0, 2), (3, 1, 6.0, 0)]);
        assert!(!all.fire(&[firing(3, 1)]), "no line is other for that");
    }

    #[test]
    fn one_that_was_old_is_set_right_by_the_list_although_it_fires() {
        let mut all = PriceAlerts::default();
        all.list(vec![alert(1, 1, 5, true)]);
        all.ask();
        all.fire(&[firing(1, 4)]);
        let listed = Alert {
            fired: 3,
            ..alert(1, 2, 7, true)
        };
        all.list(vec![listed]);
        assert_eq!(shown(&all), [(1, 2, 7.0, 4)]);
    }

    #[test]
    fn what_people_change_meanwhile_counts_more_than_the_answer() {
        let mut all = PriceAlerts::default();
        all.list(vec![
            alert(1, 1, 5, true),
            alert(2, 1, 5, true),
            alert(3, 1, 5, true),
        ]);
        let meanwhile = |all: &mut PriceAlerts| {
            all.ask();
            all.change(&changed(alert(1, 3, 9, true)));
            let gone = AlertChanges {
                deleted: vec![2],
                ..AlertChanges::default()
            };
            all.change(&gone);
        };
        meanwhile(&mut all);
        all.list(vec![alert(1, 2, 8, true), alert(2, 1, 5, true)]);
        assert_eq!(shown(&all), [(1, 3, 9.0, 0)]);
        for old in [alert(2, 1, 5, true), alert(1, 2, 8, true)] {
            meanwhile(&mut all);
            all.answer(old);
            assert_eq!(shown(&all), [(1, 3, 9.0, 0)]);
        }
        all.ask();
        all.answer(alert(2, 1, 5, true));
        assert_eq!(shown(&all).len(), 2);
    }

    #[test]
    fn nothing_is_kept_while_nobody_asks() {
        let mut all = PriceAlerts::default();
        let come = |all: &mut PriceAlerts| {
            all.fire(&[firing(1, 1)]);
            all.change(&changed(alert(2, 1, 5, true)));
        };
        come(&mut all);
        assert!(all.since.is_none());
        all.ask();
        come(&mut all);
        assert!(all.since.is_some());
        all.stop_asking();
        come(&mut all);
        assert!(all.since.is_none());
    }

    #[test]
    fn whoever_holds_one_lets_go_when_it_is_another_or_was_refused() {
        let mut all = PriceAlerts::default();
        all.list(vec![alert(1, 1, 5, true), alert(2, 1, 5, true)]);
        let held = all.of("A", |shown| shown.alert).remove(0);
        all.change(&changed(alert(2, 2, 6, true)));
        assert!(all.is_current(&held));
        all.refuse(1);
        assert!(!all.is_current(&held));
    }
}
