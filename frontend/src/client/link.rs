//! The supervisor: keeps one transport connected, and changes it when told, or,
//! where any will do, when another one is better.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;

use futures_channel::mpsc;
use futures_util::future::{Either, LocalBoxFuture, select};
use futures_util::{FutureExt, StreamExt, select_biased};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use shared::{Pace, Transport};

use super::backoff::Backoff;
use super::ladder::{Ladder, Life};
use super::session::{Session, now_ms};
use super::{Choice, http, poll, sse, within, ws};

/// How long a look for a better transport, or for the server, may take, in ms.
const LOOK_MS: u32 = 5_000;

/// Prices come more often than this, in ms, or at least it does no harm to
/// connect anew.
const QUIET_MS: f64 = 1_000.0;

/// What the link is doing, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkState {
    /// What was chosen.
    pub choice: Choice,
    /// The transport in use.
    pub transport: Transport,
    /// Why it is not the best one, where any will do.
    pub detour: Option<String>,
    /// The interval of plain polling, in ms.
    pub interval_ms: u32,
    /// Whether there is a connection.
    pub phase: Phase,
}

/// Whether there is a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// The transport is open, or its requests are answered, or it is about to.
    Connected,
    /// It was lost; the next try is at `retry_at_ms` of the monotonic clock.
    Waiting {
        /// Why it was lost.
        reason: String,
        /// When the next try is.
        retry_at_ms: f64,
    },
}

#[derive(Clone, Copy, Debug)]
enum Control {
    Use(Choice),
    Interval(u32),
    Pace(Pace),
    RetryNow,
    Online,
}

/// A handle on the supervisor. Cheap to clone.
#[derive(Clone)]
pub struct Link {
    /// What the link is doing. Written here only.
    pub state: RwSignal<LinkState>,
    /// Bounded by what a person can click between two turns of the loop.
    control: mpsc::UnboundedSender<Control>,
}

impl Link {
    /// Connects and stays connected as long as there is a handle.
    pub fn start(session: Rc<Session>, choice: Choice, interval_ms: u32) -> Self {
        let state = RwSignal::new(LinkState {
            choice,
            transport: transport_of(choice, &Ladder::default()),
            detour: None,
            interval_ms,
            phase: Phase::Connected,
        });
        let (control, commands) = mpsc::unbounded();
        let supervisor = Supervisor {
            session,
            state,
            ladder: RefCell::default(),
        };
        spawn_local(supervisor.run(commands).boxed_local());
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

    /// Changes how the server tells what happens.
    pub fn use_pace(&self, pace: Pace) {
        self.send(Control::Pace(pace));
    }

    /// Ends the wait for the next try.
    pub fn retry_now(&self) {
        self.send(Control::RetryNow);
    }

    /// The network is there again: who has heard nothing lately does not wait to
    /// hear more.
    pub fn online(&self) {
        self.send(Control::Online);
    }

    fn send(&self, control: Control) {
        // The supervisor lives as long as this handle.
        let _ = self.control.unbounded_send(control);
    }
}

fn transport_of(choice: Choice, ladder: &Ladder) -> Transport {
    match choice {
        Choice::Auto => ladder.transport(),
        Choice::Only(transport) => transport,
    }
}

struct Supervisor {
    session: Rc<Session>,
    state: RwSignal<LinkState>,
    ladder: RefCell<Ladder>,
}

/// Why a connection is over.
enum End {
    /// It was lost, for this reason.
    Lost(String),
    /// Another one is wanted.
    Replaced,
    /// Nobody holds the link any more.
    Dropped,
}

impl Supervisor {
    async fn run(self, mut commands: mpsc::UnboundedReceiver<Control>) {
        let mut backoff = Backoff::default();
        loop {
            let begun_ms = now_ms();
            self.session.begin(begun_ms);
            let reason = match self.stay_connected(&mut commands).await {
                End::Lost(reason) => reason,
                End::Replaced => continue,
                End::Dropped => return,
            };
            let life = Life {
                spoke: self.session.has_spoken(),
                lasted_ms: now_ms() - begun_ms,
            };
            if self.session.is_fresh() {
                backoff.reset();
            }
            self.session.lose();
            let wait_ms = backoff.next_ms(js_sys::Math::random());
            self.state.update(|state| {
                state.phase = Phase::Waiting {
                    reason,
                    retry_at_ms: now_ms() + f64::from(wait_ms),
                };
            });
            if !self.wait(wait_ms, life, &mut commands).await {
                return;
            }
            self.state.update(|state| state.phase = Phase::Connected);
        }
    }

    async fn stay_connected(&self, commands: &mut mpsc::UnboundedReceiver<Control>) -> End {
        // What arrives of the old connection after the end of this is dropped
        // with it, unread, and comes again: the cursor has not moved over it.
        let mut connection = self.connect().fuse();
        let mut better = self.better().boxed_local().fuse();
        loop {
            select_biased! {
                reason = connection => return End::Lost(reason),
                better = better => {
                    self.ladder.borrow_mut().climb(better);
                    self.tell();
                    return End::Replaced;
                }
                command = commands.next() => match command {
                    Some(command) if self.obey(command) => return End::Replaced,
                    Some(_) => {}
                    None => return End::Dropped,
                },
            }
        }
    }

