//! Pending deliveries to receivers of webhooks. A leaf module: the sender takes
//! deliveries from it, and the store asks it which are settled.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt as _;
use shared::{Firing, Span, Time, WebhookStatus};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::clock;

/// How long a firing is retried until the receiver accepts it.
pub(crate) const AGE_MAX: Duration = Duration::from_secs(24 * 3_600);
/// The most firings that wait for one receiver. Beyond that, the oldest are
/// given up, and counted.
pub(crate) const WAITING_MAX: usize = 10_000;
/// The most concurrent requests to one receiver.
pub(crate) const AT_ONCE: usize = 4;
/// After this many failures in a row there is only one attempt at a time, and a
/// pause after each.
const PATIENCE: u32 = 4;
/// The wait before the second attempt; doubled before each further one. Each
/// wait is shortened at random, to between half and all of it.
const BACKOFF: Duration = Duration::from_secs(1);
/// The longest wait.
const BACKOFF_MAX: Duration = Duration::from_secs(300);

/// The most names of settled firings that wait to be deleted from the store
/// while it cannot be written. Beyond that, the oldest are forgotten: at worst,
/// those firings are sent once more.
const SETTLED_MAX: usize = 100_000;

/// Identifies a firing: the alert's number, and its count of firings.
pub(crate) type FiringName = (u64, u64);

/// A delivery of one firing to one receiver.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// The firing.
    pub(crate) firing: Arc<Firing>,
    /// When it fired.
    made: Time,
    /// The number of failed attempts.
    tries: u32,
    /// Its number in the queue, in order of arrival; 0 before it is queued.
    place: u64,
}

impl Delivery {
    pub(crate) fn new(firing: Arc<Firing>, made: Time) -> Self {
        Self {
            firing,
            made,
            tries: 0,
            place: 0,
        }
    }

    fn name(&self) -> FiringName {
        (self.firing.id, self.firing.count)
    }

    fn is_too_old(&self, now: Time) -> bool {
        (now - self.made).to_duration() > AGE_MAX
    }
}

/// The result of an attempt.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The receiver accepted it.
    Taken,
    /// A temporary failure with its reason; it is retried, after the given wait
    /// at the earliest.
    Later(String, Option<Duration>),
    /// A permanent failure with its reason.
    Never(String),
}

/// All pending deliveries of one receiver, and the receiver's state.
#[derive(Debug)]
pub(crate) struct Deliveries {
    /// A hash of the receiver's URL.
    id: String,
    /// The receiver's name for display, without parts that may be secret.
    name: String,
    state: Mutex<State>,
    /// Wakes the senders.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// In order of arrival, each with the time when it is due. Bounded by
    /// [`WAITING_MAX`].
    waiting: BTreeMap<u64, (Instant, Delivery)>,
    /// The same, by the time when they are due.
    due: BTreeSet<(Instant, u64)>,
    /// How many deliveries were ever queued.
    came: u64,
    /// Those that are on their way, by their numbers.
    in_flight: BTreeMap<u64, Arc<Firing>>,
    /// Settled deliveries, for the store; `None` if nothing is stored.
    settled: Option<VecDeque<FiringName>>,
    /// The same for other servers; `None` if there are none, or one of them delivers.
    unshared: Option<VecDeque<FiringName>>,
    /// Whether another server delivers.
    is_idle: bool,
    taken: u64,
    given_up: u64,
    /// Failed attempts since the last one that got a definite answer.
    failures: u32,
    /// No attempt is made before this time, because too many failed.
    paused_until: Option<Instant>,
    /// No attempt is made before this time, because the receiver asked for it.
    asked_until: Option<Instant>,
    /// Whether the oldest were given up for lack of room, and the queue is
    /// still more than half full.
    is_full: bool,
    /// Since when attempts have failed, and the latest reason.
    failing: Option<(Time, String)>,
}

impl State {
    /// Queues a delivery, or puts one back in its place.
    fn put(&mut self, due: Instant, mut delivery: Delivery) {
        if delivery.place == 0 {
            self.came += 1;
            delivery.place = self.came;
        }
        self.due.insert((due, delivery.place));
        self.waiting.insert(delivery.place, (due, delivery));
    }

    fn remove(&mut self, place: u64) -> Option<Delivery> {
        let (due, delivery) = self.waiting.remove(&place)?;
        self.due.remove(&(due, place));
        Some(delivery)
    }

    /// Gives up deliveries that are too old at `now_time`. The oldest are first
    /// in the queue.
    fn expire(&mut self, now_time: Time) {
        while let Some((place, (_, oldest))) = self.waiting.first_key_value()
            && oldest.is_too_old(now_time)
        {
            let place = *place;
            if let Some(oldest) = self.remove(place) {
                self.give_up(&oldest);
            }
        }
    }

    /// The next delivery that is due; otherwise when one will be, if that is
    /// known.
    fn take(&mut self, now: Instant, now_time: Time) -> Result<Delivery, Option<Instant>> {
        self.expire(now_time);
        if self.is_idle {
            return Err(None);
        }
        if self.failures >= PATIENCE && !self.in_flight.is_empty() {
            return Err(None);
        }
        let (due, place) = *self.due.first().ok_or(None)?;
        let pauses = [self.paused_until, self.asked_until];
        let due = pauses.into_iter().flatten().fold(due, Instant::max);
        if due > now {
            return Err(Some(due));
        }
        let delivery = self.remove(place).ok_or(None)?;
        let firing = Arc::clone(&delivery.firing);
        self.in_flight.insert(place, firing);
        Ok(delivery)
    }

