//! The four ways to read the log. Every one is a
//! [`Reader`](crate::market::Reader) with a different way to carry frames.

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

/// How often a stream shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// When a stream shows that it is alive: after [`HEARTBEAT`] without a message,
/// at the latest.
#[derive(Debug)]
struct Heartbeat {
    /// Twice as often: between two of its beats nothing has to be noted but that
    /// something was sent.
    beats: Interval,
    /// Beats without a message before them.
    silent: u32,
}

impl Heartbeat {
    fn new() -> Self {
        let half = HEARTBEAT / 2;
        let mut beats = interval_at(Instant::now() + half, half);
        // One that was held up does not make up for it with a burst.
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { beats, silent: 0 }
    }

    /// A message is sent.
    fn sent(&mut self) {
        self.silent = 0;
    }

    /// Completes when it is time to show a sign of life.
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
