//! Cases that chance would seldom meet.

use std::sync::Arc;

use shared::{AlertSpec, Condition, Cursor, Decimal, PriceKind, ServerMessage, SnapshotReason};

use super::super::{Entries, Market, Notice, Reader};
use super::client::Client;
use super::{fired, live, message, publish, publish_trades, set_of, trade};
use crate::encoding::JSON;
use crate::feed::Trade;

#[test]
fn snapshots_of_the_same_moment_share_the_bytes() {
    let client = Client::new(100, 0b0011);
    let market = &client.market;
    publish_trades(market, &[0, 2]);
    let snapshot = |set| {
        Reader::new(market, JSON, set_of(market, set), None)
            .read()
            .remove(0)
    };
    let (one, other, all) = (snapshot(0b0011), snapshot(0b0011), snapshot(0b1111));
    assert_eq!(one.bytes.as_ptr(), other.bytes.as_ptr());
    assert_ne!(one.bytes.as_ptr(), all.bytes.as_ptr());
    let called = |set| market.snapshot(&set_of(market, set)).unwrap();
    assert_eq!(called(0b0011).as_ptr(), called(0b0011).as_ptr());
    // A snapshot of the next moment is not shared.
    let late = market.trade(Trade {
        price: Decimal::TWO,
        ..trade(1)
    });
    super::publish_ticks(market, vec![late]);
    let later = message(&snapshot(0b0011));
    let ServerMessage::Snapshot {
        cursor, symbols, ..
    } = later
    else {
        panic!("{later:?}");
    };
    assert_eq!(cursor.seq, 3);
    let last: Vec<_> = symbols.iter().map(|state| state.last).collect();
    assert_eq!(last, [Some(Decimal::ONE), Some(Decimal::TWO)]);
    let before = message(&one);
    assert!(matches!(before, ServerMessage::Snapshot { symbols, .. } if symbols[1].last.is_none()));
}

#[test]
fn a_log_of_many_firings_keeps_no_more_than_one_of_ticks() {
    let client = Client::new(100, 0b0001);
    let market = &client.market;
    for _ in 0..50 {
        publish(market, vec![Entries::Firings(vec![fired("A"); 30])]);
    }
    let head = market.cursor();
    assert_eq!(head.seq, 50, "what fired together is one entry");
    let at = |seq| Cursor { seq, ..head };
    let reads = |seq| Reader::new(market, JSON, set_of(market, 1), Some(at(seq))).read()[0].event;
    assert_eq!((reads(47), reads(46)), ("alerts", "snapshot"));
}

#[test]
fn readers_of_the_same_set_share_the_bytes() {
    let client = Client::new(100, 0b0011);
    let market = &client.market;
    let readers = || Reader::new(market, JSON, set_of(market, 0b0011), Some(market.cursor()));
    let (mut one, mut other) = (readers(), readers());
    publish_trades(market, &[0, 2, 1]);
    let (one, other) = (one.read(), other.read());
    assert_eq!(one[0].bytes.as_ptr(), other[0].bytes.as_ptr());
}

#[test]
fn very_many_changes_are_told_as_that() {
    let client = Client::new(100, 0b0001);
    let (market, book) = (&client.market, &client.book);
    let mut reader = Reader::new(market, JSON, set_of(market, 1), Some(market.cursor()));
    let spec = AlertSpec {
        symbol: "B".to_owned(),
        condition: Condition::Above(Decimal::TEN),
        on: PriceKind::Last,
        repeat: false,
        cooldown_s: 60,
        enabled: true,
        note: String::new(),
    };
    let mut told = |count: u64| {
        let made = || book.create(spec.clone()).unwrap().id;
        let ids: Vec<_> = std::iter::repeat_with(made).take(count as usize).collect();
        book.delete(ids[0], None).unwrap();
        publish(market, market.announced());
        let [frame] = reader.read().try_into().unwrap();
        let ServerMessage::AlertsChanged { changes, .. } = message(&frame) else {
            panic!("{frame:?}");
        };
        let changed: Vec<_> = changes.changed.iter().map(|alert| alert.id).collect();
        (ids, changed, changes.deleted, changes.more)
    };
    let (ids, changed, deleted, more) = told(3);
    assert_eq!(
        (changed, deleted, more),
        (ids[1..].to_vec(), vec![ids[0]], false)
    );
    let (_, changed, deleted, more) = told(300);
    assert_eq!((changed, deleted, more), (vec![], vec![], true));
    let (ids, changed, deleted, more) = told(2);
    assert_eq!(
        (changed, deleted, more),
        (ids[1..].to_vec(), vec![ids[0]], false)
    );
}

#[test]
fn a_quiet_reader_does_not_fall_out_of_the_log_while_others_fill_it() {
    type Publish = fn(&Market);
    let cases: [(&str, Publish); 3] = [
        ("ticks", |market| publish_trades(market, &[0])),
        ("alerts", |market| {
            publish(market, vec![Entries::Firings(vec![fired("A")])]);
        }),
        ("status", |market| {
            publish(market, vec![Entries::Notice(Notice::Feed(live("test")))]);
        }),
    ];
    for (event, publish) in cases {
        let client = Client::new(5, 0b0001);
        let market = &client.market;
        let cursor = Some(market.cursor());
        let reader = || Reader::new(market, JSON, set_of(market, 0b0001), cursor);
        let (mut stream, mut poll, mut leaves) = (reader(), reader(), reader());
        let more = set_of(market, 0b0011);
        leaves.subscribe(None, &more, cursor);
        while !leaves.read().is_empty() {}
        for reader in [&mut stream, &mut poll] {
            assert!(reader.read().is_empty());
        }
        for _ in 0..20 {
            publish_trades(market, &[2]);
        }
        leaves.unsubscribe(None, &set_of(market, 0b0010));
        publish(market);
        for frames in [stream.read(), poll.answer(10).frames, leaves.read()] {
            let events: Vec<_> = frames.iter().map(|frame| frame.event).collect();
            assert_eq!(events, [event]);
        }
        // A gap in the reader's own set is reported.
        let mut late = Reader::new(market, JSON, set_of(market, 0b0001), Some(market.cursor()));
        for _ in 0..20 {
            publish_trades(market, &[0]);
        }
        assert_eq!(late.read()[0].event, "snapshot");
    }
}

#[test]
fn a_reader_from_before_a_new_beginning_is_told_the_reason() {
    let market = Client::new(10_000, 0b1).market;
    publish_trades(&market, &[0, 1, 0]);
    let set = set_of(&market, 0b1);
    let cursor = market.cursor();
    let mut reader = Reader::new(&market, JSON, Arc::clone(&set), Some(cursor));
    publish(&market, vec![Entries::Anew(Vec::new())]);
    publish_trades(&market, &[0]);
    let reason = |reader: &mut Reader| match message(&reader.read()[0]) {
        ServerMessage::Snapshot { reason, .. } => Some(reason),
        _ => None,
    };
    assert_eq!(reason(&mut reader), Some(SnapshotReason::Jumped));
    let mut late = Reader::new(&market, JSON, set, Some(cursor));
    assert_eq!(reason(&mut late), Some(SnapshotReason::Jumped));
    assert_eq!(
        (market.progress().beginnings, market.progress().trades),
        (1, 4)
    );
}
