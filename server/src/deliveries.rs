//! What receivers have still to be told. A leaf: whoever sends takes from it,
//! whoever stores asks it what is settled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt as _;
use shared::{Firing, Micros, WebhookStatus};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::clock;

/// For how long one firing is told again and again, until it is taken.
pub(crate) const AGE_MAX: Duration = Duration::from_secs(24 * 3_600);
/// So many firings wait for one receiver. Of more, the oldest are lost, and
/// counted.
pub(crate) const WAITING_MAX: usize = 10_000;
/// So many are told to one receiver at once.
pub(crate) const AT_ONCE: usize = 4;
/// After so many failures in a row there is one attempt at a time, and a pause
/// after each.
const PATIENCE: u32 = 4;
/// The wait before the second attempt; twice as long before each one after.
const BACKOFF: Duration = Duration::from_secs(1);
/// But never longer than this.
const BACKOFF_MAX: Duration = Duration::from_secs(300);

/// What names a firing: the alert's number, and how often it had fired.
pub(crate) type FiringName = (u64, u64);

/// One firing for one receiver.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// What fired.
    pub(crate) firing: Arc<Firing>,
    /// When.
    made: Micros,
    /// How often it was tried.
    tries: u32,
    /// Its place among those that came: 0 before it did.
    place: u64,
}

impl Delivery {
    pub(crate) fn new(firing: Arc<Firing>, made: Micros) -> Self {
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
}

/// What became of an attempt.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was taken.
    Taken,
    /// It was not, and why; it may be another time, after this wait at the
    /// earliest.
    Later(String, Option<Duration>),
    /// It was not, and never will be.
    Never(String),
}

/// All that one receiver has still to be told, and how it does.
#[derive(Debug)]
pub(crate) struct Deliveries {
    /// A hash of the receiver's address.
    id: String,
    /// The receiver, for people: without what may be a secret.
    name: String,
    state: Mutex<State>,
    /// Wakes whoever sends.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they came, each with when it is due. Bounded by
    /// [`WAITING_MAX`].
    waiting: BTreeMap<u64, (Instant, Delivery)>,
    /// The same by when they are due.
    due: BTreeSet<(Instant, u64)>,
    /// How many ever came.
    came: u64,
    in_flight: usize,
    /// For whoever stores; `None` where nothing is stored.
    settled: Option<Vec<FiringName>>,
    taken: u64,
    given_up: u64,
    /// How many attempts failed since one that did not.
    failures: u32,
    /// No attempt is made before.
    paused_until: Option<Instant>,
    /// Since when, and why.
    failing: Option<(Micros, String)>,
}

impl State {
    /// Puts one in its place, or back into it.
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

    /// The next that is due, or when one will be, if that is known.
    fn take(&mut self, now: Instant) -> Result<Delivery, Option<Instant>> {
        if self.failures >= PATIENCE && self.in_flight > 0 {
            return Err(None);
        }
        let (due, place) = *self.due.first().ok_or(None)?;
        let due = self.paused_until.map_or(due, |paused| paused.max(due));
        if due > now {
            return Err(Some(due));
        }
        let delivery = self.remove(place).ok_or(None)?;
        self.in_flight += 1;
        Ok(delivery)
    }

    /// Makes room for one more; whether one had to go for that.
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
        if let Some(settled) = &mut self.settled {
            settled.push(delivery.name());
        }
    }
}

impl Deliveries {
    /// None yet, for the receiver with this id and name. Whoever `is_stored`
    /// takes what is settled.
    pub(crate) fn new(id: String, name: String, is_stored: bool) -> Self {
        let state = State {
            settled: is_stored.then(Vec::new),
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

    /// Whether what is left is told in the next run.
    pub(crate) fn is_stored(&self) -> bool {
        self.state().settled.is_some()
    }

    /// Adds what is to be told.
    pub(crate) fn extend(&self, deliveries: impl IntoIterator<Item = Delivery>) {
        let now = Instant::now();
        let mut state = self.state();
        let was_full = state.waiting.len() >= WAITING_MAX;
        let mut is_full = false;
        for delivery in deliveries {
            is_full |= state.make_room();
            state.put(now, delivery);
        }
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

    /// The next one, as soon as it may be told.
    pub(crate) async fn next(&self) -> Delivery {
        loop {
            // Before the look, so that nothing comes in between.
            let changed = self.changed.notified();
            let later = match self.state().take(Instant::now()) {
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

    /// Takes in what became of one.
    pub(crate) fn settle(&self, mut delivery: Delivery, outcome: Outcome) {
        let (now, now_us) = (Instant::now(), clock::now());
        let (alert, count) = delivery.name();
        let receiver = self.name();
        let mut state = self.state();
        state.in_flight -= 1;
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
                let since = state.failing.take().map_or(now_us, |(since, _)| since);
                state.failing = Some((since, why));
                state.failures = state.failures.saturating_add(1);
                delivery.tries += 1;
                let share = rand::rng().random_range(0.5..1.0);
                let wait = wait.unwrap_or_default().min(BACKOFF_MAX);
                if state.failures >= PATIENCE {
                    let pause = backoff(state.failures - PATIENCE).mul_f64(share).max(wait);
                    state.paused_until = Some(now + pause);
                }
                let age = Duration::from_micros(u64::try_from(now_us - delivery.made).unwrap_or(0));
                if age > AGE_MAX {
                    tracing::warn!(
                        receiver,
                        alert,
                        count,
                        "a webhook was not told of an alert for too long; it is given up"
                    );
                    state.give_up(&delivery);
                } else {
                    let wait = backoff(delivery.tries - 1).mul_f64(share).max(wait);
                    state.put(now + wait, delivery);
                }
            }
            Outcome::Never(why) => {
                if state
                    .failing
                    .as_ref()
                    .is_none_or(|(_, known)| *known != why)
                {
                    tracing::warn!(receiver, alert, count, %why, "the webhook was not told of an alert");
                }
                let since = state.failing.take().map_or(now_us, |(since, _)| since);
                state.failing = Some((since, why));
                // It answers, after all.
                state.failures = 0;
                state.paused_until = None;
                state.give_up(&delivery);
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// What was told or given up since the last time. Whoever takes it has to
    /// keep it until it is out of the store.
    pub(crate) fn take_settled(&self) -> Vec<FiringName> {
        self.state()
            .settled
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// How the receiver does.
    pub(crate) fn status(&self) -> WebhookStatus {
        let state = self.state();
        let (failing_since, detail) = state.failing.clone().unzip();
        WebhookStatus {
            receiver: self.name.clone(),
            waiting: (state.waiting.len() + state.in_flight) as u64,
            taken: state.taken,
            given_up: state.given_up,
            failing_since,
            detail: detail.unwrap_or_default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whole after every step; a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wait after so many failures before.
fn backoff(failures: u32) -> Duration {
    let factor = 2u32.saturating_pow(failures);
    BACKOFF.saturating_mul(factor).min(BACKOFF_MAX)
}
