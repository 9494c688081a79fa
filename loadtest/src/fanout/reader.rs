//! One of thousands of clients, and the combined measurements of all of them.

use std::cell::RefCell;
use std::rc::Rc;

use hdrhistogram::Histogram;
use shared::binary::{self, Instruments};
use shared::{Chain, Cursor, ServerMessage, Time, WireFormat};
use tokio_util::sync::CancellationToken;

use super::socket::Socket;
use crate::look::Clock;

/// The longest age that is recorded: ten minutes, in µs. Longer ages count as
/// this one.
const AGE_MAX_US: u64 = 600_000_000;

/// The kind of messages that the server sends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wire {
    /// Tickwire's messages, in this encoding.
    Tickwire(WireFormat),
    /// Another server's messages, which are only counted.
    Other,
}

/// What all clients share. They all run on one thread.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) host: String,
    /// The clients take these paths in turn.
    pub(super) paths: Vec<String>,
    pub(super) wire: Wire,
    pub(super) clock: Option<Clock>,
    pub(super) buffer: RefCell<Vec<u8>>,
    pub(super) seen: RefCell<Seen>,
    pub(super) stop: CancellationToken,
}

/// Counts since the measurement began.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

/// The combined measurements of all clients.
#[derive(Debug)]
pub(super) struct Seen {
    opened: u32,
    lost: u32,
    fault: Option<String>,
    counts: Counts,
    age_us: Histogram<u64>,
    missed: u64,
    repeated: u64,
}

impl Seen {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            opened: 0,
            lost: 0,
            fault: None,
            counts: Counts::default(),
            age_us: Histogram::new_with_bounds(1, AGE_MAX_US, 3)?,
            missed: 0,
            repeated: 0,
        })
    }

    /// Starts counting: resets the counts and the ages.
    pub(super) fn begin(&mut self) {
        self.counts = Counts::default();
        self.age_us.reset();
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) fn opened(&self) -> u32 {
        self.opened
    }

    /// How many were lost.
    pub(super) fn lost(&self) -> u32 {
        self.lost
    }

    /// Why the first lost client was lost.
    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    pub(super) fn missed(&self) -> u64 {
        self.missed
    }

    pub(super) fn repeated(&self) -> u64 {
        self.repeated
    }

    pub(super) fn age_ms(&self, quantile: f64) -> Option<f64> {
        let us = self.age_us.value_at_quantile(quantile) as f64;
        (!self.age_us.is_empty()).then_some(us / 1e3)
    }
}

/// Opens a client and reads until the plan's `stop` is cancelled.
pub(super) async fn read(plan: Rc<Plan>, index: usize, is_stalled: bool, is_sampled: bool) {
    let stop = plan.stop.clone();
    let reading = follow(&plan, index, is_stalled, is_sampled);
    if let Some(Err(fault)) = stop.run_until_cancelled(reading).await {
        let mut seen = plan.seen.borrow_mut();
        seen.lost += 1;
        seen.fault.get_or_insert_with(|| fault.to_string());
    }
}

async fn follow(
    plan: &Plan,
    index: usize,
    is_stalled: bool,
    is_sampled: bool,
) -> anyhow::Result<()> {
    let path = &plan.paths[index % plan.paths.len()];
    let protocol = match plan.wire {
        Wire::Tickwire(format) => Some(format.subprotocol()),
        Wire::Other => None,
    };
    let mut socket = Socket::open(&plan.host, path, protocol).await?;
    plan.seen.borrow_mut().opened += 1;
    if is_stalled {
        std::future::pending::<()>().await;
    }
    let mut client = Client {
        chain: Chain::default(),
        instruments: is_sampled.then(Instruments::default),
    };
    let mut bytes = 0;
    loop {
        let read = socket.read(&plan.buffer, |message| {
            let mut seen = plan.seen.borrow_mut();
            seen.counts.messages += 1;
            match plan.wire {
                Wire::Tickwire(format) => client.take(message, format, plan.clock, &mut seen),
                Wire::Other => Ok(()),
            }
        });
        read.await?;
        plan.seen.borrow_mut().counts.bytes += socket.bytes - bytes;
        bytes = socket.bytes;
    }
}

struct Client {
    chain: Chain,
    /// Only of a client that decodes every tick.
    instruments: Option<Instruments>,
}

impl Client {
    fn take(
        &mut self,
        message: &[u8],
        format: WireFormat,
        clock: Option<Clock>,
        seen: &mut Seen,
    ) -> anyhow::Result<()> {
        let is_first = self.chain.cursor().is_none();
        let before = (self.chain.missed(), self.chain.repeated());
        match &mut self.instruments {
            Some(instruments) => {
                let message = match format {
                    WireFormat::Json => serde_json::from_slice(message)?,
                    WireFormat::Binary => instruments.read(message)?,
                };
                let _verdict = self.chain.follow(&message);
                if let (ServerMessage::Ticks { ticks, .. }, Some(clock)) = (&message, clock) {
                    let now = clock.now();
                    for tick in ticks {
                        let age_us = (now - tick.at()).micros().max(1).unsigned_abs();
                        seen.age_us.saturating_record(age_us);
                    }
                }
            }
            None => {
                let moved = match format {
                    WireFormat::Json => span_of_json(message),
                    WireFormat::Binary => binary::span_of_ticks(message),
                };
                match moved {
                    Some((from, cursor)) => {
                        let server_time = Time::EPOCH;
                        let _verdict = self.chain.follow(&ServerMessage::Heartbeat {
                            from,
                            cursor,
                            server_time,
                        });
                    }
                    None => {
                        let json = message.strip_prefix(&[binary::KIND_JSON]);
                        let message = serde_json::from_slice(json.unwrap_or(message))?;
                        let _verdict = self.chain.follow(&message);
                    }
                }
            }
        }
        // A client that subscribes to nothing learns its position from the
        // first heartbeat. What lies before that was not missed.
        if !is_first {
            seen.missed += self.chain.missed() - before.0;
        }
        seen.repeated += self.chain.repeated() - before.1;
        Ok(())
    }
}

/// The `from` and `cursor` of a JSON `ticks` message, read without decoding the
/// ticks.
fn span_of_json(message: &[u8]) -> Option<(Cursor, Cursor)> {
    let rest = message.strip_prefix(br#"{"event":"ticks","from":""#)?;
    let head = std::str::from_utf8(rest.get(..80.min(rest.len()))?).ok()?;
    let (from, rest) = head.split_once('"')?;
    let (cursor, _) = rest.strip_prefix(r#","cursor":""#)?.split_once('"')?;
    Some((from.parse().ok()?, cursor.parse().ok()?))
}
