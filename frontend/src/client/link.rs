//! Keeps one transport connected: does what the [`Supervisor`] plans, and tells
//! it what happened.

use std::rc::Rc;

use futures_channel::mpsc;
use futures_util::future::{Either, LocalBoxFuture, select, select_all};
use futures_util::{FutureExt, StreamExt};
use leptos::prelude::*;
use leptos::task::spawn_local;

use shared::{Pace, Transport};

use super::session::Session;
use super::supervisor::{Event, Inspection, Job, Lost, Questions, Supervisor};
use super::{Choice, LinkState, api, poll, sse, ws};

/// How long a look for a better transport, or for the server, may take, in ms.
const LOOK_MS: u32 = 5_000;

/// When the network comes back, a connection over which nothing arrived for
/// longer than this, in ms, is replaced by a new one. Prices normally arrive
/// more often; where they do not, reconnecting does no harm.
const QUIET_MS: f64 = 1_000.0;

/// How often a stream is checked for silence, in ms.
const SILENCE_CHECK_MS: u32 = 1_000;

#[derive(Clone, Copy, Debug)]
enum Control {
    Use(Choice),
    Interval(u32),
    Pace(Pace),
    RetryNow,
    Online,
}

/// A handle on the connection. Cheap to clone.
#[derive(Clone)]
pub struct Link {
    /// The state of the link. Only the link writes it.
    pub state: RwSignal<LinkState>,
    /// Bounded by what a person can click between two turns of the loop.
    control: mpsc::UnboundedSender<Control>,
}

impl Link {
    /// Connects, and stays connected as long as there is a handle.
    pub fn start(session: Rc<Session>, choice: Choice, interval_ms: u32) -> Self {
        let supervisor = Supervisor::new(choice, interval_ms, session.clock().now_ms());
        let state = RwSignal::new(supervisor.shown());
        let (control, commands) = mpsc::unbounded();
        let tell = move |shown| {
            if state.with_untracked(|old| *old != shown) {
                state.set(shown);
            }
        };
        spawn_local(run(supervisor, session, commands, start, tell));
        Self { state, control }
    }

    /// Changes the transport; the cursor is kept.
    pub fn choose(&self, choice: Choice) {
        self.send(Control::Use(choice));
    }

    /// Changes the interval of plain polling.
    pub fn use_interval(&self, interval_ms: u32) {
        self.send(Control::Interval(interval_ms));
    }

    /// Changes the pace at which the server sends messages.
    pub fn use_pace(&self, pace: Pace) {
        self.send(Control::Pace(pace));
    }

    /// Ends the wait for the next retry.
    pub fn retry_now(&self) {
        self.send(Control::RetryNow);
    }

    /// The network is back. A connection over which nothing arrived lately is
    /// replaced by a new one at once.
    pub fn online(&self) {
        self.send(Control::Online);
    }

    fn send(&self, control: Control) {
        // The loop lives as long as this handle.
        let _ = self.control.unbounded_send(control);
    }
}

