//! Runs the channels side by side and measures them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;

use shared::{Channel, StatsAnswer, Transport};

use super::clock;
use super::heads::Heads;
use super::meter::Meter;
use super::plan::Plan;
use super::report::{Line, Report};
use crate::client::{Choice, Link, Session, api, path};
use crate::clock::{BrowserClock, now_ms};
use crate::faults::CallError;

/// How often the progress is updated.
const REFRESH_MS: u32 = 500;
/// The page is kept busy for a share of each such period, in ms.
const BUSY_PERIOD_MS: f64 = 25.0;
/// How long the last answers may take.
const LAST_ANSWERS_MS: f64 = 2_000.0;
/// The size of the browser's list of resources: each answer of a poll is an
/// entry.
const RESOURCES_MAX: u32 = 100_000;

/// One channel in the race.
struct Runner {
    channel: Channel,
    session: Rc<Session>,
    meter: Rc<RefCell<Meter>>,
    /// Ends when dropped.
    #[expect(dead_code, reason = "keeps the connection")]
    link: Link,
    /// The length of the paths that it requests.
    path: usize,
}

/// The progress of the race.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Progress {
    /// The part that is done, from 0 to 1.
    pub(crate) share: f64,
    /// The results so far.
    pub(crate) report: Report,
}

/// Runs a plan, and reports its progress; ends early once `stopped` is set.
///
/// # Errors
///
/// There are no results, for this reason. An unknown symbol ends the run with
/// the server's own.
pub(crate) async fn run(
    plan: Plan,
    tell: impl Fn(Progress) + 'static,
    stopped: Rc<Cell<bool>>,
) -> Result<Report, CallError> {
    api::snapshot(&plan.symbols).await?;
    let offset = clock::measure().await.ok_or(CallError::Late)?;
    let heads = Heads::measure().await.ok_or(CallError::Late)?;
    let before = api::stats().await?;
    let performance = window().performance().ok_or(CallError::Unsupported)?;
    performance.clear_resource_timings();
    performance.set_resource_timing_buffer_size(RESOURCES_MAX);
    let race = Race::start(plan, offset, heads).ok_or(CallError::Unsupported)?;
    while race.share() < 1.0 && !stopped.get() {
        TimeoutFuture::new((race.left_ms() as u32).min(REFRESH_MS)).await;
        tell(Progress {
            share: race.share(),
            report: race.report(None, 0.0),
        });
    }
    race.finish().await;
    // If the server cannot be reached by now, only its processor time is
    // missing.
    let after = api::stats().await.ok();
    let end = clock::measure().await;
    let drift_ms = end.map_or(0.0, |end| (end.ms - offset.ms).abs());
    let spent = after.as_ref().map(|after| (&before, after));
    Ok(race.report(spent, drift_ms))
}

/// A run.
struct Race {
    plan: Plan,
    offset: clock::Offset,
    heads: Heads,
    /// When it began, in words and by the monotonic clock.
    begun: String,
    begun_ms: f64,
    runners: Vec<Runner>,
    #[expect(dead_code, reason = "keeps the page busy")]
    busy: Option<Busy>,
}

impl Race {
    /// `None` if there is no room for histograms.
    fn start(plan: Plan, offset: clock::Offset, heads: Heads) -> Option<Self> {
        let busy = busy(plan.busy_percent);
        let begun_ms = now_ms();
        let channels = plan.channels().into_iter();
        let runners = channels.map(|channel| Runner::start(channel, &plan, offset));
        Some(Self {
            begun: String::from(js_sys::Date::new_0().to_iso_string()),
            begun_ms,
            runners: runners.collect::<Option<_>>()?,
            plan,
            offset,
            heads,
            busy,
        })
    }

    fn left_ms(&self) -> f64 {
        let whole_ms = f64::from(self.plan.seconds) * 1e3;
        (whole_ms - (now_ms() - self.begun_ms)).max(0.0)
    }

    /// The part that is done, from 0 to 1.
    fn share(&self) -> f64 {
        1.0 - self.left_ms() / (f64::from(self.plan.seconds) * 1e3)
    }

    /// Waits until requests that were sent already are answered, and counted.
    async fn finish(&self) {
        self.runners
            .iter()
            .for_each(|runner| runner.session.finish());
        let end_ms = now_ms() + LAST_ANSWERS_MS + 2.0 * f64::from(self.plan.delay_ms);
        while now_ms() < end_ms && self.runners.iter().any(Runner::waits) {
            TimeoutFuture::new(10).await;
        }
    }

    /// The results so far. `spent` are the server's counters before and after
    /// the run.
    fn report(&self, spent: Option<(&StatsAnswer, &StatsAnswer)>, drift_ms: f64) -> Report {
        let lines = self.runners.iter();
        Report {
            begun: self.begun.clone(),
            plan: self.plan.clone(),
            seconds: (now_ms() - self.begun_ms) / 1e3,
            age_error_ms: self.offset.round_trip_ms / 2.0 + drift_ms,
            lines: lines
                .map(|runner| runner.line(&self.heads, spent))
                .collect(),
        }
    }
}

