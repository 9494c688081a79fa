use proptest::prelude::*;
use shared::Transport::{self, LongPoll, Poll, Sse, WebSocket};

use super::super::loss::TransportFault;
use super::*;
use crate::faults::CallError;

/// A world in which some transports get through, while the server is there.
#[derive(Clone, Copy, Debug)]
struct World {
    is_there: bool,
    gets_through: [bool; 4],
}

const ALL_GET_THROUGH: World = World {
    is_there: true,
    gets_through: [true; 4],
};

/// A supervisor in a world, with the jobs that run.
struct Play {
    supervisor: Supervisor,
    now_ms: f64,
    running: Vec<(u64, Job)>,
    /// All numbers of jobs that were started.
    started: Vec<u64>,
}

impl Play {
    fn new(choice: Choice) -> Self {
        let mut play = Self {
            supervisor: Supervisor::new(choice, 1_000, 0.0),
            now_ms: 0.0,
            running: Vec::new(),
            started: Vec::new(),
        };
        play.plan();
        play
    }

    /// Starts and drops jobs as planned, and checks what holds for all plans.
    fn plan(&mut self) {
        let plan = self.supervisor.plan();
        self.running
            .retain(|(number, _)| plan.jobs.iter().any(|job| job.0 == *number));
        for job in &plan.jobs {
            if !self.running.iter().any(|known| known.0 == job.0) {
                assert!(
                    !self.started.contains(&job.0),
                    "each job has its own number"
                );
                self.started.push(job.0);
                self.running.push(job.clone());
            }
        }
        let connections = plan
            .jobs
            .iter()
            .filter(|(_, job)| matches!(job, Job::Connect { .. }));
        let is_waiting = matches!(self.supervisor.shown().phase, Phase::Waiting { .. });
        assert_eq!(connections.count(), usize::from(!is_waiting));
        if is_waiting {
            assert!(
                plan.wake_ms.is_some() || !plan.jobs.is_empty(),
                "something goes on"
            );
        }
    }

    fn tell(&mut self, event: Event) {
        self.supervisor.handle(event, self.now_ms, 0.5);
        self.plan();
    }

    /// What the world does next: ends a job, or lets time pass until the planned
    /// moment. Returns whether anything happens.
    fn step(&mut self, world: World) -> bool {
        let through =
            |transport: Transport| world.is_there && world.gets_through[transport as usize];
        let ended = self.running.iter().find_map(|(_, job)| match job {
            Job::Connect { transport, .. } if !through(*transport) => Some((5_000.0, lost(false))),
            Job::Connect { .. } => None,
            Job::Inspect(questions) => {
                let is_reached = world.is_there && questions.health;
                Some((
                    10.0,
                    Event::Inspected(match is_reached {
                        true => Inspection::Reachable,
                        false => Inspection::Nothing,
                    }),
                ))
            }
            Job::Look(better) => {
                let found = better.iter().copied().find(|better| through(*better));
                Some((100.0, Event::Looked(found)))
            }
        });
        if let Some((takes_ms, event)) = ended {
            self.now_ms += takes_ms;
            self.tell(event);
            return true;
        }
        match self.supervisor.plan().wake_ms {
            Some(wake_ms) => {
                self.now_ms = self.now_ms.max(wake_ms);
                self.tell(Event::Woke);
                true
            }
            None => false,
        }
    }

    /// The transport that is connected for good, after `limit_ms` at most.
    fn settle(&mut self, world: World, limit_ms: f64) -> Option<Transport> {
        let end_ms = self.now_ms + limit_ms;
        while self.now_ms < end_ms && self.step(world) {}
        let shown = self.supervisor.shown();
        let is_connected = shown.phase == Phase::Connected;
        let through = world.is_there && world.gets_through[shown.transport as usize];
        (is_connected && through).then_some(shown.transport)
    }
}

fn lost(spoke: bool) -> Event {
    Event::Lost(Lost {
        reason: Loss::Call(CallError::Unreachable),
        spoke,
        is_fresh: spoke,
    })
}

