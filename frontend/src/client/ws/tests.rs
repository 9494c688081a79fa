use std::rc::Rc;

use futures_util::sink;
use futures_util::stream;
use shared::{Pace, ServerMessage};

use super::super::session::tests::{hello, session, snapshot, ticks};
use super::*;
use crate::clock::Clock;
use crate::clock::tests::{VirtualClock, run};

type Frame = Result<Message, WebSocketError>;

fn frame(message: &ServerMessage) -> Frame {
    Ok(Message::Text(serde_json::to_string(message).unwrap()))
}

/// Reads these frames; returns why it ended, and what was sent.
fn exchange(
    session: &Rc<Session>,
    clock: &VirtualClock,
    frames: Vec<Frame>,
) -> (Result<(), Loss>, Vec<String>) {
    let (sent, mut received) = mpsc::unbounded();
    let up = Box::pin(sink::unfold(sent, |sent, message: Message| async move {
        if let Message::Text(text) = message {
            sent.unbounded_send(text).unwrap();
        }
        Ok::<_, ()>(sent)
    }));
    // The connection stays open for a while after the last frame.
    let timer = clock.clone();
    let end = stream::once(async move { timer.sleep(100).await }).filter_map(|()| async { None });
    let down = Box::pin(stream::iter(frames).chain(end));
    let reader = Rc::clone(session);
    let reading = async move { read(&reader, up, down).await };
    let outcome = run(clock, 1e6, reading).unwrap();
    let mut commands = Vec::new();
    while let Ok(command) = received.try_recv() {
        commands.push(command);
    }
    (outcome, commands)
}

#[test]
fn frames_are_read_until_the_server_closes() {
    let clock = VirtualClock::default();
    let (session, seen) = session(&clock);
    let frames = [hello(5_000), snapshot(1), ticks(1, 2..=4)];
    let (outcome, sent) = exchange(&session, &clock, frames.iter().map(frame).collect());
    assert_eq!(outcome, Ok(()));
    assert_eq!(sent, Vec::<String>::new());
    assert_eq!((seen.borrow().len(), session.counters().ticks), (3, 3));
    assert_eq!(session.counters().framing, 2 + 4 + 4);
}

#[test]
fn a_pace_that_changed_meanwhile_is_sent_after_the_first_frame() {
    let clock = VirtualClock::default();
    let (session, _) = session(&clock);
    let changed = Rc::clone(&session);
    let (frames, mut down) = mpsc::unbounded::<Frame>();
    let up = sink::drain();
    let reading = async move {
        let reader = Rc::clone(&changed);
        let mut reading =
            Box::pin(async move { read(&reader, up.sink_map_err(drop), &mut down).await });
        assert!(futures_util::poll!(&mut reading).is_pending());
        changed.set_pace(Pace {
            every_ms: 1_000,
            latest: false,
        });
        assert!(!changed.tell_pace(), "nothing shows yet that it is open");
        frames.unbounded_send(frame(&hello(5_000))).unwrap();
        assert!(futures_util::poll!(&mut reading).is_pending());
        let is_open = changed.tell_pace();
        drop(frames);
        (is_open, reading.await)
    };
    assert_eq!(run(&clock, 1e6, reading), Some((true, Ok(()))));
}

#[test]
fn commands_are_sent() {
    let clock = VirtualClock::default();
    let (session, _) = session(&clock);
    // A command is given as soon as the connection takes one.
    let frames = vec![frame(&hello(5_000))];
    let giver = Rc::clone(&session);
    let timer = clock.clone();
    let (outcome, sent) = {
        let given = async move {
            timer.sleep(50).await;
            giver.tell_pace()
        };
        let mut given = Box::pin(given);
        let (sent, mut received) = mpsc::unbounded();
        let up = Box::pin(sink::unfold(
            sent,
            |sent: mpsc::UnboundedSender<String>, message| async move {
                if let Message::Text(text) = message {
                    sent.unbounded_send(text).unwrap();
                }
                Ok::<_, ()>(sent)
            },
        ));
        let end = clock.clone();
        let last =
            stream::once(async move { end.sleep(100).await }).filter_map(|()| async { None });
        let down = Box::pin(stream::iter(frames).chain(last));
        let reader = Rc::clone(&session);
        let both = async move {
            let reading = read(&reader, up, down);
            let (outcome, told) = futures_util::future::join(reading, &mut given).await;
            assert!(told);
            outcome
        };
        let outcome = run(&clock, 1e6, both).unwrap();
        (outcome, received.try_recv().ok())
    };
    assert_eq!(outcome, Ok(()));
    assert_eq!(
        sent.as_deref(),
        Some(r#"{"op":"pace","every_ms":0,"latest":false}"#)
    );
}

#[test]
fn the_reason_of_the_end_is_told() {
    let clock = VirtualClock::default();
    let check = |last: Frame, expect: Loss| {
        let (session, _) = session(&clock);
        let (outcome, _) = exchange(&session, &clock, vec![frame(&hello(5_000)), last]);
        assert_eq!(outcome, Err(expect));
    };
    check(
        Err(WebSocketError::ConnectionError),
        Loss::BrokeOff(Transport::WebSocket),
    );
    let closed = |reason: &str| {
        Err(WebSocketError::ConnectionClose(
            gloo_net::websocket::events::CloseEvent {
                code: 1001,
                reason: reason.to_owned(),
                was_clean: true,
            },
        ))
    };
    check(
        closed("going away"),
        Loss::Closed(Some(1001), "going away".to_owned()),
    );
    let (session, _) = session(&clock);
    let (outcome, _) = exchange(&session, &clock, vec![Ok(Message::Bytes(vec![1]))]);
    assert!(matches!(outcome, Err(Loss::Unreadable(_))), "{outcome:?}");
}
