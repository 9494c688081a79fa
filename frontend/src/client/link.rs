//! The supervisor: keeps one transport connected, and changes it on command,
//! or, in automatic mode, when a better one gets through.

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

/// When the network comes back, a connection over which nothing arrived for
/// longer than this, in ms, is replaced by a new one. Prices normally arrive
/// more often; where they do not, reconnecting does no harm.
const QUIET_MS: f64 = 1_000.0;

/// The state of the link, as people are shown it.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkState {
    /// What was chosen.
    pub choice: Choice,
    /// The transport in use.
    pub transport: Transport,
    /// Why the transport is not the best one, in automatic mode.
    pub detour: Option<String>,
    /// The interval of plain polling, in ms.
    pub interval_ms: u32,
    /// Whether there is a connection.
    pub phase: Phase,
}

/// Whether there is a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// The transport is open, its requests are answered, or it is being opened.
    Connected,
    /// The connection was lost; the next retry is at `retry_at_ms` of the
    /// monotonic clock.
    Waiting {
        /// Why it was lost.
        reason: String,
        /// When the next retry is.
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
    /// The state of the link. Only the link writes it.
    pub state: RwSignal<LinkState>,
    /// Bounded by what a person can click between two turns of the supervisor's
    /// loop.
    control: mpsc::UnboundedSender<Control>,
}

impl Link {
    /// Connects, and stays connected as long as there is a handle.
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
    /// A new connection is to replace it.
    Replaced,
    /// The last handle was dropped.
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
        // What has arrived over the old connection but was not read is dropped
        // with it. It comes again, because the cursor has not moved over it.
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

    /// Waits before the next retry, until a command ends the wait, or until it
    /// is clear that another transport is to be tried. Returns whether there is
    /// a next retry.
    async fn wait(
        &self,
        wait_ms: u32,
        life: Life,
        commands: &mut mpsc::UnboundedReceiver<Control>,
    ) -> bool {
        let falls = async {
            // The server refuses a connection that names symbols it does not
            // have.
            if !life.spoke && self.session.leave_out_unknown().await {
                return true;
            }
            // A browser does not tell why a WebSocket was refused. If the
            // server refuses this page, another transport would not help.
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
            // A server that cannot be reached says nothing about the transport.
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
                // The next retry must wait for this result.
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
                    // Another interval or pace is no reason to retry sooner.
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

    /// Applies a command; returns whether a new connection is needed.
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
                // A WebSocket takes a new pace over the open connection, a poll
                // with the next request.
                self.session.tell_pace();
                before.transport == Transport::Sse
            }
            Control::RetryNow => false,
            Control::Online => now_ms() - self.session.heard_ms() > QUIET_MS,
        }
    }

    /// Publishes which transport is used, and why not a better one.
    fn tell(&self) {
        let ladder = self.ladder.borrow();
        self.state.update(|state| {
            state.transport = transport_of(state.choice, &ladder);
            state.detour = ladder.reason().filter(|_| state.choice == Choice::Auto);
        });
    }

    /// Completes when a better transport than the one in use gets through.
    async fn better(&self) -> Transport {
        // The search ends when a person chooses one transport.
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

    /// Runs the transport until it is lost, or silent for too long; returns the
    /// reason.
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

/// Whether the server's greeting arrives over this transport. It is tried
/// beside the connection in use.
async fn gets_through(session: &Session, transport: Transport) -> bool {
    let greeting = async {
        match transport {
            Transport::WebSocket => ws::greets().await,
            Transport::Sse => sse::greets(session).await,
            Transport::LongPoll => poll::waits(session).await,
            // Plain polling is the last resort: no transport is worse.
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

/// Completes when nothing has arrived for two heartbeats, or no greeting has
/// arrived in time.
async fn silence(session: &Session) {
    while now_ms() - session.heard_ms() < session.silence_ms_max() {
        TimeoutFuture::new(1_000).await;
    }
}
