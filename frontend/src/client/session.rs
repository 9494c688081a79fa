//! What outlives every connection: the chain, the counters, the clock's offset.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::mpsc;
use shared::{
    Chain, ClientCommand, ClockOffset, Found, Lookup, Pace, ServerMessage, TicksAnswer, Verdict,
    WireFormat,
    binary::{BinaryError, Instruments},
};

use super::counters::Counters;
use super::http::encoded;
use super::loss::Loss;
use crate::clock::Clock;

/// How long a new stream may stay silent, in ms.
const GREETING_MS: f64 = 5_000.0;

/// Where messages go, such as the store.
type Sink = Box<dyn Fn(&ServerMessage, Verdict)>;

/// The state that all transports share.
pub struct Session {
    clock: Rc<dyn Clock>,
    sink: Sink,
    /// What to subscribe to; empty for everything.
    symbols: RefCell<Vec<String>>,
    chain: RefCell<Chain>,
    /// The encoding to ask for, where the transport can carry it.
    format: WireFormat,
    /// The instruments that the numbers in the binary encoding stand for.
    instruments: RefCell<Instruments>,
    pace: Cell<Pace>,
    counters: Cell<Counters>,
    offset: RefCell<ClockOffset>,
    /// Where commands go, while there is a connection that carries them.
    outbox: RefCell<Option<mpsc::UnboundedSender<String>>>,
    /// When anything last arrived, by the browser's monotonic clock.
    heard_ms: Cell<f64>,
    /// Whether anything arrived over the present connection.
    spoke: Cell<bool>,
    /// Whether prices arrived over the present connection.
    fresh: Cell<bool>,
    /// Whether a connection was lost, and no prices have arrived since.
    lost: Cell<bool>,
    heartbeat_ms: Cell<u32>,
    /// The delay added to polls, in each direction, in ms.
    delay_ms: u32,
    /// Whether no more requests are to be sent.
    finished: Cell<bool>,
}

impl Session {
    /// A session for these symbols, or for all symbols if there are none. It
    /// passes its messages to `sink`.
    pub fn new(
        clock: impl Clock + 'static,
        symbols: Vec<String>,
        sink: impl Fn(&ServerMessage, Verdict) + 'static,
    ) -> Self {
        Self {
            clock: Rc::new(clock),
            sink: Box::new(sink),
            symbols: RefCell::new(symbols),
            chain: RefCell::default(),
            format: WireFormat::Binary,
            instruments: RefCell::default(),
            pace: Cell::default(),
            counters: Cell::default(),
            offset: RefCell::default(),
            outbox: RefCell::default(),
            heard_ms: Cell::new(0.0),
            spoke: Cell::new(false),
            fresh: Cell::new(false),
            lost: Cell::new(false),
            heartbeat_ms: Cell::new(5_000),
            delay_ms: 0,
            finished: Cell::new(false),
        }
    }

    /// The clock by which connections live.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Delays requests and their answers by this much, in ms. The messages of a
    /// stream are not delayed: they would only be older by as much.
    #[must_use]
    pub fn delayed(self, delay_ms: u32) -> Self {
        Self { delay_ms, ..self }
    }

    /// Asks for this encoding.
    #[must_use]
    pub fn written(self, format: WireFormat) -> Self {
        Self { format, ..self }
    }

    /// The encoding that is asked for.
    pub(crate) fn format(&self) -> WireFormat {
        self.format
    }

    /// Sets the pace at which the server is to send messages, from the next
    /// connection or poll on.
    pub(super) fn set_pace(&self, pace: Pace) {
        self.pace.set(pace);
    }

    /// The pace at which the server is to send messages.
    pub(super) fn pace(&self) -> Pace {
        self.pace.get()
    }

    /// Reads a message in the encoding that was asked for.
    pub(super) fn read(&self, message: &[u8]) -> Result<ServerMessage, Loss> {
        match self.format {
            WireFormat::Json => serde_json::from_slice(message).map_err(unreadable),
            WireFormat::Binary => {
                let read = self.instruments.borrow_mut().read(message);
                read.map_err(|error| self.unread(&error))
            }
        }
    }

    /// Reads the answer of a poll in the encoding that was asked for.
    pub(super) fn read_answer(&self, answer: &[u8]) -> Result<TicksAnswer, Loss> {
        match self.format {
            WireFormat::Json => serde_json::from_slice(answer).map_err(unreadable),
            WireFormat::Binary => {
                let read = self.instruments.borrow_mut().read_answer(answer);
                read.map_err(|error| self.unread(&error))
            }
        }
    }

    /// The error for a message that could not be read. A message about an
    /// unknown instrument would come again, so the next connection begins with
    /// a snapshot.
    fn unread(&self, error: &BinaryError) -> Loss {
        if matches!(error, BinaryError::UnknownInstrument(_)) {
            self.chain.borrow_mut().begin_anew();
        }
        unreadable(error)
    }

    /// Sends no more requests. Those that are open may still be answered.
    pub fn finish(&self) {
        self.finished.set(true);
    }