fn retry_at_ms(play: &Play) -> f64 {
    match play.supervisor.shown().phase {
        Phase::Waiting { retry_at_ms, .. } => retry_at_ms,
        Phase::Connected => panic!("it is connected"),
    }
}

#[test]
fn it_finds_what_gets_through_and_says_why_not_a_better_one() {
    for best in [WebSocket, Sse, LongPoll, Poll] {
        let mut gets_through = [false; 4];
        gets_through[best as usize..].fill(true);
        let world = World {
            is_there: true,
            gets_through,
        };
        let mut play = Play::new(Choice::Auto);
        assert_eq!(play.settle(world, 120_000.0), Some(best));
        let detour = play.supervisor.shown().detour;
        assert_eq!(detour.is_some(), best != WebSocket, "{best:?}");
        assert!(detour.is_none_or(|d| d.fault == TransportFault::DoesNotGetThrough));
        // When the others get through again, it returns to the best.
        assert_eq!(play.settle(ALL_GET_THROUGH, 700_000.0), Some(WebSocket));
        assert_eq!(play.supervisor.shown().detour, None);
    }
}

#[test]
fn a_server_that_is_gone_says_nothing_about_transports() {
    let gone = World {
        is_there: false,
        ..ALL_GET_THROUGH
    };
    let mut play = Play::new(Choice::Auto);
    assert_eq!(play.settle(gone, 600_000.0), None);
    assert_eq!(play.settle(ALL_GET_THROUGH, 60_000.0), Some(WebSocket));
}

#[test]
fn a_chosen_transport_is_the_only_one() {
    let mut play = Play::new(Choice::Only(Sse));
    let world = World {
        is_there: true,
        gets_through: [true, false, true, true],
    };
    assert_eq!(play.settle(world, 300_000.0), None);
    assert_eq!(play.supervisor.shown().transport, Sse);
    play.tell(Event::Chosen(Choice::Only(Poll)));
    assert_eq!(play.settle(world, 1_000.0), Some(Poll));
}

#[test]
fn another_interval_or_pace_makes_only_the_connection_anew_that_needs_it() {
    let check = |transport, event: Event, expect: bool| {
        let mut play = Play::new(Choice::Only(transport));
        play.tell(event.clone());
        assert_eq!(play.started.len() == 2, expect, "{transport:?} {event:?}");
        // While it waits, neither is a reason to retry sooner.
        play.tell(lost(true));
        play.tell(event);
        assert!(matches!(
            play.supervisor.shown().phase,
            Phase::Waiting { .. }
        ));
    };
    for transport in Transport::ALL {
        check(transport, Event::Interval(200), transport == Poll);
        check(transport, Event::Paced, transport == Sse);
    }
}

#[test]
fn a_person_or_the_network_ends_the_wait() {
    for event in [
        Event::RetryNow,
        Event::Online { is_quiet: false },
        Event::Chosen(Choice::Only(Sse)),
    ] {
        let mut play = Play::new(Choice::Only(WebSocket));
        play.tell(event.clone());
        play.tell(lost(true));
        play.tell(event);
        assert_eq!(play.supervisor.shown().phase, Phase::Connected);
    }
    // A connection that is alive is not replaced, one that is quiet is.
    let mut play = Play::new(Choice::Only(WebSocket));
    play.tell(Event::Online { is_quiet: false });
    assert_eq!(play.started.len(), 1);
    play.tell(Event::Online { is_quiet: true });
    assert_eq!(play.started.len(), 2);
}

#[test]
fn the_server_is_asked_what_it_can_answer() {
    let asked = |choice, spoke| {
        let mut play = Play::new(choice);
        play.tell(lost(spoke));
        play.running.into_iter().find_map(|(_, job)| match job {
            Job::Inspect(Questions {
                symbols,
                refusal,
                health,
            }) => Some([symbols, refusal, health]),
            _ => None,
        })
    };
    assert_eq!(asked(Choice::Auto, false), Some([true, true, true]));
    assert_eq!(asked(Choice::Auto, true), Some([false, false, true]));
    assert_eq!(
        asked(Choice::Only(WebSocket), false),
        Some([true, true, false])
    );
    assert_eq!(asked(Choice::Only(Poll), false), Some([true, false, false]));
    assert_eq!(asked(Choice::Only(Poll), true), None);
}

