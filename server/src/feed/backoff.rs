//! How long to wait before another server is tried again.

use std::time::Duration;

use rand::RngExt as _;

/// The wait after the first failure; it doubles with each further one.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(60);

/// Waits longer after each failure, until there is a success.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait after a failure: between half of a time and all of it, by
    /// chance, so that many servers do not come back at the same moment.
    pub(super) fn wait(&mut self) -> Duration {
        let most = FIRST * 2_u32.saturating_pow(self.failures.min(10));
        self.failures += 1;
        most.min(LONGEST)
            .mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    /// It works again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_minute_and_begins_anew() {
        let mut backoff = Backoff::default();
        for seconds in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
            let wait = backoff.wait().as_secs_f64();
            assert!(
                (0.5 * seconds..=seconds).contains(&wait),
                "{wait} of {seconds}"
            );
        }
        backoff.reset();
        assert!(backoff.wait() <= FIRST);
    }
}
