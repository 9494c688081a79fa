//! Property tests: the index finds the same firings as a check of every alert
//! at every tick.

mod cases;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use shared::{
    AlertSpec, Condition, Decimal, Firing, Moves, PriceKind, Quote, Span, Tick, Time, Trade,
};

use super::{AlertError, Engine, PastAlerts, StoredAlert};
use crate::alerts::record::{FIRED_MAX, UNSAVED_FIRINGS_MAX};

const PLACES: [&str; 2] = ["A", "B"];

fn place_of(symbol: &str) -> Option<usize> {
    PLACES.iter().position(|known| *known == symbol)
}

fn alerts(past: PastAlerts) -> Engine {
    Engine::new(past, [None, None], place_of, true, START)
}

const START: Time = Time::EPOCH;

fn us(us: i64) -> Time {
    Time::from_micros(us)
}

/// The time this many seconds after the start.
fn s(seconds: i64) -> Time {
    START + Span::from_seconds(seconds)
}

fn spec(symbol: &str, condition: Condition) -> AlertSpec {
    AlertSpec {
        symbol: symbol.to_owned(),
        condition,
        on: PriceKind::Last,
        repeat: true,
        cooldown_s: 0,
        enabled: true,
        note: String::new(),
    }
}

fn tick(symbol: &str, time: Time, price: Decimal) -> Tick {
    Tick::Trade(Trade {
        seq: 0,
        symbol: symbol.to_owned(),
        time,
        at: None,
        id: None,
        price,
        qty: Decimal::ONE,
        side: None,
        bid: None,
        ask: None,
    })
}

fn quote(symbol: &str, time: Time, [bid, ask]: [Option<Decimal>; 2]) -> Tick {
    Tick::Quote(Quote {
        seq: 0,
        symbol: symbol.to_owned(),
        time,
        at: None,
        bid,
        bid_qty: None,
        ask,
        ask_qty: None,
    })
}

impl Engine {
    fn tick(&mut self, symbol: &str, time: Time, price: Decimal) -> Vec<Arc<Firing>> {
        self.take_in(&tick(symbol, time, price))
    }

    fn take_in(&mut self, tick: &Tick) -> Vec<Arc<Firing>> {
        let mut firings = Vec::new();
        let place = place_of(tick.symbol()).unwrap();
        self.apply(place, tick, &mut firings);
        firings.into_iter().map(|(_, firing)| firing).collect()
    }

    fn silence(&mut self, now: Time) -> Vec<Arc<Firing>> {
        let mut firings = Vec::new();
        self.wake(now, &mut firings);
        firings.into_iter().map(|(_, firing)| firing).collect()
    }
}

/// One alert, checked at every tick.
struct Plain {
    id: u64,
    spec: AlertSpec,
    armed: bool,
    last_fired: Option<Time>,
    before: Option<Decimal>,
}

impl Plain {
    /// Returns whether it fires.
    fn see(&mut self, tick: &Tick) -> bool {
        let Some(price) = tick.price(self.spec.on) else {
            return false;
        };
        if self.spec.symbol != tick.symbol() {
            return false;
        }
        let before = self.before.replace(price);
        let cooldown = Span::from_seconds(self.spec.cooldown_s.into());
        let is_quiet = self.spec.repeat
            && self
                .last_fired
                .is_some_and(|last| tick.time() - last < cooldown);
        let fires = match &self.spec.condition {
            Condition::Crosses(level) => before.is_some_and(|before| {
                (before < *level && *level <= price) || (before > *level && *level >= price)
            }),
            Condition::Above(level) => self.edge(price > *level, is_quiet),
            Condition::Below(level) => self.edge(price < *level, is_quiet),
            _ => false,
        };
        if !fires || is_quiet || !self.spec.enabled {
            return false;
        }
        self.last_fired = Some(tick.time());
        self.spec.enabled = self.spec.repeat;
        true
    }

    /// A condition that became true during the cooldown fires afterwards, if it
    /// still holds.
    fn edge(&mut self, holds: bool, is_quiet: bool) -> bool {
        if !self.spec.enabled {
            return false;
        }
        let fires = holds && self.armed && !is_quiet;
        self.armed = !holds || (self.armed && is_quiet);
        fires
    }
}

#[derive(Clone, Debug)]
enum Event {
    Tick(usize, i64),
    Create(usize, u8, i64, bool, u32),
    Delete(usize),
    /// Replaces it with the same settings, enabled.
    Replace(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        8 => (0..2usize, 1i64..20).prop_map(|(place, price)| Event::Tick(place, price)),
        2 => (0..2usize, 0u8..3, 1i64..20, any::<bool>(), 0u32..4)
            .prop_map(|(place, kind, level, repeat, cooldown)| Event::Create(place, kind, level, repeat, cooldown)),
        1 => (0..20usize).prop_map(Event::Delete),
        1 => (0..20usize).prop_map(Event::Replace),
    ];
    proptest::collection::vec(event, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Also when the server is restarted after every event.
    #[test]
    fn the_index_finds_what_looking_at_all_finds(events in events(), restarts: bool) {
        let mut indexed = alerts(PastAlerts::default());
        let mut plain: Vec<Plain> = Vec::new();
        let mut last = [None, None];
        let mut stored = BTreeMap::new();
        for (event, second) in events.into_iter().zip(1..) {
            let time = s(second);
            match event {
                Event::Tick(place, price) => {
                    let price = Decimal::from(price);
                    last[place] = Some(price);
                    prop_assert_eq!(indexed.silence(time), []);
                    let tick = tick(PLACES[place], time, price);
                    let expected: Vec<u64> = plain.iter_mut().filter_map(|alert| alert.see(&tick).then_some(alert.id)).collect();
                    let found: Vec<u64> = indexed.tick(PLACES[place], time, price).iter().map(|firing| firing.id).collect();
                    prop_assert_eq!(found, expected);
                }
                Event::Create(place, kind, level, repeat, cooldown_s) => {
                    let level = Decimal::from(level);
                    let condition = match kind {
                        0 => Condition::Above(level),
                        1 => Condition::Below(level),
                        _ => Condition::Crosses(level),
                    };
                    let spec = AlertSpec { repeat, cooldown_s, ..spec(PLACES[place], condition) };
                    let alert = indexed.create(spec.clone(), place, time).unwrap();
                    plain.push(Plain { id: alert.id, spec, armed: true, last_fired: None, before: last[place] });
                }
                Event::Delete(index) if !plain.is_empty() => {
                    let gone = plain.remove(index % plain.len());
                    indexed.delete(gone.id, None).unwrap();
                }
                Event::Replace(index) if !plain.is_empty() => {
                    let index = index % plain.len();
                    let alert = &mut plain[index];
                    alert.spec.enabled = true;
                    (alert.armed, alert.last_fired) = (true, None);
                    let place = place_of(&alert.spec.symbol);
                    indexed.replace(alert.id, None, alert.spec.clone(), place, time).unwrap();
                }
                Event::Delete(_) | Event::Replace(_) => {}
            }
            if restarts {
                let unsaved = indexed.take_unsaved();
                indexed.save(unsaved.change);
                // Only changes are written.
                stored.extend(unsaved.alerts);
                let alerts = stored.values().flatten().cloned().collect();
                let past = PastAlerts { alerts, fired: Vec::new(), newest_id: indexed.newest_id };
                indexed = Engine::new(past, last, place_of, true, time);
            }
        }
        for (alert, kept) in plain.iter().zip(indexed.page(0, plain.len()).alerts) {
            prop_assert_eq!(alert.spec.enabled, kept.spec.enabled);
        }
    }
}
