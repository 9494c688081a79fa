//! The four transports. Each is a [`Reader`](crate::market::Reader) with its
//! own way to carry frames.

mod branches;
pub(crate) mod poll;
pub(crate) mod sse;
pub(crate) mod ws;

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use shared::ServerMessage;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::clock;
use crate::encoding::Encoding;
use crate::market::{Frame, Market};

/// The heartbeat interval of a stream.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// When a stream sends a heartbeat: at the latest, after [`HEARTBEAT`] without
/// a message.
#[derive(Debug)]
struct Heartbeat {
    /// Twice the heartbeat rate, so that it is enough to record between two
    /// beats that something was sent.
    beats: Interval,
    /// Beats since the last message.
    silent: u32,
}

impl Heartbeat {
    fn new() -> Self {
        let half = HEARTBEAT / 2;
        let mut beats = interval_at(Instant::now() + half, half);
        // After a delay, missed beats are not made up in a burst.
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { beats, silent: 0 }
    }

    /// Records that a message is sent.
    fn sent(&mut self) {
        self.silent = 0;
    }

    /// Completes when a heartbeat is due.
    async fn due(&mut self) {
        poll_fn(|context| self.poll_due(context)).await;
    }

    /// As [`Self::due`].
    fn poll_due(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.silent < 2 {
            ready!(self.beats.poll_tick(context));
            self.silent += 1;
        }
        self.silent = 0;
        Poll::Ready(())
    }
}

/// The first message of every stream.
fn hello(market: &Market, encoding: &dyn Encoding) -> Option<Frame> {
    let heartbeat_ms = HEARTBEAT.as_millis() as u32;
    let message = ServerMessage::hello(market.epoch(), clock::now(), heartbeat_ms);
    Frame::new(encoding, &message)
}
