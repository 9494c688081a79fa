use std::cell::RefCell;
use std::rc::Rc;

use super::super::session::tests::session;
use super::super::{Loss, Phase};
use super::*;
use crate::clock::Clock;
use crate::clock::tests::{VirtualClock, run as run_virtual};

/// What happened in a run: the jobs that were started, with their times, and the
/// states that were published.
#[derive(Default)]
struct Record {
    jobs: Vec<(f64, Job)>,
    states: Vec<LinkState>,
}

/// Runs a link for `length_ms` while each connection is lost after `lasts_ms`
/// and the server can be reached. `commands` are given at their times.
fn record(choice: Choice, lasts_ms: u32, commands: Vec<(u32, Control)>, length_ms: u32) -> Record {
    let clock = VirtualClock::default();
    let (session, _) = session(&clock);
    let record = Rc::new(RefCell::new(Record::default()));
    let (started, told) = (Rc::clone(&record), Rc::clone(&record));
    let timer = clock.clone();
    let start = move |_: &Rc<Session>, job: Job| {
        started
            .borrow_mut()
            .jobs
            .push((timer.now_ms(), job.clone()));
        let timer = timer.clone();
        async move {
            match job {
                Job::Connect { .. } => {
                    timer.sleep(lasts_ms).await;
                    Event::Lost(Lost {
                        reason: Loss::Silent,
                        spoke: false,
                        is_fresh: false,
                    })
                }
                Job::Inspect(_) => {
                    timer.sleep(10).await;
                    Event::Inspected(Inspection::Reachable)
                }
                Job::Look(_) => std::future::pending().await,
            }
        }
        .boxed_local()
    };
    let (control, received) = mpsc::unbounded();
    let supervisor = Supervisor::new(choice, 1_000, 0.0);
    let tell = move |state| told.borrow_mut().states.push(state);
    let link = run(supervisor, session, received, start, tell);
    let timer = clock.clone();
    let person = async move {
        for (at_ms, command) in commands {
            let wait_ms = f64::from(at_ms) - timer.now_ms();
            timer.sleep(wait_ms as u32).await;
            control.unbounded_send(command).unwrap();
        }
        let left_ms = f64::from(length_ms) - timer.now_ms();
        timer.sleep(left_ms as u32).await;
        // The last handle is dropped, which ends the link.
    };
    let both = async move { futures_util::future::join(link, person).await };
    run_virtual(&clock, 1e7, both).expect("it ends with its last handle");
    record.take()
}

fn connections(record: &Record) -> Vec<(f64, Transport)> {
    let connections = record.jobs.iter().filter_map(|(at_ms, job)| match job {
        Job::Connect { transport, .. } => Some((*at_ms, *transport)),
        _ => None,
    });
    connections.collect()
}

#[test]
fn a_connection_that_does_not_get_through_is_followed_by_the_next_transport() {
    use Transport::{LongPoll, Poll, Sse, WebSocket};
    let record = record(Choice::Auto, 1_000, Vec::new(), 4_500);
    let expect = [
        (0.0, WebSocket),
        (1_010.0, Sse),
        (2_020.0, LongPoll),
        (3_030.0, Poll),
    ];
    assert_eq!(connections(&record)[..4], expect);
    let is_waiting = |state: &LinkState| matches!(state.phase, Phase::Waiting { .. });
    assert!(record.states.iter().any(is_waiting), "people are told");
}

#[test]
fn another_choice_replaces_the_connection_at_once() {
    use Transport::{Poll, Sse};
    let commands = vec![
        (100, Control::Use(Choice::Only(Sse))),
        (200, Control::Use(Choice::Only(Poll))),
        (300, Control::Interval(500)),
        (400, Control::Pace(Pace::default())),
    ];
    let record = record(Choice::Only(Poll), 9_000, commands, 1_000);
    let expect = [(0.0, Poll), (100.0, Sse), (200.0, Poll), (300.0, Poll)];
    assert_eq!(connections(&record), expect);
}

#[test]
fn a_person_need_not_wait() {
    let commands = vec![(1_020, Control::RetryNow)];
    let record = record(Choice::Only(Transport::Sse), 1_000, commands, 1_100);
    let times: Vec<f64> = connections(&record).iter().map(|c| c.0).collect();
    assert_eq!(times, [0.0, 1_020.0]);
}
