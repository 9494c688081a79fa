use std::cell::RefCell;
use std::rc::Rc;

use shared::{Cursor, TicksAnswer};

use super::super::session::tests::{session, snapshot, ticks};
use super::*;
use crate::clock::Clock;
use crate::clock::tests::{VirtualClock, run};

/// The answers of a server, one after the other, as JSON; then it is gone.
fn answers(all: Vec<Vec<ServerMessage>>) -> impl Iterator<Item = Vec<u8>> {
    let mut at: Cursor = "7-0".parse().unwrap();
    all.into_iter().map(move |events| {
        let from = at;
        at = events
            .iter()
            .rev()
            .find_map(ServerMessage::cursor)
            .unwrap_or(at);
        let answer = TicksAnswer {
            from,
            cursor: at,
            events,
        };
        serde_json::to_vec(&answer).unwrap()
    })
}

/// Runs a poller against these answers, each of which takes `takes_ms`. Returns
/// when each request was sent, with its path, and why it ended.
fn polls(
    all: Vec<Vec<ServerMessage>>,
    takes_ms: u32,
    interval_ms: Option<u32>,
) -> (Vec<(f64, String)>, Loss) {
    let clock = VirtualClock::default();
    let (session, _) = session(&clock);
    let asked = Rc::new(RefCell::new(Vec::new()));
    let (noted, server) = (Rc::clone(&asked), RefCell::new(answers(all)));
    let timer = clock.clone();
    let get = async move |path: String, _: u32| {
        noted.borrow_mut().push((timer.now_ms(), path));
        timer.sleep(takes_ms).await;
        server.borrow_mut().next().ok_or(CallError::Unreachable)
    };
    let polling = async move {
        match interval_ms {
            Some(interval_ms) => run_polling(&session, &get, interval_ms).await,
            None => run_long_polling(&session, &get).await,
        }
    };
    let reason = run(&clock, 1e6, polling).unwrap();
    (asked.take(), reason)
}

#[test]
fn the_interval_is_from_request_to_request() {
    let all = vec![vec![snapshot(1)], vec![], vec![ticks(1, 2..=2)]];
    let (asked, reason) = polls(all, 150, Some(1_000));
    let times: Vec<f64> = asked.iter().map(|asked| asked.0).collect();
    assert_eq!(times, [0.0, 1_000.0, 2_000.0, 3_000.0]);
    assert_eq!(reason, Loss::Call(CallError::Unreachable));
    assert!(
        asked[0]
            .1
            .starts_with("api/ticks?symbols=*&encoding=json&wait_ms=0")
    );
    assert!(asked[3].1.contains("&cursor="), "{}", asked[3].1);
}

#[test]
fn a_full_answer_is_followed_by_a_request_at_once() {
    let full = ticks(1, 2..=LIMIT as u64 + 1);
    let all = vec![vec![snapshot(1)], vec![full], vec![]];
    let (asked, _) = polls(all, 50, Some(1_000));
    let times: Vec<f64> = asked.iter().map(|asked| asked.0).collect();
    assert_eq!(times, [0.0, 1_000.0, 1_050.0, 2_050.0]);
}

#[test]
fn a_long_poll_follows_the_one_before() {
    let (asked, _) = polls(vec![vec![snapshot(1)], vec![]], 5_000, None);
    let times: Vec<f64> = asked.iter().map(|asked| asked.0).collect();
    assert_eq!(times, [0.0, 5_000.0, 10_000.0]);
    assert!(asked[1].1.contains("&wait_ms=5000&"), "{}", asked[1].1);
}

#[test]
fn an_answer_that_cannot_be_read_ends_it() {
    let clock = VirtualClock::default();
    let (session, _) = session(&clock);
    let get = async |_: String, _: u32| Ok(b"<html>".to_vec());
    let polling = async move { run_polling(&session, &get, 1_000).await };
    let reason = run(&clock, 1e6, polling);
    assert!(matches!(reason, Some(Loss::Unreadable(_))), "{reason:?}");
}