    /// Waits before the next try, or until told not to, or until it is clear
    /// that another transport is to be tried; whether there is a next try.
    async fn wait(
        &self,
        wait_ms: u32,
        life: Life,
        commands: &mut mpsc::UnboundedReceiver<Control>,
    ) -> bool {
        let falls = async {
            // It refuses a connection that names what it does not have.
            if !life.spoke && self.session.leave_out_unknown().await {
                return true;
            }
            // A WebSocket is refused without a word; another transport would not
            // be what is wrong.
            let transport = self.state.with_untracked(|state| state.transport);
            if !life.spoke
                && transport == Transport::WebSocket
                && let Some(why) = http::refusal(LOOK_MS).await
            {
                self.state.update(|state| {
                    if let Phase::Waiting { reason, .. } = &mut state.phase {
                        *reason = why;
                    }
                });
                return false;
            }
            // A server that is away says nothing about the transport.
            if !self.is_auto() || http::get("healthz", LOOK_MS).await.is_err() {
                return false;
            }
            self.ladder.borrow_mut().lost(life)
        };
        let mut over = async {
            let wait = TimeoutFuture::new(wait_ms).boxed_local();
            match select(falls.boxed_local(), wait).await {
                Either::Left((true, _)) => self.tell(),
                Either::Left((false, wait)) => wait.await,
                // The next try is not to begin before this is known.
                Either::Right(((), falls)) => {
                    if falls.await {
                        self.tell();
                    }
                }
            }
        }
        .boxed_local()
        .fuse();
        loop {
            select_biased! {
                () = over => return true,
                command = commands.next() => match command {
                    // Another interval is no reason to try sooner.
                    Some(command @ (Control::Interval(_) | Control::Pace(_))) => _ = self.obey(command),
                    Some(command) => {
                        self.obey(command);
                        return true;
                    }
                    None => return false,
                },
            }
        }
    }

    /// Notes what is wanted; whether the connection has to be made anew for it.
    fn obey(&self, command: Control) -> bool {
        let before = self.state.get_untracked();
        match command {
            Control::Use(choice) => {
                if choice != before.choice {
                    self.ladder.take();
                }
                self.state.update(|state| state.choice = choice);
                self.tell();
                self.state.with_untracked(|state| state.transport) != before.transport
            }
            Control::Interval(wanted) => {
                self.state.update(|state| state.interval_ms = wanted);
                before.transport == Transport::Poll && wanted != before.interval_ms
            }
            Control::Pace(pace) => {
                self.session.set_pace(pace);
                // A WebSocket takes it as it is, and polls with the next one.
                self.session.tell_pace();
                before.transport == Transport::Sse
            }
            Control::RetryNow => false,
            Control::Online => now_ms() - self.session.heard_ms() > QUIET_MS,
        }
    }

    /// Tells which transport is used, and why not a better one.
    fn tell(&self) {
        let ladder = self.ladder.borrow();
        self.state.update(|state| {
            state.transport = transport_of(state.choice, &ladder);
            state.detour = ladder.reason().filter(|_| state.choice == Choice::Auto);
        });
    }

    /// Completes when a better transport gets through than the one in use.
    async fn better(&self) -> Transport {
        // A person who settles for the one in use ends the search.
        while self.is_auto() && !self.ladder.borrow().better().is_empty() {
            let wait_ms = self.ladder.borrow().look_after_ms();
            TimeoutFuture::new(wait_ms).await;
            if !self.is_auto() {
                break;
            }
            let candidates = self.ladder.borrow().better();
            for candidate in candidates {
                if gets_through(&self.session, *candidate).await && self.is_auto() {
                    return *candidate;
                }
            }
            self.ladder.borrow_mut().looked_in_vain();
        }
        pending().await
    }

    fn is_auto(&self) -> bool {
        self.state
            .with_untracked(|state| state.choice == Choice::Auto)
    }

    /// Runs the transport until it is lost, or silent for too long; says why.
    fn connect(&self) -> LocalBoxFuture<'_, String> {
        let session = &*self.session;
        let LinkState {
            transport,
            interval_ms,
            ..
        } = self.state.get_untracked();
        match transport {
            Transport::Poll => poll::run_polling(session, interval_ms).boxed_local(),
            Transport::LongPoll => poll::run_long_polling(session).boxed_local(),
            Transport::WebSocket => or_silence(session, ws::run(session).boxed_local()),
            Transport::Sse => or_silence(session, sse::run(session).boxed_local()),
        }
    }
}

/// Whether the transport brings the server's greeting, tried beside the
/// connection in use.
async fn gets_through(session: &Session, transport: Transport) -> bool {
    let greeting = async {
        match transport {
            Transport::WebSocket => ws::greets().await,
            Transport::Sse => sse::greets(session).await,
            Transport::LongPoll => poll::waits(session).await,
            // The last resort is better than nothing only.
            Transport::Poll => false,
        }
    };
    within(LOOK_MS, greeting).await == Some(true)
}

fn or_silence<'s>(
    session: &'s Session,
    stream: LocalBoxFuture<'s, String>,
) -> LocalBoxFuture<'s, String> {
    let silence = silence(session).boxed_local();
    let first = select(stream, silence).map(|first| match first {
        Either::Left((reason, _)) => reason,
        Either::Right(_) => "the stream has gone silent".to_owned(),
    });
    first.boxed_local()
}

/// Completes when nothing was heard for two heartbeats, or no greeting for as
/// long as a look may take.
async fn silence(session: &Session) {
    while now_ms() - session.heard_ms() < session.silence_ms_max() {
        TimeoutFuture::new(1_000).await;
    }
}
