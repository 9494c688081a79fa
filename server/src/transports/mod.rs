//! The four ways to read the log. Every one is a
//! [`Reader`](crate::market::Reader) with a different way to carry frames.

pub(crate) mod poll;
pub(crate) mod sse;
pub(crate) mod ws;

use std::time::Duration;

use shared::ServerMessage;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::clock;
use crate::encoding::Encoding;
use crate::market::{Frame, Market};

/// How often a stream shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// When a stream shows that it is alive. One that was held up does not make up
/// for it with a burst.
fn heartbeats() -> Interval {
    let mut heartbeats = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    heartbeats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeats
}

/// The first message of every stream.
fn hello(market: &Market, encoding: &dyn Encoding) -> Option<Frame> {
    let heartbeat_ms = HEARTBEAT.as_millis() as u32;
    let message = ServerMessage::hello(market.epoch(), clock::now(), heartbeat_ms);
    Frame::new(encoding, &message)
}