    /// Completes at once; once the session is finished, never.
    pub(super) async fn may_ask(&self) {
        if self.finished.get() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits for the delay that is added to a request or an answer.
    pub(super) async fn linger(&self) {
        if self.delay_ms > 0 {
            self.clock.sleep(self.delay_ms).await;
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

    /// How many entries lie in gaps of the chain, and how many ticks came
    /// twice.
    pub fn missed_and_repeated(&self) -> (u64, u64) {
        let chain = self.chain.borrow();
        (chain.missed(), chain.repeated())
    }

    /// The query of the next request: the symbols, the cursor to resume from,
    /// and the pace.
    pub(super) fn query(&self) -> String {
        let symbols = self.symbols.borrow();
        let mut query = match symbols.as_slice() {
            [] => "?symbols=*".to_owned(),
            symbols => format!("?symbols={}", encoded(&symbols.join(","))),
        };
        if let Some(cursor) = self.chain.borrow().cursor() {
            query += &format!("&cursor={cursor}");
        }
        query + &self.pace.get().query()
    }

    /// Whether it names the symbols that it subscribes to.
    pub(super) fn names_symbols(&self) -> bool {
        !self.symbols.borrow().is_empty()
    }

    /// Removes the symbols that the server does not have, because it would
    /// refuse the whole request. Returns whether there were any.
    pub(super) fn leave_out_all_but(&self, known: &[String]) -> bool {
        let lookup = Lookup::new(known.iter().map(String::as_str));
        let mut symbols = self.symbols.borrow_mut();
        let had = symbols.len();
        symbols.retain(|symbol| matches!(lookup.find(symbol), Found::One(_)));
        symbols.len() < had
    }

    /// The time on the server's clock, in ms since the epoch, and the round
    /// trip of the exchange that it was measured with, in ms: the time is off
    /// by half of that at most. `None` before the first exchange.
    pub fn server_now_ms(&self) -> Option<(f64, f64)> {
        let offset = self.offset.borrow();
        Some((self.clock.now_ms() + offset.ms()?, offset.round_trip_ms()?))
    }

    /// Accepts commands from here on, until the receiver is dropped.
    pub(super) fn open_outbox(&self) -> mpsc::UnboundedReceiver<String> {
        let (sender, receiver) = mpsc::unbounded();
        self.outbox.replace(Some(sender));
        receiver
    }

    /// Sends a command over the connection; returns whether there is one that
    /// carries commands.
    pub(super) fn command(&self, command: &ClientCommand) -> bool {
        let outbox = self.outbox.borrow();
        let json = serde_json::to_string(command).ok();
        let sent = outbox
            .as_ref()
            .zip(json)
            .map(|(outbox, json)| outbox.unbounded_send(json));
        matches!(sent, Some(Ok(())))
    }

    /// Sends the pace over the connection; returns whether there is one that
    /// carries commands.
    pub(super) fn tell_pace(&self) -> bool {
        let Pace { every_ms, latest } = self.pace.get();
        self.command(&ClientCommand::Pace {
            req: None,
            every_ms: Some(every_ms),
            latest: Some(latest),
        })
    }

    /// A stream is dead when it was silent for longer than this, in ms: two
    /// heartbeats, or the time for the greeting, which comes at once.
    pub(super) fn silence_ms_max(&self) -> f64 {
        if self.has_spoken() {
            2.0 * f64::from(self.heartbeat_ms.get())
        } else {
            GREETING_MS
        }
    }

    /// Whether anything arrived over the present connection.
    pub(super) fn has_spoken(&self) -> bool {
        self.spoke.get()
    }

    /// Records that something arrived.
    fn hear(&self, timing: Timing) {
        self.heard_ms.set(timing.received_ms);
        self.spoke.set(true);
    }

    /// When anything last arrived, by the browser's monotonic clock.
    pub(super) fn heard_ms(&self) -> f64 {
        self.heard_ms.get()
    }

    /// A connection begins.
    pub(super) fn begin(&self) {
        self.heard_ms.set(self.clock.now_ms());
        self.spoke.set(false);
        self.fresh.set(false);
    }

    /// The connection was lost.
    pub(super) fn lose(&self) {
        self.lost.set(true);
    }

    /// Records that prices arrived over the present connection.
    fn refresh(&self) {
        self.fresh.set(true);
        if self.lost.replace(false) {
            self.count(|counters| counters.reconnects += 1);
        }
    }

    /// Whether prices arrived since [`Self::begin`].
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh.get()
    }

    /// Processes a message: moves the chain, measures the clock, feeds the
    /// store.
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
            ServerMessage::Pong {
                client_time,
                server_time,
                ..
            } => {
                let sent_ms = client_time.millis();
                self.observe_clock(Timing { sent_ms, ..timing }, *server_time);
            }
            ServerMessage::Snapshot { .. } | ServerMessage::Ticks { .. } => self.refresh(),
            _ => {}
        }
        self.instruments.borrow_mut().follow(message);
        let verdict = self.chain.borrow_mut().follow(message);
        self.count(|counters| counters.messages += 1);
        if let ServerMessage::Ticks { ticks, skipped, .. } = message {
            let fresh = verdict.fresh(ticks).count();
            self.count(|counters| {
                counters.ticks += fresh as u64;
                counters.skipped += skipped;
            });
        }
        (self.sink)(message, verdict);
    }

    /// Processes the answer of a poll.
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

    /// Adds an exchange to the measurement of the server's clock.
    pub(super) fn observe_clock(&self, timing: Timing, server_time: shared::Time) {
        let server_ms = server_time.millis();
        let mut offset = self.offset.borrow_mut();
        offset.observe(timing.sent_ms, timing.received_ms, server_ms);
    }

    /// The timing of something that began at `sent_ms` and arrives now.
    pub(super) fn since(&self, sent_ms: f64) -> Timing {
        Timing {
            sent_ms,
            received_ms: self.clock.now_ms(),
        }
    }
}

fn unreadable(error: impl ToString) -> Loss {
    Loss::Unreadable(error.to_string())
}

/// When a request or connection began, and when its message arrived, by the
/// monotonic clock, in ms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) sent_ms: f64,
    pub(super) received_ms: f64,
}

#[cfg(test)]
pub(super) mod tests;