/// Keeps the page busy with useless work for a share of its time.
fn busy(percent: u32) -> Option<Busy> {
    let work_ms = BUSY_PERIOD_MS * f64::from(percent) / 100.0;
    let work = move || {
        let end = now_ms() + work_ms;
        while now_ms() < end {
            std::hint::spin_loop();
        }
    };
    let period = std::time::Duration::from_millis(BUSY_PERIOD_MS as u64);
    (percent > 0)
        .then(|| set_interval_with_handle(work, period).ok())
        .flatten()
        .map(Busy)
}

/// The work, which ends when this is dropped.
struct Busy(IntervalHandle);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.clear();
    }
}

impl Runner {
    /// `None` if there is no room for a histogram.
    fn start(channel: Channel, plan: &Plan, offset: clock::Offset) -> Option<Self> {
        let transport = channel.transport;
        let meter = Rc::new(RefCell::new(Meter::new()?));
        // A poll is delayed as a whole. The messages of a stream are counted as
        // older by the same delay.
        let delay_ms = if transport.is_stream() {
            f64::from(plan.delay_ms)
        } else {
            0.0
        };
        let seen = Rc::clone(&meter);
        let symbols = plan.symbols.split(',').map(str::trim);
        let symbols = symbols.filter(|symbol| !symbol.is_empty() && *symbol != "*");
        let symbols = symbols.map(str::to_owned).collect();
        let session = Session::new(BrowserClock, symbols, move |message, verdict| {
            let now_us = (now_ms() + offset.ms + delay_ms) * 1e3;
            seen.borrow_mut().observe(message, verdict, now_us);
        });
        let session = session.delayed(plan.delay_ms).written(channel.format);
        let session = Rc::new(session);
        let path = path(&session, transport).len();
        let link = Link::start(
            Rc::clone(&session),
            Choice::Only(transport),
            plan.interval_ms,
        );
        Some(Self {
            channel,
            session,
            meter,
            link,
            path,
        })
    }

    /// Whether a poll is still waiting for its answer.
    fn waits(&self) -> bool {
        let counters = self.session.counters();
        !self.channel.transport.is_stream() && counters.answers < counters.requests
    }

    fn line(&self, heads: &Heads, spent: Option<(&StatsAnswer, &StatsAnswer)>) -> Line {
        let counters = self.session.counters();
        let (missed, repeated) = self.session.missed_and_repeated();
        let meter = self.meter.borrow();
        let is_stream = self.channel.transport.is_stream();
        let (up, down) = self.heads(heads);
        // A request that is still open has had no answer.
        let answered = if is_stream {
            counters.requests
        } else {
            counters.answers
        };
        let spent_here = spent.map(|(before, after)| difference(self.channel, before, after));
        Line {
            channel: self.channel,
            ticks: counters.ticks,
            messages: counters.messages,
            requests: counters.requests,
            answers: counters.answers,
            empty: counters.empty,
            connections: match spent {
                _ if is_stream => Some(counters.requests),
                // The browser's list is long, so it is read only once, at the
                // end.
                Some(_) => connections(self.channel),
                None => None,
            },
            payload: counters.bytes,
            down: (counters.bytes + counters.framing) as f64 + answered as f64 * down,
            up: counters.requests as f64 * up,
            age_p50_ms: meter.age_ms(0.5),
            age_p95_ms: meter.age_ms(0.95),
            age_p99_ms: meter.age_ms(0.99),
            age_max_ms: meter.age_max_ms(),
            ages: meter.bars(),
            cpu_us: spent_here.map(|spent| spent.0),
            cpu_ticks: spent_here.map_or(0.0, |spent| spent.1),
            missed,
            repeated,
            reconnects: counters.reconnects,
        }
    }

    /// The bytes of the heads of one request, up and down.
    fn heads(&self, heads: &Heads) -> (f64, f64) {
        let transport = self.channel.transport;
        match transport {
            Transport::WebSocket => heads.socket(self.path),
            Transport::Sse => heads.stream(self.path),
            Transport::LongPoll | Transport::Poll => {
                // The first poll has no cursor, the later ones do; this counts
                // all as later ones.
                let path = path(&self.session, transport).len();
                let counters = self.session.counters();
                let body = counters.bytes as f64 / counters.answers.max(1) as f64;
                heads.poll(path, body, self.channel.format)
            }
        }
    }
}

/// The processor time, in µs, and the ticks of a channel between two readings
/// of the stats.
fn difference(channel: Channel, before: &StatsAnswer, after: &StatsAnswer) -> (f64, f64) {
    let of = |stats: &StatsAnswer| {
        let own = stats.of(channel);
        own.map_or((0, 0), |own| (own.cpu_us, own.ticks))
    };
    let (before, after) = (of(before), of(after));
    let grown = |before: u64, after: u64| after.saturating_sub(before) as f64;
    (grown(before.0, after.0), grown(before.1, after.1))
}

/// How many connections the polls of a channel opened, by the browser's list of
/// resources.
fn connections(channel: Channel) -> Option<u64> {
    let encoding = ["encoding=", channel.format.key(), "&"].concat();
    let entries = window().performance()?.get_entries_by_type("resource");
    let mut opened = 0;
    for entry in entries.iter() {
        let entry = web_sys::PerformanceResourceTiming::from(entry);
        let name = entry.name();
        let is_poll = name.contains("wait_ms=0&");
        let is_own = name.contains(&encoding) && is_poll == (channel.transport == Transport::Poll);
        if is_own && entry.connect_end() > entry.connect_start() {
            opened += 1;
        }
    }
    Some(opened)
}
