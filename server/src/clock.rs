//! The only module that reads the time.
//!
//! The wall clock of a machine may be set: by a user, after a battery ran out,
//! or when a virtual machine is moved. That must neither stop anything nor make
//! times repeat. So the server has its own time, which never goes back. It runs
//! with the monotonic clock and follows the wall clock: at once if that was set
//! ahead, and slowly if it is behind. The difference is reported.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use shared::{Span, Time};

/// Differences to the wall clock below this are corrected without a report.
const STEP: Span = Span::SECOND;
/// The most that one correction changes: a twentieth, if it happens once a
/// second.
const SLEW: Span = Span::from_micros(50_000);

/// The clocks that the server's time is made from: those of the system, except
/// in tests.
pub(crate) trait Clocks {
    /// The wall clock, which can be set.
    fn wall(&self) -> Time;
    /// A monotonic clock: the time since some moment.
    fn steady(&self) -> Span;
}

/// A time that never goes back.
#[derive(Debug)]
pub(crate) struct Clock<S> {
    source: S,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    /// The time when the monotonic clock was 0.
    base: Time,
    /// The latest time that was returned.
    latest: Time,
    /// How far the clock that is followed is ahead of the wall clock: zero, unless it is
    /// that of another server.
    lead: Span,
    /// The difference to the wall clock that was last reported.
    announced: Span,
}

/// A report that the wall clock was set, or that the server's time has reached
/// it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// How far times have jumped ahead.
    pub(crate) jump: Span,
    /// How far times are now ahead of the wall clock.
    pub(crate) ahead: Span,
}

impl<S: Clocks> Clock<S> {
    fn new(source: S) -> Self {
        let base = source.wall() - source.steady();
        let state = State {
            base,
            latest: Time::MIN,
            lead: Span::ZERO,
            announced: Span::ZERO,
        };
        Self {
            source,
            state: Mutex::new(state),
        }
    }

    /// The server's time.
    fn now(&self) -> Time {
        self.change(|state, steady| state.tell(steady))
    }

    /// Continues from `time`, if that is later.
    fn go_on_from(&self, time: Time) {
        self.change(|state, steady| {
            let now = state.tell(steady);
            state.base += (time - now).max(Span::ZERO);
        });
    }

    /// Follows another clock than the wall clock from now on, whose time is `other` now.
    fn lean_on(&self, other: Time) {
        let wall = self.source.wall();
        self.change(|state, _| state.lead = other - wall);
    }

    /// Corrects the time to follow the wall clock; called once a second.
    /// Returns changes that should be reported.
    fn follow(&self) -> Option<Step> {
        let wall = self.source.wall();
        self.change(|state, steady| {
            let wall = wall + state.lead;
            let off = wall - (state.base + steady);
            let jump = if off > STEP { off } else { Span::ZERO };
            state.base += if jump > Span::ZERO {
                jump
            } else {
                off.clamp(-SLEW, SLEW)
            };
            let ahead = if off < -STEP { -off } else { Span::ZERO };
            // Progress on the long way back is not reported.
            let is_news = (ahead - state.announced).abs() > STEP
                && (ahead > state.announced || ahead == Span::ZERO);
            if jump == Span::ZERO && !is_news {
                return None;
            }
            state.announced = ahead;
            Some(Step { jump, ahead })
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut State, Span) -> T) -> T {
        // Consistent after every change, so a poisoned lock is safe to use.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state, self.source.steady())
    }
}

impl State {
    fn tell(&mut self, steady: Span) -> Time {
        self.latest = self.latest.max(self.base + steady);
        self.latest
    }
}

/// The machine's own clocks.
#[derive(Debug)]
struct System(Instant);

impl Clocks for System {
    fn wall(&self) -> Time {
        // A clock before 1970 or after the year 294,000 is broken. Its times
        // are wrong in any case, so they are only kept in range.
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(Time::EPOCH, |since| Time::EPOCH + Span::from(since))
    }