#[test]
fn a_refusal_is_shown_and_is_no_reason_for_another_transport() {
    let mut play = Play::new(Choice::Auto);
    play.tell(lost(false));
    play.tell(Event::Inspected(Inspection::Refused(
        "not this page".to_owned(),
    )));
    let Phase::Waiting { reason, .. } = play.supervisor.shown().phase else {
        panic!("it waits");
    };
    assert_eq!(reason, Loss::Refused("not this page".to_owned()));
    play.now_ms = retry_at_ms(&play);
    play.tell(Event::Woke);
    assert_eq!(play.supervisor.shown().transport, WebSocket);
}

#[test]
fn symbols_that_are_left_out_are_a_reason_to_retry_at_once() {
    let mut play = Play::new(Choice::Only(Sse));
    play.tell(lost(false));
    play.tell(Event::Inspected(Inspection::LeftOut));
    assert_eq!(play.supervisor.shown().phase, Phase::Connected);
}

#[test]
fn a_retry_waits_for_what_the_server_answers() {
    let mut play = Play::new(Choice::Auto);
    play.tell(lost(false));
    play.now_ms += 60_000.0;
    play.tell(Event::Woke);
    assert!(matches!(
        play.supervisor.shown().phase,
        Phase::Waiting { .. }
    ));
    play.tell(Event::Inspected(Inspection::Nothing));
    assert_eq!(play.supervisor.shown().phase, Phase::Connected);
}

/// Any event, and how much time passes before it.
fn events() -> impl Strategy<Value = (f64, Event)> {
    let choice = (0usize..5).prop_map(|place| Choice::ALL[place]);
    let transport = proptest::option::of((0usize..4).prop_map(|place| Transport::ALL[place]));
    let event = prop_oneof![
        Just(Event::Woke),
        any::<bool>().prop_map(lost),
        Just(Event::Inspected(Inspection::LeftOut)),
        Just(Event::Inspected(Inspection::Reachable)),
        Just(Event::Inspected(Inspection::Nothing)),
        Just(Event::Inspected(Inspection::Refused(String::new()))),
        transport.prop_map(Event::Looked),
        choice.prop_map(Event::Chosen),
        (100u32..10_000).prop_map(Event::Interval),
        Just(Event::Paced),
        Just(Event::RetryNow),
        any::<bool>().prop_map(|is_quiet| Event::Online { is_quiet }),
    ];
    (0.0..400_000.0f64, event)
}

proptest! {
    /// Whatever happens, in whatever order: there is one connection or one wait,
    /// a wait is neither short nor long, and a choice is obeyed.
    #[test]
    fn whatever_happens(
        all in proptest::collection::vec((events(), 0.0..1.0f64), 1..60),
    ) {
        let mut play = Play::new(Choice::Auto);
        for ((passed_ms, event), chance) in all {
            play.now_ms += passed_ms;
            let was_connected = play.supervisor.shown().phase == Phase::Connected;
            let is_loss = matches!(event, Event::Lost(_));
            play.supervisor.handle(event.clone(), play.now_ms, chance);
            play.plan();
            let shown = play.supervisor.shown();
            if is_loss && was_connected {
                let wait_ms = retry_at_ms(&play) - play.now_ms;
                prop_assert!((200.0..=20_000.0).contains(&wait_ms), "{wait_ms}");
            }
            if let Event::Chosen(choice) = event {
                prop_assert_eq!(shown.choice, choice);
            }
            if let Choice::Only(transport) = shown.choice {
                prop_assert_eq!(shown.transport, transport);
                prop_assert_eq!(shown.detour, None);
            }
        }
        // And however it was left, it finds its way back.
        play.tell(Event::Chosen(Choice::Auto));
        prop_assert_eq!(play.settle(ALL_GET_THROUGH, 1_000_000.0), Some(WebSocket));
    }
}
