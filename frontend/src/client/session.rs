//! What outlives every connection: the chain, the counters, the clock.

use std::cell::{Cell, RefCell};

use gloo_timers::future::TimeoutFuture;
use shared::{Chain, ServerMessage, TicksAnswer, Verdict};

use super::ClockOffset;

/// How long a new stream may say nothing, in ms.
const GREETING_MS: f64 = 5_000.0;

/// Totals since the page was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Ticks applied.
    pub ticks: u64,
    /// Messages that arrived.
    pub messages: u64,
    /// Bytes of payload received.
    pub bytes: u64,
    /// Bytes around the payload in frames, events and chunks, as far as they
    /// can be counted.
    pub framing: u64,
    /// Requests sent; a stream or a WebSocket is one.
    pub requests: u64,
    /// Polls answered.
    pub answers: u64,
    /// Polls answered with nothing new.
    pub empty: u64,
    /// Connections made again after one was lost.
    pub reconnects: u64,
}

/// Where messages go: the store.
type Sink = Box<dyn Fn(&ServerMessage, Verdict)>;

/// What all transports read into.
pub struct Session {
    sink: Sink,
    /// What to subscribe to, as an address names it.
    symbols: String,
    chain: RefCell<Chain>,
    counters: Cell<Counters>,
    offset: Cell<ClockOffset>,
    /// When something last arrived, by the browser's monotonic clock.
    heard_ms: Cell<f64>,
    /// Whether anything came over the present connection.
    spoke: Cell<bool>,
    /// Whether prices came over the present connection.
    fresh: Cell<bool>,
    /// Whether a connection was lost, and no prices have come since.
    lost: Cell<bool>,
    heartbeat_ms: Cell<u32>,
    /// By how much polls are made slower, each way, in ms.
    delay_ms: u32,
    /// Whether no more requests are to be sent.
    finished: Cell<bool>,
}

impl Session {
    /// A session for these symbols, `*` for all, with commas between, that
    /// gives its messages to `sink`.
    pub fn new(symbols: &str, sink: impl Fn(&ServerMessage, Verdict) + 'static) -> Self {
        Self {
            sink: Box::new(sink),
            symbols: js_sys::encode_uri_component(symbols).into(),
            chain: RefCell::default(),
            counters: Cell::default(),
            offset: Cell::default(),
            heard_ms: Cell::new(0.0),
            spoke: Cell::new(false),
            fresh: Cell::new(false),
            lost: Cell::new(false),
            heartbeat_ms: Cell::new(5_000),
            delay_ms: 0,
            finished: Cell::new(false),
        }
    }

    /// Makes requests and their answers take so much longer, in ms. What a
    /// stream brings is not held up: it would only be older by as much.
    #[must_use]
    pub fn delayed(self, delay_ms: u32) -> Self {
        Self { delay_ms, ..self }
    }

    /// No more requests are sent; those that are open may be answered.
    pub fn finish(&self) {
        self.finished.set(true);
    }

    /// Completes at once, or never once the session is finished.
    pub(super) async fn may_ask(&self) {
        if self.finished.get() {
            std::future::pending::<()>().await;
        }
    }

    /// The time that a request or an answer takes longer.
    pub(super) async fn linger(&self) {
        if self.delay_ms > 0 {
            TimeoutFuture::new(self.delay_ms).await;
        }
    }

    /// Totals so far.
    pub fn counters(&self) -> Counters {
        self.counters.get()
    }

    /// Changes the totals.
    pub(super) fn count(&self, change: impl FnOnce(&mut Counters)) {
        let mut counters = self.counters.get();
        change(&mut counters);
        self.counters.set(counters);
    }

    /// Entries that lie in gaps of the chain, and ticks that came twice.
    pub fn missed_and_repeated(&self) -> (u64, u64) {
        let chain = self.chain.borrow();
        (chain.missed(), chain.repeated())
    }

    /// What to ask for: the symbols, and where to resume.
    pub(super) fn query(&self) -> String {
        super::http::query(&self.symbols, self.chain.borrow().cursor())
    }