    fn steady(&self) -> Span {
        self.0.elapsed().into()
    }
}

static CLOCK: LazyLock<Clock<System>> = LazyLock::new(|| Clock::new(System(Instant::now())));

/// The server's time. It never goes back.
pub(crate) fn now() -> Time {
    CLOCK.now()
}

/// Continues from `time`, if that is later, so that stored data is not in the
/// future.
pub(crate) fn go_on_from(time: Time) {
    CLOCK.go_on_from(time);
}

/// Follows the clock of another server from now on, whose time is `other` now.
pub(crate) fn lean_on(other: Time) {
    CLOCK.lean_on(other);
}

/// Corrects the time to follow the wall clock. To be called once a second;
/// returns changes that should be reported.
pub(crate) fn follow() -> Option<Step> {
    CLOCK.follow()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Fake {
        wall: Cell<Time>,
        steady: Cell<Span>,
    }

    impl Clocks for &Fake {
        fn wall(&self) -> Time {
            self.wall.get()
        }

        fn steady(&self) -> Span {
            self.steady.get()
        }
    }

    impl Fake {
        fn at(wall: Span) -> Self {
            let fake = Self::default();
            fake.wall.set(Time::EPOCH + wall);
            fake
        }

        fn pass(&self, span: Span) {
            self.wall.set(self.wall.get() + span);
            self.steady.set(self.steady.get() + span);
        }

        fn set_by(&self, span: Span) {
            self.wall.set(self.wall.get() + span);
        }
    }

    #[test]
    fn a_wall_that_is_set_ahead_is_followed_at_once() {
        let fake = Fake::at(Span::HOUR);
        let clock = Clock::new(&fake);
        fake.pass(Span::SECOND);
        assert_eq!(clock.follow(), None);
        fake.set_by(Span::HOUR);
        let (jump, ahead) = (Span::HOUR, Span::ZERO);
        assert_eq!(clock.follow(), Some(Step { jump, ahead }));
        assert_eq!(clock.now(), fake.wall.get());
        assert_eq!(clock.follow(), None);
    }

    #[test]
    fn a_wall_that_is_set_back_stops_nothing() {
        let fake = Fake::at(Span::HOUR * 10);
        let clock = Clock::new(&fake);
        let before = clock.now();
        fake.set_by(-Span::HOUR);
        let (jump, ahead) = (Span::ZERO, Span::HOUR);
        assert_eq!(clock.follow(), Some(Step { jump, ahead }));
        // Time advances at nineteen twentieths of the speed, which is reported
        // only once.
        for _ in 0..100 {
            fake.pass(Span::SECOND);
            assert_eq!(clock.follow(), None);
        }
        let passed = clock.now() - before;
        assert_eq!(passed, Span::SECOND * 100 - SLEW * 101);
        // The clock is set right again: that is reported, too.
        fake.set_by(clock.now() - fake.wall.get());
        let (jump, ahead) = (Span::ZERO, Span::ZERO);
        assert_eq!(clock.follow(), Some(Step { jump, ahead }));
    }

    #[test]
    fn a_small_drift_is_corrected() {
        let fake = Fake::at(Span::HOUR);
        let clock = Clock::new(&fake);
        fake.set_by(Span::from_micros(-700_000));
        for _ in 0..20 {
            fake.pass(Span::SECOND);
            assert_eq!(clock.follow(), None);
        }
        assert_eq!(clock.now(), fake.wall.get());
    }

    #[test]
    fn what_is_stored_is_not_of_the_future() {
        let fake = Fake::at(Span::HOUR);
        let clock = Clock::new(&fake);
        let later = Time::EPOCH + Span::HOUR * 2;
        clock.go_on_from(later);
        assert_eq!(clock.now(), later);
        clock.go_on_from(Time::EPOCH + Span::HOUR);
        fake.pass(Span::from_micros(1));
        assert_eq!(clock.now(), later + Span::from_micros(1));
        assert_eq!(clock.follow().map(|step| step.ahead), Some(Span::HOUR));
    }

    proptest! {
        #[test]
        fn it_never_goes_back(
            steps in proptest::collection::vec((0i64..2_000_000, -3_000_000_000i64..3_000_000_000, any::<bool>()), 1..100),
        ) {
            let fake = Fake::at(Span::from_micros(1_000_000_000_000_000));
            let clock = Clock::new(&fake);
            let mut latest = clock.now();
            for (passes, set_by, looks) in steps {
                fake.pass(Span::from_micros(passes));
                fake.set_by(Span::from_micros(set_by));
                if looks {
                    clock.follow();
                }
                let now = clock.now();
                prop_assert!(now >= latest);
                latest = now;
            }
        }
    }
}
