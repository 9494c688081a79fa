//! The prices of a sparkline: those of a symbol since the page was opened.

/// The most points. A sparkline is not wider, so more points are merged.
const POINTS_MAX: usize = 64;
/// The first length of a bucket, in µs. Prices in one bucket are one point.
const BUCKET_US: f64 = 500_000.0;

/// A symbol's prices since the page was opened: the last one in each bucket of
/// time. Buckets become longer as time passes, so the number of points stays
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
