//! The one place that asks what time it is.
//!
//! The clock on a machine's wall is set: by a person, after a battery ran out, by
//! a virtual machine that was moved. Nothing may stand still for that, or come
//! twice. So the server has a time of its own, which never goes back: it runs
//! with the monotonic clock and follows the wall's, at once where that was set
//! ahead, and slowly where that is behind. What it is off by is told.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use shared::Micros;

/// Nearer than this to the wall's clock, the server's follows without a word.
const STEP_US: Micros = 1_000_000;
/// How far it follows in one look: a twentieth, if that is once a second.
const SLEW_US: Micros = 50_000;

/// Where times come from. The system, but for tests.
pub(crate) trait Source {
    /// The clock on the wall, in µs since the epoch, UTC; it can be set.
    fn wall(&self) -> Micros;
    /// A clock that only goes on, in µs since some moment.
    fn steady(&self) -> Micros;
}

/// A time that never goes back.
#[derive(Debug)]
pub(crate) struct Clock<S> {
    source: S,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    /// The time when the steady clock showed 0.
    base: Micros,
    /// The latest time that was told.
    latest: Micros,
    /// The offset to the wall that was told of.
    told: Micros,
}

/// That the wall's clock was set, or that ours has come to it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// By how many µs times have jumped ahead.
    pub(crate) jump: Micros,
    /// By how many µs times are now ahead of the wall's clock.
    pub(crate) ahead: Micros,
}

impl<S: Source> Clock<S> {
    fn new(source: S) -> Self {
        let base = source.wall() - source.steady();
        let state = State {
            base,
            latest: Micros::MIN,
            told: 0,
        };
        Self {
            source,
            state: Mutex::new(state),
        }
    }

    /// The server's time, in µs since the epoch, UTC.
    fn now(&self) -> Micros {
        self.change(|state, steady| state.tell(steady))
    }

    /// Goes on from a time, if that is later.
    fn go_on_from(&self, time: Micros) {
        self.change(|state, steady| {
            let now = state.tell(steady);
            state.base += (time - now).max(0);
        });
    }

    /// Follows the wall's clock, once a second; tells what is worth a word.
    fn follow(&self) -> Option<Step> {
        let wall = self.source.wall();
        self.change(|state, steady| {
            let off = wall.saturating_sub(state.base.saturating_add(steady));
            let jump = if off > STEP_US { off } else { 0 };
            state.base += if jump > 0 {
                jump
            } else {
                off.clamp(-SLEW_US, SLEW_US)
            };
            let ahead = if off < -STEP_US { -off } else { 0 };
            // Not every look on the long way back.
            let is_news =
                (ahead - state.told).abs() > STEP_US && (ahead > state.told || ahead == 0);
            if jump == 0 && !is_news {
                return None;
            }
            state.told = ahead;
            Some(Step { jump, ahead })
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut State, Micros) -> T) -> T {
        // Whole after every change; a panic elsewhere spoils nothing.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state, self.source.steady())
    }
}

impl State {
    fn tell(&mut self, steady: Micros) -> Micros {
        self.latest = self.latest.max(self.base.saturating_add(steady));
        self.latest
    }
}

/// The machine's own clocks.
#[derive(Debug)]
struct System(Instant);

impl Source for System {
    fn wall(&self) -> Micros {
        // A clock before 1970 or after the year 294,000 is a broken clock; its
        // times are wrong whatever is done here, so they are merely kept in
        // range.
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| {
            Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
        })
    }

    fn steady(&self) -> Micros {
        Micros::try_from(self.0.elapsed().as_micros()).unwrap_or(Micros::MAX)
    }
}

static CLOCK: LazyLock<Clock<System>> = LazyLock::new(|| Clock::new(System(Instant::now())));

/// The server's time, in µs since the epoch, UTC. It never goes back.
pub(crate) fn now() -> Micros {
    CLOCK.now()
}

