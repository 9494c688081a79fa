//! The supervisor: keeps one transport connected, and changes it when told.

use std::rc::Rc;

use futures_channel::mpsc;
use futures_util::future::{Either, LocalBoxFuture, select};
use futures_util::{FutureExt, StreamExt, select_biased};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::backoff::Backoff;
use super::session::{Session, now_ms};
use super::{Transport, poll, sse, ws};

/// What the link is doing, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkState {
    /// The transport in use.
    pub transport: Transport,
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
    Use(Transport),
    Interval(u32),
    RetryNow,
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
    /// Connects and stays connected until the page closes.
    pub fn start(session: Rc<Session>, transport: Transport, interval_ms: u32) -> Self {
        let state = RwSignal::new(LinkState {
            transport,
            interval_ms,
            phase: Phase::Connected,
        });
        let (control, commands) = mpsc::unbounded();
        spawn_local(supervise(session, state, commands));
        Self { state, control }
    }

    /// Changes the transport; the cursor is kept.
    pub fn use_transport(&self, transport: Transport) {
        self.send(Control::Use(transport));
    }

    /// Changes the interval of plain polling.
    pub fn use_interval(&self, interval_ms: u32) {
        self.send(Control::Interval(interval_ms));
    }

    /// Ends the wait for the next try.
    pub fn retry_now(&self) {
        self.send(Control::RetryNow);
    }

    fn send(&self, control: Control) {
        // The supervisor lives as long as the page.
        let _ = self.control.unbounded_send(control);
    }
}

async fn supervise(
    session: Rc<Session>,
    state: RwSignal<LinkState>,
    mut commands: mpsc::UnboundedReceiver<Control>,
) {
    let mut backoff = Backoff::default();
    loop {
        let LinkState {
            transport,
            interval_ms,
            ..
        } = state.get_untracked();
        session.begin(now_ms());
        // What arrives of the old connection after this point is dropped with
        // it, unread, and comes again: the cursor has not moved over it.
        let lost = {
            let mut connection = connect(&session, transport, interval_ms).fuse();
            loop {
                select_biased! {
                    reason = connection => break Some(reason),
                    command = commands.next() => match command {
                        Some(command) if obey(command, state) => break None,
                        Some(_) => {}
                        None => return,
                    },
                }
            }
        };
        let Some(reason) = lost else {
            continue;
        };
        if session.is_fresh() {
            backoff.reset();
        }
        session.lose();
        let wait_ms = backoff.next_ms(js_sys::Math::random());
        state.update(|state| {
            state.phase = Phase::Waiting {
                reason,
                retry_at_ms: now_ms() + f64::from(wait_ms),
            };
        });
        let mut wait = TimeoutFuture::new(wait_ms).fuse();
        loop {
            select_biased! {
                () = wait => break,
                command = commands.next() => match command {
                    // Another interval is no reason to try sooner.
                    Some(command @ Control::Interval(_)) => {
                        let _ = obey(command, state);
                    }
                    Some(command) => {
                        let _ = obey(command, state);
                        break;
                    }
                    None => return,
                },
            }
        }
        state.update(|state| state.phase = Phase::Connected);
    }
}

/// Notes what is wanted; whether the connection has to be made anew for it.
fn obey(command: Control, state: RwSignal<LinkState>) -> bool {
    let LinkState {
        transport,
        interval_ms,
        ..
    } = state.get_untracked();
    match command {
        Control::Use(wanted) => {
            state.update(|state| state.transport = wanted);
            wanted != transport
        }
        Control::Interval(wanted) => {
            state.update(|state| state.interval_ms = wanted);
            transport == Transport::Polling && wanted != interval_ms
        }
        Control::RetryNow => false,
    }
}

/// Runs a transport until it is lost, or silent for too long; says why.
fn connect(
    session: &Session,
    transport: Transport,
    interval_ms: u32,
) -> LocalBoxFuture<'_, String> {
    match transport {
        Transport::Polling => poll::run_polling(session, interval_ms).boxed_local(),
        Transport::LongPolling => poll::run_long_polling(session).boxed_local(),
        Transport::WebSocket => or_silence(session, ws::run(session).boxed_local()),
        Transport::Sse => or_silence(session, sse::run(session).boxed_local()),
    }
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

/// Completes when nothing was heard for two heartbeats.
async fn silence(session: &Session) {
    while now_ms() - session.heard_ms() < session.silence_ms_max() {
        TimeoutFuture::new(1_000).await;
    }
}
