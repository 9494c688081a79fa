use std::cell::RefCell;
use std::rc::Rc;

use shared::{Cursor, Epoch, Quote, SnapshotReason, SymbolState, Tick, Time};

use super::*;
use crate::clock::tests::VirtualClock;

fn epoch() -> Epoch {
    Epoch::from_number(7)
}

fn cursor(seq: u64) -> Cursor {
    Cursor {
        epoch: epoch(),
        seq,
    }
}

/// A snapshot of one symbol, which ends with the tick `seq`.
pub(in crate::client) fn snapshot(seq: u64) -> ServerMessage {
    let json = r#"{"symbol":"A","name":"A","decimals":2,"qty_decimals":0,"index":0,"volume":"0"}"#;
    let state: SymbolState = serde_json::from_str(json).unwrap();
    ServerMessage::Snapshot {
        reason: SnapshotReason::Start,
        cursor: cursor(seq),
        symbols: vec![state],
    }
}

/// A message with quotes of that symbol, one for each number in `seqs`.
pub(in crate::client) fn ticks(from: u64, seqs: std::ops::RangeInclusive<u64>) -> ServerMessage {
    let cursor_seq = *seqs.end();
    let tick = |seq: u64| {
        Tick::Quote(Quote {
            seq,
            symbol: "A".to_owned(),
            time: Time::from_micros(seq as i64),
            at: None,
            bid: Some(1.into()),
            bid_qty: None,
            ask: None,
            ask_qty: None,
        })
    };
    ServerMessage::Ticks {
        from: cursor(from),
        cursor: cursor(cursor_seq),
        ticks: seqs.map(tick).collect(),
        skipped: 0,
    }
}

pub(in crate::client) fn hello(heartbeat_ms: u32) -> ServerMessage {
    ServerMessage::Hello {
        version: shared::WIRE_VERSION,
        epoch: epoch().to_string(),
        server_time: Time::from_millis(1e12),
        heartbeat_ms,
    }
}

/// A session that notes which messages it passed on.
pub(in crate::client) fn session(clock: &VirtualClock) -> (Rc<Session>, Rc<RefCell<Vec<Verdict>>>) {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&seen);
    let session = Session::new(clock.clone(), Vec::new(), move |_, verdict| {
        noted.borrow_mut().push(verdict);
    });
    (Rc::new(session.written(WireFormat::Json)), seen)
}

#[test]
fn it_resumes_after_the_last_message() {
    let clock = VirtualClock::default();
    let (session, seen) = session(&clock);
    assert_eq!(session.query(), "?symbols=*");
    let now = session.since(0.0);
    session.receive(&snapshot(4), now);
    session.receive(&ticks(4, 5..=6), now);
    assert_eq!(session.query(), format!("?symbols=*&cursor={}", cursor(6)));
    // The same again, as after a connection that broke off.
    session.receive(&ticks(4, 5..=6), now);
    assert_eq!(seen.borrow().len(), 3);
    assert_eq!(session.counters().ticks, 2);
    assert_eq!(session.missed_and_repeated(), (0, 2));
    // What lies in a gap is counted.
    session.receive(&ticks(8, 9..=9), now);
    assert_eq!(session.missed_and_repeated().0, 2);
}

#[test]
fn names_are_escaped_and_unknown_ones_left_out() {
    let names = ["BTC-USD", "A&B", "ÖL"].map(str::to_owned).to_vec();
    let session = Session::new(VirtualClock::default(), names, |_, _| ());
    assert_eq!(session.query(), "?symbols=BTC-USD%2CA%26B%2C%C3%96L");
    assert!(!session.leave_out_all_but(&["btc-usd", "A&B", "ÖL"].map(str::to_owned)));
    assert!(session.leave_out_all_but(&["A&B".to_owned()]));
    assert_eq!(session.query(), "?symbols=A%26B");
    session.set_pace(Pace {
        every_ms: 500,
        latest: true,
    });
    assert_eq!(session.query(), "?symbols=A%26B&every_ms=500&latest=true");
}

#[test]
fn a_connection_is_fresh_once_prices_came() {
    let clock = VirtualClock::default();
    let (session, _) = session(&clock);
    session.begin();
    assert!(!session.has_spoken() && !session.is_fresh());
    assert_eq!(session.silence_ms_max(), GREETING_MS);
    session.receive(&hello(2_000), session.since(0.0));
    assert!(session.has_spoken() && !session.is_fresh());
    assert_eq!(session.silence_ms_max(), 4_000.0);
    session.receive(&snapshot(1), session.since(0.0));
    assert!(session.is_fresh());
    // A reconnect counts when prices come again.
    session.lose();
    session.begin();
    assert_eq!(session.counters().reconnects, 0);
    session.receive(&ticks(1, 2..=2), session.since(0.0));
    assert_eq!(session.counters().reconnects, 1);
}

#[test]
fn commands_go_where_a_connection_takes_them() {
    let (session, _) = session(&VirtualClock::default());
    assert!(!session.tell_pace(), "nothing is connected");
    let mut outbox = session.open_outbox();
    assert!(session.tell_pace());
    let command = outbox.try_recv().unwrap();
    assert_eq!(command, r#"{"op":"pace","every_ms":0,"latest":false}"#);
    drop(outbox);
    assert!(!session.tell_pace());
}

#[test]
fn the_servers_clock_is_known_after_an_exchange() {
    let clock = VirtualClock::default();
    let (session, _) = session(&clock);
    assert_eq!(session.server_now_ms(), None);
    session.observe_clock(
        Timing {
            sent_ms: 0.0,
            received_ms: 100.0,
        },
        Time::from_millis(5_000.0),
    );
    let (now_ms, round_trip_ms) = session.server_now_ms().unwrap();
    assert_eq!((now_ms, round_trip_ms), (4_950.0, 100.0));
}
