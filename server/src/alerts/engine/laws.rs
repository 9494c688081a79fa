//! The index, held against looking at every alert at every tick.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use shared::{AlertSpec, Condition, Decimal, Firing, Micros, Moves, PriceKind, Quote, Tick, Trade};

use super::{AlertError, Engine, PastAlerts, StoredAlert};
use crate::alerts::record::{FIRED_MAX, UNSAVED_FIRINGS_MAX};

const PLACES: [&str; 2] = ["A", "B"];

fn place_of(symbol: &str) -> Option<usize> {
    PLACES.iter().position(|known| *known == symbol)
}

fn alerts(past: PastAlerts) -> Engine {
    Engine::new(past, [None, None], place_of, true, 0)
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

fn tick(symbol: &str, time: Micros, price: Decimal) -> Tick {
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

fn quote(symbol: &str, time: Micros, [bid, ask]: [Option<Decimal>; 2]) -> Tick {
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
    fn tick(&mut self, symbol: &str, time: Micros, price: Decimal) -> Vec<Arc<Firing>> {
        self.take_in(&tick(symbol, time, price))
    }

    fn take_in(&mut self, tick: &Tick) -> Vec<Arc<Firing>> {
        let mut firings = Vec::new();
        let place = place_of(tick.symbol()).unwrap();
        self.apply(place, tick, &mut firings);
        firings.into_iter().map(|(_, firing)| firing).collect()
    }

    fn silence(&mut self, now: Micros) -> Vec<Arc<Firing>> {
        let mut firings = Vec::new();
        self.wake(now, &mut firings);
        firings.into_iter().map(|(_, firing)| firing).collect()
    }
}

/// One alert, looked at with every tick.
struct Plain {
    id: u64,
    spec: AlertSpec,
    armed: bool,
    last_fired: Option<Micros>,
    before: Option<Decimal>,
}

impl Plain {
    /// Whether it fires.
    fn see(&mut self, tick: &Tick) -> bool {
        let Some(price) = tick.price(self.spec.on) else {
            return false;
        };
        if self.spec.symbol != tick.symbol() {
            return false;
        }
        let before = self.before.replace(price);
        let cooldown = Micros::from(self.spec.cooldown_s) * 1_000_000;
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

    /// What came true while it was quiet is told afterwards, if it still holds.
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
    /// Sets it anew, on, as it is.
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

    /// Also when the server is started anew after every event.
    #[test]
    fn the_index_finds_what_looking_at_all_finds(events in events(), restarts: bool) {
        let mut indexed = alerts(PastAlerts::default());
        let mut plain: Vec<Plain> = Vec::new();
        let mut last = [None, None];
        let mut stored = BTreeMap::new();
        for (event, second) in events.into_iter().zip(1..) {
            let time = second * 1_000_000;
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
                // Only what changed is written.
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

#[test]
fn a_move_fires_once_until_it_is_over() {
    let mut alerts = alerts(PastAlerts::default());
    let moves = Condition::Moves(Moves {
        percent: Decimal::from(10),
        window_s: 60,
    });
    alerts.create(spec("A", moves), 0, 0).unwrap();
    let mut check = |second: i64, price: i64, fires: usize| {
        let firings = alerts.tick("A", second * 1_000_000, price.into());
        assert_eq!(firings.len(), fires, "at {second} s");
    };
    check(0, 100, 0);
    check(1, 109, 0);
    check(2, 110, 1);
    check(3, 115, 0);
    // A minute later that is the price.
    check(70, 115, 0);
    check(71, 103, 1);
}

#[test]
fn a_clock_that_is_set_ahead_hides_no_move() {
    let hour = 3_600_000_000;
    for at in [None, Some(5)] {
        let mut alerts = alerts(PastAlerts::default());
        let (percent, window_s) = (Decimal::from(10), 60);
        let moves = Condition::Moves(Moves { percent, window_s });
        alerts.create(spec("A", moves), 0, 0).unwrap();
        let apply = |alerts: &mut Engine, time: Micros, price: i64| {
            let mut tick = tick("A", time, price.into());
            if let Tick::Trade(trade) = &mut tick {
                trade.at = at;
            }
            let mut firings = Vec::new();
            alerts.apply(0, &tick, &mut firings);
            firings.len()
        };
        assert_eq!(apply(&mut alerts, 0, 100), 0);
        alerts.jump(hour);
        // A source with a clock of its own does not know of it.
        let later = if at.is_none() { hour } else { 0 } + 30_000_000;
        assert_eq!(apply(&mut alerts, later, 111), 1, "{at:?}");
    }
}

#[test]
fn moves_are_watched_within_so_many_times() {
    let mut alerts = alerts(PastAlerts::default());
    let within = |window_s: u32| {
        let percent = Decimal::from(10);
        spec("A", Condition::Moves(Moves { percent, window_s }))
    };
    for window_s in 1..=32 {
        alerts.create(within(window_s), 0, 0).unwrap();
    }
    let found = alerts.create(within(33), 0, 0);
    assert!(
        matches!(found, Err(AlertError::TooManyWindows { .. })),
        "{found:?}"
    );
    alerts.create(within(32), 0, 0).unwrap();
    let off = AlertSpec {
        enabled: false,
        ..within(33)
    };
    let off = alerts.create(off, 0, 0).unwrap();
    let found = alerts.replace(off.id, None, within(33), Some(0), 0);
    assert!(
        matches!(found, Err(AlertError::TooManyWindows { .. })),
        "{found:?}"
    );
    alerts.delete(5, None).unwrap();
    alerts
        .replace(off.id, None, within(33), Some(0), 0)
        .unwrap();
}

#[test]
fn silence_fires_once_until_there_is_a_tick() {
    let mut alerts = alerts(PastAlerts::default());
    let s = 1_000_000;
    alerts
        .create(spec("A", Condition::SilentS(10)), 0, 0)
        .unwrap();
    assert_eq!(alerts.next_timer(), Some(10 * s));
    alerts.tick("A", 4 * s, Decimal::ONE);
    assert_eq!(alerts.silence(10 * s).len(), 0);
    assert_eq!(alerts.next_timer(), Some(14 * s));
    let fired = alerts.silence(15 * s);
    assert_eq!(
        (fired.len(), fired[0].price, fired[0].time),
        (1, Some(Decimal::ONE), 15 * s)
    );
    assert_eq!(alerts.next_timer(), None);
    assert_eq!(alerts.tick("A", 20 * s, Decimal::TWO).len(), 0);
    assert_eq!(alerts.silence(31 * s).len(), 1);
}

#[test]
fn silence_that_begins_in_the_quiet_is_told_after_it() {
    let mut alerts = alerts(PastAlerts::default());
    let s = 1_000_000;
    let often = AlertSpec {
        cooldown_s: 60,
        ..spec("A", Condition::SilentS(30))
    };
    alerts.create(often, 0, 0).unwrap();
    assert_eq!(alerts.silence(30 * s).len(), 1);
    // A stray tick, and then nothing any more.
    alerts.tick("A", 35 * s, Decimal::ONE);
    assert_eq!(alerts.silence(65 * s).len(), 0);
    assert_eq!(alerts.next_timer(), Some(90 * s));
    assert_eq!(alerts.silence(90 * s).len(), 1);
    assert_eq!(alerts.next_timer(), None);
}

#[test]
fn one_that_is_deleted_or_off_or_once_is_quiet() {
    let mut alerts = alerts(PastAlerts::default());
    let once = AlertSpec {
        repeat: false,
        ..spec("A", Condition::SilentS(1))
    };
    let id = alerts.create(once.clone(), 0, 0).unwrap().id;
    assert_eq!(alerts.silence(5_000_000).len(), 1);
    let alert = alerts.get(id).unwrap().clone();
    assert_eq!(
        (alert.spec.enabled, alert.version, alert.fired),
        (false, 2, 1)
    );
    alerts.tick("A", 6_000_000, Decimal::ONE);
    assert_eq!(alerts.silence(20_000_000).len(), 0);
    let stale = alerts.replace(id, Some(&[1]), once.clone(), Some(0), 0);
    assert!(matches!(
        stale,
        Err(AlertError::Stale {
            version: 2,
            expected: 1,
            ..
        })
    ));
    alerts
        .replace(id, Some(&[2]), once, Some(0), 20_000_000)
        .unwrap();
    alerts.delete(id, Some(&[3])).unwrap();
    assert_eq!(alerts.silence(60_000_000).len(), 0);
    assert_eq!(alerts.get(id), Err(AlertError::Unknown(id)));
    assert_eq!(alerts.fired(10).len(), 1, "what fired stays");
}

#[test]
fn only_what_changed_is_saved_and_numbers_are_not_given_twice() {
    let mut alerts = alerts(PastAlerts::default());
    let above = |level: i64| spec("A", Condition::Above(level.into()));
    let one = alerts.create(above(5), 0, 0).unwrap().id;
    let two = alerts.create(above(500), 0, 0).unwrap().id;
    let first = alerts.take_unsaved();
    assert_eq!(first.alerts.len(), 2);
    // Meanwhile it fires.
    assert_eq!(alerts.tick("A", 1, 6.into()).len(), 1);
    alerts.save(first.change);
    let unsaved = alerts.take_unsaved();
    assert_eq!((unsaved.alerts.len(), unsaved.firings.len()), (1, 1));
    assert!(matches!(
        &unsaved.alerts[&one],
        Some(StoredAlert { armed: false, .. })
    ));
    // Nothing is told twice, whether it could be written or not.
    assert_eq!(alerts.take_unsaved().alerts, BTreeMap::new());
    assert_eq!(alerts.record.waiting(), 1);
    alerts.save(unsaved.change);
    assert_eq!(alerts.record.waiting(), 0);
    alerts.delete(two, None).unwrap();
    assert_eq!(alerts.take_unsaved().alerts, BTreeMap::from([(two, None)]));
    // One that nobody ever saved leaves nothing behind.
    let three = alerts.create(above(7), 0, 0).unwrap().id;
    alerts.delete(three, None).unwrap();
    assert_eq!(alerts.take_unsaved().alerts, BTreeMap::new());
    let past = PastAlerts {
        newest_id: three,
        ..PastAlerts::default()
    };
    let mut later = Engine::new(past, [None, None], place_of, true, 0);
    assert_eq!(later.create(above(1), 0, 0).unwrap().id, three + 1);
}

#[test]
fn what_fires_between_two_saves_is_saved_or_counted() {
    let mut alerts = alerts(PastAlerts::default());
    alerts
        .create(spec("A", Condition::Crosses(5.into())), 0, 0)
        .unwrap();
    alerts.take_unsaved();
    let fire = |alerts: &mut Engine, count: u64| {
        for at in 0..count {
            let price = if at % 2 == 0 { 9 } else { 1 };
            alerts.tick("A", at as Micros, price.into());
        }
    };
    alerts.tick("A", 0, 1.into());
    fire(&mut alerts, 5_000);
    assert_eq!(alerts.fired(usize::MAX).len(), FIRED_MAX);
    let mut waiting = alerts.take_unsaved();
    assert_eq!((waiting.firings.len(), waiting.lost), (5_000, 0));
    // The store cannot write it, and more and more comes.
    let mut counts = 5_000;
    for more in [
        UNSAVED_FIRINGS_MAX as u64,
        30,
        UNSAVED_FIRINGS_MAX as u64 + 70,
    ] {
        fire(&mut alerts, more);
        counts += more;
        waiting.extend(alerts.take_unsaved());
    }
    assert_eq!(waiting.firings.len(), UNSAVED_FIRINGS_MAX);
    assert_eq!(waiting.lost + waiting.firings.len() as u64, counts);
    let newest = waiting.firings.back().map(|firing| firing.count);
    assert_eq!(newest, Some(counts));
    assert_eq!(waiting.alerts.len(), 1, "the alert itself once");
}

#[test]
fn alerts_come_in_pages() {
    let mut alerts = alerts(PastAlerts::default());
    for level in 1..=7 {
        alerts
            .create(spec("A", Condition::Above(level.into())), 0, 0)
            .unwrap();
    }
    alerts.delete(3, None).unwrap();
    let page = |after, limit| {
        let page = alerts.page(after, limit);
        let ids: Vec<_> = page.alerts.iter().map(|alert| alert.id).collect();
        (ids, page.has_more)
    };
    assert_eq!(page(0, 3), (vec![1, 2, 4], true));
    assert_eq!(page(4, 3), (vec![5, 6, 7], false));
    assert_eq!(page(2, 1), (vec![4], true));
    assert_eq!(page(7, 3), (vec![], false));
    assert_eq!(page(u64::MAX, 3), (vec![], false));
    let before = alerts.page(0, 1).change;
    alerts.tick("A", 1, 2.into());
    assert!(alerts.page(0, 1).change > before);
}

#[test]
fn bids_and_asks_are_watched_whether_a_quote_or_a_trade_tells_them() {
    let mut alerts = alerts(PastAlerts::default());
    let on = |on, condition| AlertSpec {
        on,
        ..spec("A", condition)
    };
    let level = || Decimal::from(10);
    let ask = on(PriceKind::Ask, Condition::Below(level()));
    let bid = on(PriceKind::Bid, Condition::Crosses(level()));
    let last = on(PriceKind::Last, Condition::Above(level()));
    for spec in [ask, bid, last] {
        alerts.create(spec, 0, 0).unwrap();
    }
    let of = |price: i64| Some(Decimal::from(price));
    let mut fires = |tick: Tick, expect: &[(u64, i64)]| {
        let fired = alerts.take_in(&tick);
        let fired: Vec<_> = fired.iter().map(|f| (f.id, f.price)).collect();
        let expect: Vec<_> = expect.iter().map(|(id, price)| (*id, of(*price))).collect();
        assert_eq!(fired, expect, "{tick:?}");
    };
    fires(quote("A", 1, [of(9), of(11)]), &[]);
    // A side on which nobody quotes moves nothing.
    fires(quote("A", 2, [None, None]), &[]);
    fires(quote("A", 3, [of(8), of(9)]), &[(1, 9)]);
    fires(quote("A", 4, [of(11), of(12)]), &[(2, 11)]);
    let mut both = tick("A", 5, 12.into());
    if let Tick::Trade(trade) = &mut both {
        (trade.bid, trade.ask) = (of(9), of(9));
    }
    fires(both, &[(3, 12), (2, 9), (1, 9)]);
}

#[test]
fn quotes_are_heard_as_well_as_trades() {
    let mut alerts = alerts(PastAlerts::default());
    let silent = spec("A", Condition::SilentS(10));
    alerts.create(silent, 0, 0).unwrap();
    let s = 1_000_000;
    assert!(alerts.take_in(&quote("A", 5 * s, [None, None])).is_empty());
    assert!(alerts.silence(14 * s).is_empty(), "it was quoted at 5 s");
    assert_eq!(alerts.silence(15 * s).len(), 1);
}
