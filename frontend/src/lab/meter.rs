//! The ages of the ticks that one channel delivered.

use hdrhistogram::Histogram;
use shared::{ServerMessage, Verdict};

/// The longest age that is recorded: ten minutes, in µs. Longer ages count as
/// this one.
const AGE_MAX_US: u64 = 600_000_000;
/// The upper end of the first bar of the histogram, in µs, and the factor from
/// the end of each bar to the end of the next.
const FIRST_BAR_US: f64 = 100.0;
pub(super) const BAR_GROWTH: f64 = 1.25;
/// The number of bars: enough for the longest age.
pub(super) const BARS_MAX: usize = 72;

/// Ages of ticks when they arrived.
pub(super) struct Meter {
    /// In µs, to two significant digits.
    ages: Histogram<u64>,
    max_us: u64,
    /// How many ticks are in each bar.
    bars: Vec<u64>,
}

impl Meter {
    pub(super) fn new() -> Option<Self> {
        Some(Self {
            ages: Histogram::new_with_bounds(1, AGE_MAX_US, 2).ok()?,
            max_us: 0,
            bars: vec![0; BARS_MAX],
        })
    }

    /// Records the ages of the ticks in a message that arrived when the
    /// server's clock showed `now_us`.
    pub(super) fn observe(&mut self, message: &ServerMessage, verdict: Verdict, now_us: f64) {
        let ServerMessage::Ticks { ticks, .. } = message else {
            return;
        };
        for tick in verdict.fresh(ticks) {
            // An error of the clock's offset can make an age negative.
            self.record((now_us - tick.at().micros() as f64).max(1.0) as u64);
        }
    }

    fn record(&mut self, age_us: u64) {
        self.ages.saturating_record(age_us);
        self.max_us = self.max_us.max(age_us);
        let place = (age_us as f64 / FIRST_BAR_US).ln() / BAR_GROWTH.ln();
        let place = (place.ceil().max(0.0) as usize).min(BARS_MAX - 1);
        self.bars[place] += 1;
    }

    /// The age that this share of the ticks did not exceed, in ms; `None`
    /// before the first tick.
    pub(super) fn age_ms(&self, share: f64) -> Option<f64> {
        let us = self.ages.value_at_quantile(share).min(self.max_us);
        (self.max_us > 0).then_some(us as f64 / 1e3)
    }

    /// The highest age, in ms.
    pub(super) fn age_max_ms(&self) -> Option<f64> {
        (self.max_us > 0).then_some(self.max_us as f64 / 1e3)
    }

    /// The histogram of ages: the upper ends of its bars, in ms, and their
    /// counts.
    pub(super) fn bars(&self) -> Vec<(f64, u64)> {
        let bars = self.bars.iter().zip(0..);
        let bars = bars.filter(|(count, _)| **count > 0);
        bars.map(|(count, place)| (FIRST_BAR_US * BAR_GROWTH.powi(place) / 1e3, *count))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tick_is_in_one_bar() {
        let mut meter = Meter::new().unwrap();
        let ages = (0..6_000u64).map(|step| 1 + step * step);
        ages.clone().for_each(|age_us| meter.record(age_us));
        let bars = meter.bars();
        assert_eq!(bars.iter().map(|bar| bar.1).sum::<u64>(), 6_000);
        let mut low_ms = 0.0;
        for (high_ms, _) in &bars {
            let inside = ages.clone().filter(|us| {
                let ms = *us as f64 / 1e3;
                ms > low_ms && ms <= *high_ms
            });
            let count = bars.iter().find(|bar| bar.0 == *high_ms).unwrap().1;
            assert_eq!(inside.count() as u64, count, "up to {high_ms} ms");
            low_ms = *high_ms;
        }
        assert_eq!(meter.age_max_ms(), Some(35_988.002));
        let median_ms = meter.age_ms(0.5).unwrap();
        assert!((median_ms - 9_000.0).abs() < 100.0, "{median_ms}");
    }
}
