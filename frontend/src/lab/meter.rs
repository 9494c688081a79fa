//! What one transport brought.

use hdrhistogram::Histogram;
use shared::{ServerMessage, Verdict};

/// The longest age that is told apart from longer ones: ten minutes, in µs.
const AGE_MAX_US: u64 = 600_000_000;

/// Ages of ticks when they arrived.
pub(super) struct Meter {
    /// In µs, to a hundredth.
    ages: Histogram<u64>,
}

impl Meter {
    pub(super) fn new() -> Option<Self> {
        let ages = Histogram::new_with_bounds(1, AGE_MAX_US, 2).ok()?;
        Some(Self { ages })
    }

    /// Takes in what arrived when the server's clock said `now_us`.
    pub(super) fn observe(&mut self, message: &ServerMessage, verdict: Verdict, now_us: f64) {
        let ServerMessage::Ticks { ticks, .. } = message else {
            return;
        };
        let seen = match verdict {
            Verdict::Apply => 0,
            Verdict::ApplyAfter(seen) => seen,
        };
        for tick in ticks.iter().filter(|tick| tick.seq > seen) {
            let age_us = (now_us - tick.at() as f64).max(1.0) as u64;
            self.ages.saturating_record(age_us);
        }
    }

    /// The age below which this share of the ticks was, in ms; `None` before
    /// the first tick.
    pub(super) fn age_ms(&self, share: f64) -> Option<f64> {
        let us = self.ages.value_at_quantile(share) as f64;
        (!self.ages.is_empty()).then_some(us / 1e3)
    }

    /// How many ticks were how old: the upper ends of bars, in ms, each a
    /// quarter more than the one before, from a tenth on.
    pub(super) fn bars(&self) -> Vec<(f64, u64)> {
        let mut bars = Vec::new();
        let mut low_us = 0;
        let mut high_us = 100.0f64;
        while low_us < AGE_MAX_US {
            let count = self.ages.count_between(low_us + 1, high_us as u64);
            if count > 0 {
                bars.push((high_us / 1e3, count));
            }
            low_us = high_us as u64;
            high_us *= 1.25;
        }
        bars
    }
}