/// Does what the supervisor plans until the last handle is dropped. `start`
/// starts a job; `tell` publishes the state. What has arrived over a connection
/// but was not read is dropped with it. It comes again, because the cursor has
/// not moved over it.
async fn run(
    mut supervisor: Supervisor,
    session: Rc<Session>,
    mut commands: mpsc::UnboundedReceiver<Control>,
    start: impl Fn(&Rc<Session>, Job) -> LocalBoxFuture<'static, Event>,
    tell: impl Fn(LinkState),
) {
    let mut running: Vec<(u64, LocalBoxFuture<'static, Event>)> = Vec::new();
    loop {
        let plan = supervisor.plan();
        running.retain(|(number, _)| plan.jobs.iter().any(|job| job.0 == *number));
        for (number, job) in plan.jobs {
            if !running.iter().any(|known| known.0 == number) {
                running.push((number, start(&session, job)));
            }
        }
        tell(supervisor.shown());
        let clock = session.clock();
        let wake = plan
            .wake_ms
            .map(|ms| (ms - clock.now_ms()).max(0.0).ceil() as u32);
        let wake = match wake {
            Some(ms) => clock.sleep(ms),
            None => std::future::pending().boxed_local(),
        };
        let happened = {
            let job = async {
                if running.is_empty() {
                    std::future::pending::<()>().await;
                }
                let jobs = running.iter_mut().map(|(_, job)| job);
                let (event, place, _) = select_all(jobs).await;
                Happened::Job(event, place)
            };
            let job = std::pin::pin!(job);
            match select(commands.next(), select(job, wake)).await {
                Either::Left((None, _)) => return,
                Either::Left((Some(control), _)) => Happened::Control(control),
                Either::Right((Either::Left((job, _)), _)) => job,
                Either::Right((Either::Right(_), _)) => Happened::Woke,
            }
        };
        let event = match happened {
            Happened::Control(control) => obey(&session, control),
            Happened::Job(event, place) => {
                drop(running.remove(place));
                event
            }
            Happened::Woke => Event::Woke,
        };
        if matches!(event, Event::Lost(_)) {
            session.lose();
        }
        supervisor.handle(event, session.clock().now_ms(), session.clock().chance());
    }
}

enum Happened {
    Control(Control),
    /// A job has ended with this event; its place in the list.
    Job(Event, usize),
    Woke,
}

/// The event that a command is for the supervisor.
fn obey(session: &Session, control: Control) -> Event {
    match control {
        Control::Use(choice) => Event::Chosen(choice),
        Control::Interval(interval_ms) => Event::Interval(interval_ms),
        Control::Pace(pace) => {
            session.set_pace(pace);
            session.tell_pace();
            Event::Paced
        }
        Control::RetryNow => Event::RetryNow,
        Control::Online => Event::Online {
            is_quiet: session.clock().now_ms() - session.heard_ms() > QUIET_MS,
        },
    }
}

/// Starts a job.
fn start(session: &Rc<Session>, job: Job) -> LocalBoxFuture<'static, Event> {
    let session = Rc::clone(session);
    match job {
        Job::Connect {
            transport,
            interval_ms,
        } => connect(session, transport, interval_ms).boxed_local(),
        Job::Inspect(questions) => {
            async move { Event::Inspected(inspect(&session, questions).await) }.boxed_local()
        }
        Job::Look(better) => async move {
            for transport in better {
                if gets_through(&session, *transport).await {
                    return Event::Looked(Some(*transport));
                }
            }
            Event::Looked(None)
        }
        .boxed_local(),
    }
}

/// Runs the transport until it is lost, or silent for too long.
async fn connect(session: Rc<Session>, transport: Transport, interval_ms: u32) -> Event {
    session.begin();
    let connection = async {
        match transport {
            Transport::Poll => poll::run_polling(&session, &api::poll, interval_ms).await,
            Transport::LongPoll => poll::run_long_polling(&session, &api::poll).await,
            Transport::WebSocket => ws::run(&session).await,
            Transport::Sse => sse::run(&session).await,
        }
    };
    let silence = async {
        if !transport.is_stream() {
            // A poll has a time-out of its own.
            std::future::pending::<()>().await;
        }
        silence(&session).await;
    };
    let reason = match select(connection.boxed_local(), silence.boxed_local()).await {
        Either::Left((reason, _)) => reason,
        Either::Right(_) => super::Loss::Silent,
    };
    Event::Lost(Lost {
        reason,
        spoke: session.has_spoken(),
        is_fresh: session.is_fresh(),
    })
}

/// Completes when nothing has arrived for two heartbeats, or no greeting has
/// arrived in time.
async fn silence(session: &Session) {
    while session.clock().now_ms() - session.heard_ms() < session.silence_ms_max() {
        session.clock().sleep(SILENCE_CHECK_MS).await;
    }
}

/// Asks the server why a connection was lost.
async fn inspect(session: &Session, questions: Questions) -> Inspection {
    if questions.symbols && session.names_symbols() {
        let known = api::symbols().await;
        if known.is_ok_and(|known| session.leave_out_all_but(&known)) {
            return Inspection::LeftOut;
        }
    }
    if questions.refusal
        && let Some(why) = api::refusal(LOOK_MS).await
    {
        return Inspection::Refused(why);
    }
    if questions.health && api::health(LOOK_MS).await.is_ok() {
        return Inspection::Reachable;
    }
    Inspection::Nothing
}

/// Whether the server's greeting arrives over this transport. It is tried
/// beside the connection in use.
async fn gets_through(session: &Session, transport: Transport) -> bool {
    let greeting = async {
        match transport {
            Transport::WebSocket => ws::greets().await,
            Transport::Sse => sse::greets(session).await,
            Transport::LongPoll => poll::waits(session, &api::poll).await,
            // Plain polling is the last resort: no transport is worse.
            Transport::Poll => false,
        }
    };
    let timeout = session.clock().sleep(LOOK_MS);
    matches!(
        select(greeting.boxed_local(), timeout).await,
        Either::Left((true, _))
    )
}

#[cfg(test)]
mod tests;
