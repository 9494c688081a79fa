use futures_util::stream;

use super::super::session::tests::{hello, session, snapshot, ticks};
use super::*;
use crate::clock::tests::{VirtualClock, run};

fn event(message: &ServerMessage) -> Received {
    let data = serde_json::to_string(message).unwrap();
    let around = around(message.event(), "7-1", &data);
    (data, around)
}

#[test]
fn events_are_read_until_the_stream_breaks_off() {
    let clock = VirtualClock::default();
    let (session, seen) = session(&clock);
    let events: Vec<_> = [hello(5_000), snapshot(1), ticks(1, 2..=3)]
        .iter()
        .map(event)
        .collect();
    let bytes: usize = events.iter().map(|(data, _)| data.len()).sum();
    let reader = std::rc::Rc::clone(&session);
    let reading = async move { read(&reader, &mut stream::iter(events), 0.0).await };
    let reason = run(&clock, 1e6, reading);
    assert_eq!(reason, Some(Loss::BrokeOff(Transport::Sse)));
    assert_eq!(seen.borrow().len(), 3);
    let counters = session.counters();
    assert_eq!((counters.ticks, counters.bytes), (2, bytes as u64));
    assert!(counters.framing > 0);
}

#[test]
fn one_that_cannot_be_read_ends_the_stream() {
    let clock = VirtualClock::default();
    let (session, seen) = session(&clock);
    let events = vec![
        event(&snapshot(1)),
        ("{".to_owned(), 0),
        event(&ticks(1, 2..=2)),
    ];
    let reading = async move { read(&session, &mut stream::iter(events), 0.0).await };
    let reason = run(&clock, 1e6, reading);
    assert!(matches!(reason, Some(Loss::Unreadable(_))), "{reason:?}");
    assert_eq!(seen.borrow().len(), 1);
}

/// By hand: `event: ticks`, `id: 7-1`, `data: `, their line ends, the empty line,
/// and three chunks of 28, 20 and 2 bytes.
#[test]
fn bytes_around_an_event() {
    let before = "event: ticks\nid: 7-1\ndata: ".len();
    assert_eq!(before, 27);
    let chunks = ["1b\r\n\r\n", "14\r\n\r\n", "2\r\n\r\n"].map(str::len);
    let expect = before + "\n\n".len() + chunks.iter().sum::<usize>();
    assert_eq!(around("ticks", "7-1", &"x".repeat(20)), expect as u64);
}
