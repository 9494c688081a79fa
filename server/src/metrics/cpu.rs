//! Processor time, put down to the transport that it was spent for.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use shared::Channel;

use super::Metrics;

/// Nothing that is put down to a transport: a page, a catalogue.
const NONE: usize = usize::MAX;

/// Measures a connection. What it carries can change from request to request;
/// time counts for what it carried last. Clones are of the same connection.
#[derive(Clone, Debug)]
pub struct Meter {
    metrics: Arc<Metrics>,
    /// A place in [`Channel::ALL`], or [`NONE`].
    carries: Arc<AtomicUsize>,
}

impl Meter {
    /// Of a connection that carries nothing yet.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            carries: Arc::new(NONE.into()),
        }
    }

    /// The connection carries this from now on.
    pub fn carries(&self, channel: Channel) {
        // Read by the thread that polls the connection, which is this one.
        self.carries.store(channel.index(), Ordering::Relaxed);
    }

    /// A request begins, and it is not known yet for what.
    pub fn carries_nothing(&self) {
        self.carries.store(NONE, Ordering::Relaxed);
    }

    /// The same future, measured: parsing, handling, encoding and the system's
    /// calls.
    pub fn measure<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        Measured {
            future: Box::pin(future),
            meter: self,
        }
    }

    fn spent(&self, time: Duration) {
        let carries = self.carries.load(Ordering::Relaxed);
        if let Some(channel) = Channel::ALL.get(carries) {
            self.metrics.of(*channel).spent(time);
        }
    }
}

struct Measured<F> {
    future: Pin<Box<F>>,
    meter: Meter,
}

impl<F: Future> Future for Measured<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let begun = thread_time();
        let result = self.future.as_mut().poll(context);
        self.meter.spent(thread_time().saturating_sub(begun));
        result
    }
}

/// The processor time of this thread so far.
#[cfg(unix)]
fn thread_time() -> Duration {
    time_of(rustix::time::ClockId::ThreadCPUTime)
}

/// The processor time of the whole process so far.
#[cfg(unix)]
pub(super) fn process_time() -> Duration {
    time_of(rustix::time::ClockId::ProcessCPUTime)
}

#[cfg(unix)]
fn time_of(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(time.tv_sec.unsigned_abs(), nanos)
}

/// Elsewhere the time that passed, which is never less.
#[cfg(not(unix))]
fn thread_time() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGUN.elapsed()
}

/// Elsewhere it is not known.
#[cfg(not(unix))]
pub(super) fn process_time() -> Duration {
    Duration::ZERO
}
