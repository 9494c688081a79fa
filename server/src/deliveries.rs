//! What receivers have still to be told. A leaf: whoever sends takes from it,
//! whoever stores asks it what is settled.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt as _;
use shared::{Firing, Span, Time, WebhookStatus};
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

/// So many names of settled firings wait to be taken out of the store while that
/// cannot be written. Of more, the oldest are forgotten: at worst, they are told
/// once more.
const SETTLED_MAX: usize = 100_000;

/// What names a firing: the alert's number, and how often it had fired.
pub(crate) type FiringName = (u64, u64);

/// One firing for one receiver.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    /// What fired.
    pub(crate) firing: Arc<Firing>,
    /// When.
    made: Time,
    /// How often it was tried.
    tries: u32,
    /// Its place among those that came: 0 before it did.
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
    settled: Option<VecDeque<FiringName>>,
    taken: u64,
    given_up: u64,
    /// How many attempts failed since one that did not.
    failures: u32,
    /// No attempt is made before, because so many failed.
    paused_until: Option<Instant>,
    /// Nor before this, because the receiver asked for it.
    asked_until: Option<Instant>,
    /// Whether some had to go to make room, and there is not much room since.
    is_full: bool,
    /// Since when, and why.
    failing: Option<(Time, String)>,
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

    /// Gives up those that are too old at `now_time`. The oldest came first.
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

    /// The next that is due, or when one will be, if that is known.
    fn take(&mut self, now: Instant, now_time: Time) -> Result<Delivery, Option<Instant>> {
        self.expire(now_time);
        if self.failures >= PATIENCE && self.in_flight > 0 {
            return Err(None);
        }
        let (due, place) = *self.due.first().ok_or(None)?;
        let pauses = [self.paused_until, self.asked_until];
        let due = pauses.into_iter().flatten().fold(due, Instant::max);
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
            settled.push_back(delivery.name());
            forget_oldest(settled);
        }
    }
}

impl Deliveries {
    /// None yet, for the receiver with this id and name. Whoever `is_stored`
    /// takes what is settled.
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

    /// Whether what is left is told in the next run.
    pub(crate) fn is_stored(&self) -> bool {
        self.state().settled.is_some()
    }

    /// Adds what is to be told.
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

    /// The next one, as soon as it may be told.
    pub(crate) async fn next(&self) -> Delivery {
        loop {
            // Before the look, so that nothing comes in between.
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

    /// Takes in what became of one.
    pub(crate) fn settle(&self, mut delivery: Delivery, outcome: Outcome) {
        let (now, now_time) = (Instant::now(), clock::now());
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
                // One that is too old goes when the next one is looked for.
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
                // It answers, after all.
                state.failures = 0;
                state.paused_until = None;
                state.give_up(&delivery);
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// The server's times have jumped ahead by so much, without so much having
    /// passed.
    pub(crate) fn jump(&self, by: Span) {
        let mut state = self.state();
        for (_, delivery) in state.waiting.values_mut() {
            delivery.made += by;
        }
    }

    /// What was told or given up since the last time. Whoever takes it has to
    /// keep it until it is out of the store.
    pub(crate) fn take_settled(&self) -> VecDeque<FiringName> {
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

/// Keeps as many as there may be.
pub(crate) fn forget_oldest(settled: &mut VecDeque<FiringName>) {
    let over = settled.len().saturating_sub(SETTLED_MAX);
    settled.drain(..over);
}

/// The wait after so many failures before.
fn backoff(failures: u32) -> Duration {
    let factor = 2u32.saturating_pow(failures);
    BACKOFF.saturating_mul(factor).min(BACKOFF_MAX)
}

#[cfg(test)]
mod tests {
    use shared::{Condition, PriceKind};
    use tokio::time::timeout;

    use super::*;

    fn delivery(count: u64) -> Delivery {
        let firing = Firing {
            id: 1,
            symbol: "A".to_owned(),
            condition: Condition::SilentS(1),
            on: PriceKind::Last,
            price: None,
            time: clock::now(),
            at: None,
            count,
            note: String::new(),
        };
        Delivery::new(Arc::new(firing), clock::now())
    }

    fn deliveries() -> Deliveries {
        Deliveries::new("id".to_owned(), "receiver".to_owned(), true)
    }

    /// The next one, if it may be told within this time.
    async fn next(all: &Deliveries, within: Duration) -> Option<Delivery> {
        timeout(within, all.next()).await.ok()
    }

    fn later(wait_s: Option<u64>) -> Outcome {
        Outcome::Later("no".to_owned(), wait_s.map(Duration::from_secs))
    }

    const MOMENT: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn of_too_many_the_oldest_are_given_up() {
        let all = deliveries();
        all.extend((0..WAITING_MAX as u64 + 3).map(delivery));
        let status = all.status();
        assert_eq!((status.waiting, status.given_up), (WAITING_MAX as u64, 3));
        assert_eq!(all.take_settled(), [(1, 0), (1, 1), (1, 2)]);
        assert_eq!(next(&all, MOMENT).await.unwrap().firing.count, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_too_old_is_given_up_without_an_attempt() {
        let all = deliveries();
        let age = Span::from(AGE_MAX);
        let old = Delivery {
            made: clock::now() - age - Span::from_micros(1),
            ..delivery(1)
        };
        all.extend([old, delivery(2)]);
        assert_eq!(next(&all, MOMENT).await.unwrap().firing.count, 2);
        assert_eq!(
            (all.status().given_up, all.take_settled()),
            (1, [(1, 1)].into())
        );
        // Unless only the clock went ahead.
        all.extend([delivery(3)]);
        all.jump(age * 2);
        assert_eq!(next(&all, MOMENT).await.unwrap().firing.count, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_fails_is_tried_by_one_at_a_time() {
        let all = deliveries();
        all.extend((0..10).map(delivery));
        for _ in 0..PATIENCE {
            let one = next(&all, MOMENT).await.unwrap();
            all.settle(one, later(None));
        }
        assert!(next(&all, BACKOFF / 4).await.is_none(), "a pause");
        let probe = next(&all, BACKOFF).await.unwrap();
        assert!(next(&all, BACKOFF_MAX).await.is_none(), "one at a time");
        all.settle(probe, Outcome::Taken);
        for _ in 0..AT_ONCE {
            assert!(next(&all, MOMENT).await.is_some(), "all at once again");
        }
        assert_eq!(all.status().taken, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_asks_for_time_gets_it_from_all() {
        let all = deliveries();
        all.extend((0..3).map(delivery));
        let (one, two) = (
            next(&all, MOMENT).await.unwrap(),
            next(&all, MOMENT).await.unwrap(),
        );
        all.settle(one, later(Some(60)));
        // What was under way meanwhile changes nothing of that.
        all.settle(two, Outcome::Taken);
        assert!(next(&all, Duration::from_secs(59)).await.is_none());
        assert!(next(&all, Duration::from_secs(2)).await.is_some());
    }
}
