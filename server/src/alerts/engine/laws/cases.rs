//! Tests of single cases.

use super::*;

#[test]
fn a_move_fires_once_until_it_is_over() {
    let mut alerts = alerts(PastAlerts::default());
    let moves = Condition::Moves(Moves {
        percent: Decimal::from(10),
        window_s: 60,
    });
    alerts.create(spec("A", moves), 0, START).unwrap();
    let mut check = |second: i64, price: i64, fires: usize| {
        let firings = alerts.tick("A", s(second), price.into());
        assert_eq!(firings.len(), fires, "at {second} s");
    };
    check(0, 100, 0);
    check(1, 109, 0);
    check(2, 110, 1);
    check(3, 115, 0);
    // A minute later, 115 is the reference price.
    check(70, 115, 0);
    check(71, 103, 1);
}

#[test]
fn a_clock_that_is_set_ahead_hides_no_move() {
    let hour = Span::HOUR;
    for at in [None, Some(5)] {
        let mut alerts = alerts(PastAlerts::default());
        let (percent, window_s) = (Decimal::from(10), 60);
        let moves = Condition::Moves(Moves { percent, window_s });
        alerts.create(spec("A", moves), 0, START).unwrap();
        let apply = |alerts: &mut Engine, time: Time, price: i64| {
            let mut tick = tick("A", time, price.into());
            if let Tick::Trade(trade) = &mut tick {
                trade.at = at.map(us);
            }
            let mut firings = Vec::new();
            alerts.apply(0, &tick, &mut firings);
            firings.len()
        };
        assert_eq!(apply(&mut alerts, START, 100), 0);
        alerts.jump(hour);
        // A source with its own clock does not jump.
        let later = if at.is_none() { s(30) + hour } else { s(30) };
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
        alerts.create(within(window_s), 0, START).unwrap();
    }
    let found = alerts.create(within(33), 0, START);
    assert!(
        matches!(found, Err(AlertError::TooManyWindows { .. })),
        "{found:?}"
    );
    alerts.create(within(32), 0, START).unwrap();
    let off = AlertSpec {
        enabled: false,
        ..within(33)
    };
    let off = alerts.create(off, 0, START).unwrap();
    let found = alerts.replace(off.id, None, within(33), Some(0), START);
    assert!(
        matches!(found, Err(AlertError::TooManyWindows { .. })),
        "{found:?}"
    );
    alerts.delete(5, None).unwrap();
    alerts
        .replace(off.id, None, within(33), Some(0), START)
        .unwrap();
}

#[test]
fn silence_fires_once_until_there_is_a_tick() {
    let mut alerts = alerts(PastAlerts::default());
    alerts
        .create(spec("A", Condition::SilentS(10)), 0, START)
        .unwrap();
    assert_eq!(alerts.next_timer(), Some(s(10)));
    alerts.tick("A", s(4), Decimal::ONE);
    assert_eq!(alerts.silence(s(10)).len(), 0);
    assert_eq!(alerts.next_timer(), Some(s(14)));
    let fired = alerts.silence(s(15));
    assert_eq!(
        (fired.len(), fired[0].price, fired[0].time),
        (1, Some(Decimal::ONE), s(15))
    );
    assert_eq!(alerts.next_timer(), None);
    assert_eq!(alerts.tick("A", s(20), Decimal::TWO).len(), 0);
    assert_eq!(alerts.silence(s(31)).len(), 1);
}

#[test]
fn silence_that_begins_in_the_quiet_is_told_after_it() {
    let mut alerts = alerts(PastAlerts::default());
    let often = AlertSpec {
        cooldown_s: 60,
        ..spec("A", Condition::SilentS(30))
    };
    alerts.create(often, 0, START).unwrap();
    assert_eq!(alerts.silence(s(30)).len(), 1);
    // A single tick, and then silence.
    alerts.tick("A", s(35), Decimal::ONE);
    assert_eq!(alerts.silence(s(65)).len(), 0);
    assert_eq!(alerts.next_timer(), Some(s(90)));
    assert_eq!(alerts.silence(s(90)).len(), 1);
    assert_eq!(alerts.next_timer(), None);
}

#[test]
fn one_that_is_deleted_or_off_or_once_is_quiet() {
    let mut alerts = alerts(PastAlerts::default());
    let once = AlertSpec {
        repeat: false,
        ..spec("A", Condition::SilentS(1))
    };
    let id = alerts.create(once.clone(), 0, START).unwrap().id;
    assert_eq!(alerts.silence(s(5)).len(), 1);
    let alert = alerts.get(id).unwrap().clone();
    assert_eq!(
        (alert.spec.enabled, alert.version, alert.fired),
        (false, 2, 1)
    );
    alerts.tick("A", s(6), Decimal::ONE);
    assert_eq!(alerts.silence(s(20)).len(), 0);
    let stale = alerts.replace(id, Some(&[1]), once.clone(), Some(0), START);
    assert!(matches!(
        stale,
        Err(AlertError::Stale {
            version: 2,
            expected: 1,
            ..
        })
    ));
    alerts
        .replace(id, Some(&[2]), once, Some(0), s(20))
        .unwrap();
    alerts.delete(id, Some(&[3])).unwrap();
    assert_eq!(alerts.silence(s(60)).len(), 0);
    assert_eq!(alerts.get(id), Err(AlertError::Unknown(id)));
    assert_eq!(alerts.fired(10).len(), 1, "what fired stays");
}

