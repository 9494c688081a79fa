//! A client among thousands, and what all of them saw.

use std::cell::RefCell;
use std::rc::Rc;

use hdrhistogram::Histogram;
use shared::binary::{self, Instruments};
use shared::{Chain, Cursor, ServerMessage, Time, WireFormat};
use tokio_util::sync::CancellationToken;

use super::socket::Socket;
use crate::look::Clock;

/// The longest age that is told apart from longer ones: ten minutes, in µs.
const AGE_MAX_US: u64 = 600_000_000;

/// What the messages are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wire {
    /// Those of Tickwire.
    Tickwire(WireFormat),
    /// Another server's, which are only counted.
    Other,
}

/// What all clients share. All of them are in one thread.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) host: String,
    /// The clients take these in turn.
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

/// What all clients saw.
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

    /// From here on it counts.
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

    /// Why the first of them was.
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

/// Opens a client and reads until all of them stop.
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
    /// Of one that reads every tick.
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
        // Who subscribes to nothing is told where the log is by a sign of life.
        if !is_first {
            seen.missed += self.chain.missed() - before.0;
        }
        seen.repeated += self.chain.repeated() - before.1;
        Ok(())
    }
}

/// The positions of a `ticks` message, without what is between.
fn span_of_json(message: &[u8]) -> Option<(Cursor, Cursor)> {
    let rest = message.strip_prefix(br#"{"event":"ticks","from":""#)?;
    let head = std::str::from_utf8(rest.get(..80.min(rest.len()))?).ok()?;
    let (from, rest) = head.split_once('"')?;
    let (cursor, _) = rest.strip_prefix(r#","cursor":""#)?.split_once('"')?;
    Some((from.parse().ok()?, cursor.parse().ok()?))
}
