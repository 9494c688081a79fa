//! How long to wait before the next retry.

/// The upper bound of the first wait.
const FIRST_MS: f64 = 500.0;
/// The longest wait.
const CEILING_MS: f64 = 20_000.0;
/// The shortest wait, so that there is never a tight loop.
const FLOOR_MS: f64 = 200.0;

/// Exponential backoff with full jitter (Brooker, "Exponential Backoff And
/// Jitter", AWS Architecture Blog, 2015), so that clients that lost the same
/// server do not all reconnect at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Backoff {
    failures: i32,
}

impl Backoff {
    /// The next wait, in milliseconds; `chance` is uniform in `0.0..1.0`.
    pub(super) fn next_ms(&mut self, chance: f64) -> u32 {
        let bound = (FIRST_MS * 2f64.powi(self.failures)).min(CEILING_MS);
        self.failures = (self.failures + 1).min(16);
        (FLOOR_MS + chance * (bound - FLOOR_MS)) as u32
    }

    /// Forgets the failures. Only prices that arrive count as success; an open
    /// connection alone does not.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_ceiling_and_begin_again() {
        let mut backoff = Backoff::default();
        let longest: Vec<_> = (0..8).map(|_| backoff.next_ms(1.0)).collect();
        assert_eq!(longest[..4], [500, 1_000, 2_000, 4_000]);
        assert_eq!(longest[7], 20_000);
        assert_eq!(backoff.next_ms(0.0), 200);
        backoff.reset();
        assert_eq!(backoff.next_ms(1.0), 500);
    }
}
