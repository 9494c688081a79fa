//! The prices of a sparkline: those of a symbol in the last day.

use crate::plot::DAY_US;

/// The most points. A sparkline is not wider, so more points are merged.
const POINTS_MAX: usize = 64;
/// So many points stay, however old they are: a replay has a few a day.
const POINTS_MIN: usize = 32;
/// The first length of a bucket, in µs. Prices in one bucket are one point.
const BUCKET_US: f64 = 500_000.0;

/// A symbol's prices of the last day: the last one in each bucket of time. Buckets become longer as time passes, so the number of points stays
/// small.
#[derive(Clone, Debug)]
pub struct Spark {
    /// The bucket's number and its last price, in order of time.
    points: Vec<(f64, f64)>,
    bucket_us: f64,
}

impl Default for Spark {
    fn default() -> Self {
        Self {
            points: Vec::new(),
            bucket_us: BUCKET_US,
        }
    }
}

impl Spark {
    /// The bucket's number and the price of each point, in order of time.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// Puts the prices of earlier, in order of time, before those that it has.
    pub(super) fn begin_with(&mut self, earlier: impl Iterator<Item = (f64, f64)>) {
        let since = std::mem::take(self);
        earlier.for_each(|(time, price)| self.push(time, price));
        for (bucket, price) in since.points {
            self.push(bucket * since.bucket_us, price);
        }
    }

    /// Adds a price; `time` is in µs since the epoch. A late price is left out.
    /// A price older than all points starts the line again: it is from another
    /// run or another file.
    pub(super) fn push(&mut self, time: f64, price: f64) {
        let bucket = (time / self.bucket_us).floor();
        match self.points.last_mut() {
            Some(newest) if newest.0 == bucket => {
                newest.1 = price;
                return;
            }
            Some(newest) if newest.0 > bucket => {
                if self.points[0].0 > bucket {
                    *self = Self::default();
                    self.push(time, price);
                }
                return;
            }
            _ => self.points.push((bucket, price)),
        }
        let first = bucket - DAY_US / self.bucket_us;
        let spare = self.points.len().saturating_sub(POINTS_MIN);
        let old = self.points[..spare].iter();
        let old = old.take_while(|(bucket, _)| *bucket < first).count();
        self.points.drain(..old);
        while self.points.len() > POINTS_MAX {
            self.thin();
        }
    }

    /// Doubles the length of buckets. Where two become one, the later price is
    /// kept.
    fn thin(&mut self) {
        self.bucket_us *= 2.0;
        let old = std::mem::take(&mut self.points);
        for (bucket, price) in old {
            let bucket = (bucket / 2.0).floor();
            match self.points.last_mut() {
                Some(newest) if newest.0 == bucket => newest.1 = price,
                _ => self.points.push((bucket, price)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_stays_small_and_ends_at_the_last_price(
            steps in proptest::collection::vec(0.0..5e6f64, 1..2_000),
        ) {
            let mut spark = Spark::default();
            let mut time = 1e15;
            for (step, price) in steps.iter().zip(0..) {
                time += step;
                spark.push(time, f64::from(price));
            }
            let points = spark.points();
            prop_assert!(points.len() <= POINTS_MAX);
            prop_assert!(points.windows(2).all(|w| w[0].0 < w[1].0));
            prop_assert_eq!(points[points.len() - 1].1, (steps.len() - 1) as f64);
        }
    }

    #[test]
    fn a_day_is_kept() {
        let mut spark = Spark::default();
        spark.push(2e6, 5.0);
        let day = (0..96).map(|n| (f64::from(n - 95) * 9e8, f64::from(n)));
        spark.begin_with(day);
        let points = spark.points();
        assert!((40..=POINTS_MAX).contains(&points.len()));
        assert_eq!(points[points.len() - 1].1, 5.0);
        // Two days later.
        for n in 0..192 {
            spark.push(f64::from(n) * 9e8, f64::from(n));
        }
        let points = spark.points();
        let span = (points[points.len() - 1].0 - points[0].0) * spark.bucket_us;
        assert!((0.9..=1.01).contains(&(span / DAY_US)), "{span}");
        // A replay's days.
        for n in 0..500 {
            spark.push((f64::from(n) + 1e3) * DAY_US, f64::from(n));
        }
        assert!((POINTS_MIN..=POINTS_MAX).contains(&spark.points().len()));
    }

    #[test]
    fn late_is_left_out_and_older_than_all_begins_anew() {
        let mut spark = Spark::default();
        spark.push(5e6, 1.0);
        spark.push(9e6, 2.0);
        spark.push(7e6, 9.0);
        assert_eq!(spark.points(), [(10.0, 1.0), (18.0, 2.0)]);
        spark.push(1e6, 3.0);
        assert_eq!(spark.points(), [(2.0, 3.0)]);
    }
}