#[test]
fn only_what_changed_is_saved_and_numbers_are_not_given_twice() {
    let mut alerts = alerts(PastAlerts::default());
    let above = |level: i64| spec("A", Condition::Above(level.into()));
    let one = alerts.create(above(5), 0, START).unwrap().id;
    let two = alerts.create(above(500), 0, START).unwrap().id;
    let first = alerts.take_unsaved();
    assert_eq!(first.alerts.len(), 2);
    // Meanwhile the alert fires.
    assert_eq!(alerts.tick("A", us(1), 6.into()).len(), 1);
    alerts.save(first.change);
    let unsaved = alerts.take_unsaved();
    assert_eq!((unsaved.alerts.len(), unsaved.firings.len()), (1, 1));
    assert!(matches!(
        &unsaved.alerts[&one],
        Some(StoredAlert { armed: false, .. })
    ));
    // No change is taken twice, whether it was written or not.
    assert_eq!(alerts.take_unsaved().alerts, BTreeMap::new());
    assert_eq!(alerts.record.waiting(), 1);
    alerts.save(unsaved.change);
    assert_eq!(alerts.record.waiting(), 0);
    alerts.delete(two, None).unwrap();
    assert_eq!(alerts.take_unsaved().alerts, BTreeMap::from([(two, None)]));
    // An alert that was never saved leaves nothing behind.
    let three = alerts.create(above(7), 0, START).unwrap().id;
    alerts.delete(three, None).unwrap();
    assert_eq!(alerts.take_unsaved().alerts, BTreeMap::new());
    let past = PastAlerts {
        newest_id: three,
        ..PastAlerts::default()
    };
    let mut later = Engine::new(past, [None, None], place_of, true, START);
    assert_eq!(later.create(above(1), 0, START).unwrap().id, three + 1);
}

#[test]
fn what_fires_between_two_saves_is_saved_or_counted() {
    let mut alerts = alerts(PastAlerts::default());
    alerts
        .create(spec("A", Condition::Crosses(5.into())), 0, START)
        .unwrap();
    alerts.take_unsaved();
    let fire = |alerts: &mut Engine, count: u64| {
        for at in 0..count {
            let price = if at % 2 == 0 { 9 } else { 1 };
            alerts.tick("A", us(at as i64), price.into());
        }
    };
    alerts.tick("A", us(0), 1.into());
    fire(&mut alerts, 5_000);
    assert_eq!(alerts.fired(usize::MAX).len(), FIRED_MAX);
    let mut waiting = alerts.take_unsaved();
    assert_eq!((waiting.firings.len(), waiting.lost), (5_000, 0));
    // The store cannot write, and more firings arrive.
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
            .create(spec("A", Condition::Above(level.into())), 0, START)
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
    alerts.tick("A", us(1), 2.into());
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
        alerts.create(spec, 0, START).unwrap();
    }
    let of = |price: i64| Some(Decimal::from(price));
    let mut fires = |tick: Tick, expect: &[(u64, i64)]| {
        let fired = alerts.take_in(&tick);
        let fired: Vec<_> = fired.iter().map(|f| (f.id, f.price)).collect();
        let expect: Vec<_> = expect.iter().map(|(id, price)| (*id, of(*price))).collect();
        assert_eq!(fired, expect, "{tick:?}");
    };
    fires(quote("A", us(1), [of(9), of(11)]), &[]);
    // A side without a quote has no effect.
    fires(quote("A", us(2), [None, None]), &[]);
    fires(quote("A", us(3), [of(8), of(9)]), &[(1, 9)]);
    fires(quote("A", us(4), [of(11), of(12)]), &[(2, 11)]);
    let mut both = tick("A", us(5), 12.into());
    if let Tick::Trade(trade) = &mut both {
        (trade.bid, trade.ask) = (of(9), of(9));
    }
    fires(both, &[(3, 12), (2, 9), (1, 9)]);
}

#[test]
fn quotes_are_heard_as_well_as_trades() {
    let mut alerts = alerts(PastAlerts::default());
    let silent = spec("A", Condition::SilentS(10));
    alerts.create(silent, 0, START).unwrap();
    assert!(alerts.take_in(&quote("A", s(5), [None, None])).is_empty());
    assert!(alerts.silence(s(14)).is_empty(), "it was quoted at 5 s");
    assert_eq!(alerts.silence(s(15)).len(), 1);
}