    /// What to add to the browser's clock to get the server's, in ms.
    pub fn clock_offset_ms(&self) -> f64 {
        self.offset.get().ms()
    }

    /// The stream is dead when it was silent for longer, in ms: two heartbeats;
    /// a greeting comes at once.
    pub(super) fn silence_ms_max(&self) -> f64 {
        if self.has_spoken() {
            2.0 * f64::from(self.heartbeat_ms.get())
        } else {
            GREETING_MS
        }
    }

    /// Whether anything came over the present connection.
    pub(super) fn has_spoken(&self) -> bool {
        self.spoke.get()
    }

    /// Something came.
    fn hear(&self, timing: Timing) {
        self.heard_ms.set(timing.received_ms);
        self.spoke.set(true);
    }

    /// When something last arrived, by the browser's monotonic clock.
    pub(super) fn heard_ms(&self) -> f64 {
        self.heard_ms.get()
    }

    /// A connection begins at `now_ms` of the monotonic clock.
    pub(super) fn begin(&self, now_ms: f64) {
        self.heard_ms.set(now_ms);
        self.spoke.set(false);
        self.fresh.set(false);
        let mut offset = self.offset.get();
        offset.begin_anew();
        self.offset.set(offset);
    }

    /// The connection was lost.
    pub(super) fn lose(&self) {
        self.lost.set(true);
    }

    /// Prices have come over the present connection.
    fn refresh(&self) {
        self.fresh.set(true);
        if self.lost.replace(false) {
            self.count(|counters| counters.reconnects += 1);
        }
    }

    /// Whether prices came since [`Self::begin`].
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh.get()
    }

    /// Takes in one message: moves the chain, keeps the clock, feeds the store.
    pub(super) fn receive(&self, message: &ServerMessage, timing: Timing) {
        self.hear(timing);
        match message {
            ServerMessage::Hello {
                server_time,
                heartbeat_ms,
                ..
            } => {
                self.heartbeat_ms.set((*heartbeat_ms).max(100));
                self.observe_clock(timing, *server_time);
            }
            ServerMessage::Snapshot { .. } | ServerMessage::Ticks { .. } => self.refresh(),
            _ => {}
        }
        let verdict = self.chain.borrow_mut().follow(message);
        self.count(|counters| counters.messages += 1);
        if let ServerMessage::Ticks { ticks, .. } = message {
            let new = match verdict {
                Verdict::Apply => ticks.len(),
                Verdict::ApplyAfter(seen) => ticks.iter().filter(|t| t.seq > seen).count(),
            };
            self.count(|counters| counters.ticks += new as u64);
        }
        (self.sink)(message, verdict);
    }

    /// Takes in the answer of a poll.
    pub(super) fn receive_answer(&self, answer: &TicksAnswer, timing: Timing) {
        self.hear(timing);
        self.refresh();
        self.count(|counters| {
            counters.answers += 1;
            counters.empty += u64::from(answer.events.is_empty());
        });
        for message in &answer.events {
            self.receive(message, timing);
        }
        self.chain.borrow_mut().finish(answer);
    }

    fn observe_clock(&self, timing: Timing, server_time: shared::Micros) {
        let mut offset = self.offset.get();
        let wall_ms = js_sys::Date::now();
        let sent_ms = wall_ms - (timing.received_ms - timing.sent_ms);
        offset.observe(sent_ms, wall_ms, server_time as f64 / 1e3);
        self.offset.set(offset);
    }
}

/// When a request or connection was begun and its message arrived, by the
/// browser's monotonic clock, in ms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) sent_ms: f64,
    pub(super) received_ms: f64,
}

impl Timing {
    /// Of something that was begun at `sent_ms` and arrives now.
    pub(super) fn since(sent_ms: f64) -> Self {
        Self {
            sent_ms,
            received_ms: now_ms(),
        }
    }
}

/// The browser's monotonic clock, in ms; 0 where there is none.
pub fn now_ms() -> f64 {
    let performance = web_sys::window().and_then(|window| window.performance());
    performance.map_or(0.0, |performance| performance.now())
}
