//! Processor time, attributed to the transport that used it.
//!
//! Reading a thread's processor time takes half a microsecond, and sending a
//! message takes a few microseconds. So only a random sample of many polls is
//! measured, and counts for the others.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use shared::Channel;

use super::Metrics;

/// Work that is not attributed to a transport: a page, a catalogue.
const NONE: usize = usize::MAX;

/// Measures a connection. Its channel can change from request to request; time
/// counts for the latest channel. Clones are of the same connection.
#[derive(Clone, Debug)]
pub struct Meter {
    metrics: Arc<Metrics>,
    /// An index in [`Channel::ALL`], or [`NONE`].
    carries: Arc<AtomicUsize>,
}

impl Meter {
    /// A meter for a connection without a channel yet.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            carries: Arc::new(NONE.into()),
        }
    }

    /// Attributes the connection's time to this channel from now on.
    pub fn carries(&self, channel: Channel) {
        // Read by the thread that polls the connection, which is the current
        // one.
        self.carries.store(channel.index(), Ordering::Relaxed);
    }

    /// A request begins, whose channel is not known yet.
    pub fn carries_nothing(&self) {
        self.carries.store(NONE, Ordering::Relaxed);
    }

    /// The same future, measured: parsing, handling, encoding and system calls.
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

/// Measures this thread's processor time between two points, with no await in
/// between.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    begun: Duration,
    /// How many similar operations this one stands for.
    weight: u32,
}

impl Stopwatch {
    /// Starts to measure an operation for a channel; `None` if this operation
    /// is not sampled.
    pub fn start(channel: Channel) -> Option<Self> {
        let weight = SAMPLING.with_borrow_mut(|sampling| sampling.weight(channel.index()))?;
        let begun = thread_time();
        Some(Self { begun, weight })
    }

    /// The time since then, multiplied by the number of operations that it
    /// stands for.
    pub fn elapsed(self) -> Duration {
        let spent = thread_time().saturating_sub(self.begun);
        spent.saturating_mul(self.weight)
    }
}

struct Measured<F> {
    future: Pin<Box<F>>,
    meter: Meter,
}

impl<F: Future> Future for Measured<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let carries = self.meter.carries.load(Ordering::Relaxed);
        let weight = SAMPLING.with_borrow_mut(|sampling| sampling.weight(carries));
        let Some(weight) = weight else {
            return self.future.as_mut().poll(context);
        };
        let begun = thread_time();
        let result = self.future.as_mut().poll(context);
        let spent = thread_time().saturating_sub(begun);
        self.meter.spent(spent.saturating_mul(weight));
        result
    }
}

/// About how many polls of each channel are measured per second, by each
/// thread.
const SAMPLES_A_SECOND: u32 = 2_000;
/// The period over which the rate of polls is counted.
const PERIOD: Duration = Duration::from_millis(100);
/// At least one of this many polls is measured.
const WEIGHT_MAX: u32 = 64;

thread_local! {
    static SAMPLING: RefCell<Sampling> = RefCell::new(Sampling::new());
}

/// Decides which polls a thread measures.
#[derive(Debug)]
struct Sampling {
    /// By channel; the last one is for polls without a channel.
    rates: [Rate; Channel::ALL.len() + 1],
    /// The state of a random number generator, which need not be good: a fixed
    /// step could measure the same connections every time.
    chance: u32,
}

/// The rate at which connections of a channel are polled.
#[derive(Clone, Copy, Debug)]
struct Rate {
    begun: Instant,
    polls: u32,
    /// One of this many polls is measured.
    weight: u32,
}

impl Sampling {
    fn new() -> Self {
        let rate = Rate {
            begun: Instant::now(),
            polls: 0,
            weight: 1,
        };
        Self {
            rates: [rate; Channel::ALL.len() + 1],
            chance: 0x9e37_79b9,
        }
    }

    /// How many polls the next one stands for if it is measured; `None` if it
    /// is not.
    fn weight(&mut self, carries: usize) -> Option<u32> {
        let last = self.rates.len() - 1;
        let rate = &mut self.rates[carries.min(last)];
        rate.polls += 1;
        // Reading the time has a cost, too.
        if rate.polls.is_multiple_of(32) {
            let passed = rate.begun.elapsed();
            if passed >= PERIOD {
                let a_second = f64::from(rate.polls) / passed.as_secs_f64();
                let weight = a_second / f64::from(SAMPLES_A_SECOND);
                rate.weight = (weight as u32).clamp(1, WEIGHT_MAX);
                (rate.begun, rate.polls) = (Instant::now(), 0);
            }
        }
        if rate.weight == 1 {
            return Some(1);
        }
        // George Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8, 2003.
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 17;
        self.chance ^= self.chance << 5;
        let is_chosen = self.chance.is_multiple_of(rate.weight);
        is_chosen.then_some(rate.weight)
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

/// On other systems, the elapsed time, which is never less.
#[cfg(not(unix))]
fn thread_time() -> Duration {
    use std::sync::LazyLock;
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGUN.elapsed()
}

/// Not known on other systems.
#[cfg(not(unix))]
pub(super) fn process_time() -> Duration {
    Duration::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_polls_are_all_measured_and_many_are_counted_as_many() {
        let mut sampling = Sampling::new();
        let weights: Vec<_> = (0..500).map(|_| sampling.weight(0)).collect();
        assert!(weights.iter().all(|weight| *weight == Some(1)));
        // As if the rate had been high in the period before.
        sampling.rates[0].weight = 16;
        sampling.rates[0].begun = Instant::now() + Duration::from_secs(3600);
        let count = 1_600_000;
        let measured = (0..count).filter_map(|_| sampling.weight(0));
        let (number, sum) = measured.fold((0, 0), |(n, sum), weight| (n + 1, sum + weight));
        assert!((90_000..110_000).contains(&number), "{number} measured");
        let off = f64::from(sum) / f64::from(count) - 1.0;
        assert!(off.abs() < 0.03, "they count for {sum} of {count}");
    }
}