    /// Makes room for one more; returns whether one had to be given up for
    /// that.
    fn make_room(&mut self) -> bool {
        let oldest = self.waiting.keys().next().copied();
        match oldest.filter(|_| self.waiting.len() >= WAITING_MAX) {
            Some(oldest) => {
                if let Some(oldest) = self.remove(oldest) {
                    self.give_up(&oldest);
                }
                true
            }
            None => false,
        }
    }

    fn give_up(&mut self, delivery: &Delivery) {
        self.given_up += 1;
        self.settle(delivery);
    }

    fn settle(&mut self, delivery: &Delivery) {
        let both = [&mut self.settled, &mut self.unshared];
        for settled in both.into_iter().flatten() {
            settled.push_back(delivery.name());
            forget_oldest(settled);
        }
    }
}

impl Deliveries {
    /// An empty queue for the receiver with this id and name. If `is_stored`,
    /// the store takes what is settled.
    pub(crate) fn new(id: String, name: String, is_stored: bool) -> Self {
        let state = State {
            settled: is_stored.then(VecDeque::new),
            ..State::default()
        };
        Self {
            id,
            name,
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether pending deliveries are kept for the next run.
    pub(crate) fn is_stored(&self) -> bool {
        self.state().settled.is_some()
    }

    /// Queues deliveries.
    pub(crate) fn extend(&self, deliveries: impl IntoIterator<Item = Delivery>) {
        let now = Instant::now();
        let mut state = self.state();
        let was_full = std::mem::take(&mut state.is_full);
        let mut is_full = was_full && state.waiting.len() > WAITING_MAX / 2;
        for delivery in deliveries {
            is_full |= state.make_room();
            state.put(now, delivery);
        }
        state.is_full = is_full;
        state.expire(clock::now());
        drop(state);
        if is_full && !was_full {
            let receiver = self.name();
            tracing::warn!(
                receiver,
                "too many alerts wait for a webhook; the oldest are given up"
            );
        }
        self.changed.notify_waiters();
    }

    /// The next delivery, as soon as it may be sent.
    pub(crate) async fn next(&self) -> Delivery {
        loop {
            // Registered before the check, so that no change is missed in
            // between.
            let changed = self.changed.notified();
            let later = match self.state().take(Instant::now(), clock::now()) {
                Ok(delivery) => return delivery,
                Err(later) => later,
            };
            match later {
                None => changed.await,
                Some(later) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(later) => {}
                },
            }
        }
    }

    /// Records the result of an attempt.
    pub(crate) fn settle(&self, mut delivery: Delivery, outcome: Outcome) {
        let (now, now_time) = (Instant::now(), clock::now());
        let (alert, count) = delivery.name();
        let receiver = self.name();
        let mut state = self.state();
        state.in_flight.remove(&delivery.place);
        match outcome {
            Outcome::Taken => {
                if state.failing.take().is_some() {
                    tracing::info!(receiver, "the webhook takes alerts again");
                }
                state.failures = 0;
                state.paused_until = None;
                state.taken += 1;
                state.settle(&delivery);
            }
            Outcome::Later(why, wait) => {
                if state.failing.is_none() {
                    tracing::warn!(receiver, alert, count, %why, "the webhook was not told of an alert; it is tried again");
                }
                let since = state.failing.take().map_or(now_time, |(since, _)| since);
                state.failing = Some((since, why));
                state.failures = state.failures.saturating_add(1);
                delivery.tries += 1;
                let share = rand::rng().random_range(0.5..1.0);
                if let Some(wait) = wait {
                    let asked = now + wait.min(BACKOFF_MAX);
                    state.asked_until = state.asked_until.max(Some(asked));
                }
                if state.failures >= PATIENCE {
                    let pause = backoff(state.failures - PATIENCE).mul_f64(share);
                    state.paused_until = Some(now + pause);
                }
                // If it is too old, it is given up when the next one is taken.
                let wait = backoff(delivery.tries - 1).mul_f64(share);
                state.put(now + wait, delivery);
            }
            Outcome::Never(why) => {
                if state
                    .failing
                    .as_ref()
                    .is_none_or(|(_, known)| *known != why)
                {
                    tracing::warn!(receiver, alert, count, %why, "the webhook was not told of an alert");
                }
                let since = state.failing.take().map_or(now_time, |(since, _)| since);
                state.failing = Some((since, why));
                // The receiver is reachable.
                state.failures = 0;
                state.paused_until = None;
                state.give_up(&delivery);
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Moves the times of deliveries: the server's time has jumped ahead,
    /// without that much time having passed.
    pub(crate) fn jump(&self, by: Span) {
        let mut state = self.state();
        for (_, delivery) in state.waiting.values_mut() {
            delivery.made += by;
        }
    }

    /// What was delivered or given up since the last call. The caller has to
    /// keep it until it is deleted from the store.
    pub(crate) fn take_settled(&self) -> VecDeque<FiringName> {
        self.state()
            .settled
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// The receiver's status.
    pub(crate) fn status(&self) -> WebhookStatus {
        let state = self.state();
        let (failing_since, detail) = state.failing.clone().unzip();
        WebhookStatus {
            receiver: self.name.clone(),
            waiting: (state.waiting.len() + state.in_flight.len()) as u64,
            taken: state.taken,
            given_up: state.given_up,
            failing_since,
            detail: detail.unwrap_or_default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Consistent after every step, so a poisoned lock is safe to use.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops the oldest names beyond [`SETTLED_MAX`].
pub(crate) fn forget_oldest(settled: &mut VecDeque<FiringName>) {
    let over = settled.len().saturating_sub(SETTLED_MAX);
    settled.drain(..over);
}

/// The wait after this many earlier failures.
fn backoff(failures: u32) -> Duration {
    let factor = 2u32.saturating_pow(failures);
    BACKOFF.saturating_mul(factor).min(BACKOFF_MAX)
}

mod sharing;
#[cfg(test)]
mod tests;
