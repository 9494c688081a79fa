//! What the chart draws: a symbol's prices since the page was opened.

use std::collections::VecDeque;

use crate::plot::Point;

/// Ticks closer than this are one point, in µs.
const BUCKET_US: f64 = 250_000.0;
/// The oldest points go beyond this: 17 minutes of a busy symbol, 160 KB.
const POINTS_MAX: usize = 4_096;

/// A ring of points; bounded, whatever a hidden tab misses to draw.
#[derive(Clone, Debug, Default)]
pub struct History {
    points: VecDeque<Point>,
    /// Which bucket the newest point is of.
    bucket: f64,
}

impl History {
    /// The points, oldest first.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = &Point> + Clone {
        self.points.iter()
    }

    /// Adds a tick; `time` is in µs since the epoch.
    pub fn push(&mut self, time: f64, price: f64) {
        let bucket = (time / BUCKET_US).floor();
        if let Some(point) = self.points.back_mut()
            && bucket == self.bucket
            && !point.close.is_nan()
        {
            point.low = point.low.min(price);
            point.high = point.high.max(price);
            point.close = price;
            return;
        }
        self.bucket = bucket;
        self.add(Point {
            time,
            low: price,
            high: price,
            close: price,
        });
    }

    /// Notes that what happened since the newest point is not known.
    pub fn break_off(&mut self) {
        if let Some(Point { time, .. }) = self.points.back().copied() {
            self.add(Point {
                time,
                low: f64::NAN,
                high: f64::NAN,
                close: f64::NAN,
            });
        }
    }

    fn add(&mut self, point: Point) {
        if self.points.len() == POINTS_MAX {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_of_one_moment_are_one_point() {
        let mut history = History::default();
        for (time, price) in [(0.0, 5.0), (1e5, 9.0), (2e5, 7.0), (3e5, 8.0)] {
            history.push(time, price);
        }
        let points: Vec<_> = history.points().map(|p| (p.low, p.high, p.close)).collect();
        assert_eq!(points, [(5.0, 9.0, 7.0), (8.0, 8.0, 8.0)]);
    }

    #[test]
    fn the_ring_is_bounded() {
        let mut history = History::default();
        for index in 0..10_000 {
            history.push(f64::from(index) * 1e6, 1.0);
        }
        assert_eq!(history.points().count(), POINTS_MAX);
        history.break_off();
        assert_eq!(history.points().count(), POINTS_MAX);
    }
}