/// Goes on from a time, if that is later: what was stored is not to be of the
/// future.
pub(crate) fn go_on_from(time: Micros) {
    CLOCK.go_on_from(time);
}

/// Follows the wall's clock. To be called once a second; tells what is worth a
/// word.
pub(crate) fn follow() -> Option<Step> {
    CLOCK.follow()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use proptest::prelude::*;

    const HOUR_US: Micros = 3_600_000_000;

    #[derive(Default)]
    struct Fake {
        wall: Cell<Micros>,
        steady: Cell<Micros>,
    }

    impl Source for &Fake {
        fn wall(&self) -> Micros {
            self.wall.get()
        }

        fn steady(&self) -> Micros {
            self.steady.get()
        }
    }

    impl Fake {
        fn at(wall: Micros) -> Self {
            let fake = Self::default();
            fake.wall.set(wall);
            fake
        }

        fn pass(&self, us: Micros) {
            self.wall.set(self.wall.get() + us);
            self.steady.set(self.steady.get() + us);
        }

        fn set_by(&self, us: Micros) {
            self.wall.set(self.wall.get() + us);
        }
    }

    #[test]
    fn a_wall_that_is_set_ahead_is_followed_at_once() {
        let fake = Fake::at(HOUR_US);
        let clock = Clock::new(&fake);
        fake.pass(1_000_000);
        assert_eq!(clock.follow(), None);
        fake.set_by(HOUR_US);
        let (jump, ahead) = (HOUR_US, 0);
        assert_eq!(clock.follow(), Some(Step { jump, ahead }));
        assert_eq!(clock.now(), fake.wall.get());
        assert_eq!(clock.follow(), None);
    }

    #[test]
    fn a_wall_that_is_set_back_stops_nothing() {
        let fake = Fake::at(10 * HOUR_US);
        let clock = Clock::new(&fake);
        let before = clock.now();
        fake.set_by(-HOUR_US);
        let (jump, ahead) = (0, HOUR_US);
        assert_eq!(clock.follow(), Some(Step { jump, ahead }));
        // Time goes on, nineteen parts of twenty as fast, and says so once.
        for _ in 0..100 {
            fake.pass(1_000_000);
            assert_eq!(clock.follow(), None);
        }
        let passed = clock.now() - before;
        assert_eq!(passed, 100_000_000 - 101 * SLEW_US);
        // Set right again: that is told, too.
        fake.set_by(clock.now() - fake.wall.get());
        let (jump, ahead) = (0, 0);
        assert_eq!(clock.follow(), Some(Step { jump, ahead }));
    }

    #[test]
    fn a_small_drift_is_corrected() {
        let fake = Fake::at(HOUR_US);
        let clock = Clock::new(&fake);
        fake.set_by(-700_000);
        for _ in 0..20 {
            fake.pass(1_000_000);
            assert_eq!(clock.follow(), None);
        }
        assert_eq!(clock.now(), fake.wall.get());
    }

    #[test]
    fn what_is_stored_is_not_of_the_future() {
        let fake = Fake::at(HOUR_US);
        let clock = Clock::new(&fake);
        clock.go_on_from(2 * HOUR_US);
        assert_eq!(clock.now(), 2 * HOUR_US);
        clock.go_on_from(HOUR_US);
        fake.pass(1);
        assert_eq!(clock.now(), 2 * HOUR_US + 1);
        assert_eq!(clock.follow().map(|step| step.ahead), Some(HOUR_US));
    }

    proptest! {
        #[test]
        fn it_never_goes_back(
            steps in proptest::collection::vec((0i64..2_000_000, -3_000_000_000i64..3_000_000_000, any::<bool>()), 1..100),
        ) {
            let fake = Fake::at(1_000_000_000_000_000);
            let clock = Clock::new(&fake);
            let mut latest = clock.now();
            for (passes, set_by, looks) in steps {
                fake.pass(passes);
                fake.set_by(set_by);
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
