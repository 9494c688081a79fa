//! What the chart draws: a symbol's prices since the page was opened.

use crate::plot::Point;

/// Ticks closer than this are one point, in µs.
const BUCKET_US: f64 = 250_000.0;
/// More points than this are made fewer: 130 KB.
const POINTS_MAX: usize = 4_096;

/// A symbol's prices, all of them since the page was opened: fine where they
/// are new and coarser the older they are. Bounded, however long it runs and
/// whatever a hidden tab misses to draw.
#[derive(Clone, Debug, Default)]
pub struct History {
    points: Vec<Point>,
    /// Which bucket the newest point is of.
    bucket: f64,
}

impl History {
    /// The points, oldest first.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = &Point> + Clone {
        self.points.iter()
    }

    /// Adds a tick; `time` is in µs since the epoch. One that is older than
    /// the newest begins a new history: another run, another file.
    pub fn push(&mut self, time: f64, price: f64) {
        if self.points.last().is_some_and(|newest| time < newest.time) {
            self.points.clear();
        }
        let bucket = (time / BUCKET_US).floor();
        if let Some(point) = self.points.last_mut()
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
        if let Some(Point { time, .. }) = self.points.last().copied() {
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
            self.thin();
        }
        self.points.push(point);
    }

    /// Makes the older half half as many, two neighbours becoming one that has
    /// the extremes of both; breaks stay.
    fn thin(&mut self) {
        let old: Vec<Point> = self.points.drain(..POINTS_MAX / 2).collect();
        let merged = old.chunks(2).flat_map(|pair| match pair {
            [a, b] if a.close.is_nan() == b.close.is_nan() => vec![Point {
                time: b.time,
                low: a.low.min(b.low),
                high: a.high.max(b.high),
                close: b.close,
            }],
            pair => pair.to_vec(),
        });
        self.points.splice(0..0, merged);
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
    fn it_is_bounded_and_forgets_no_extreme() {
        let mut history = History::default();
        for index in 0..200_000 {
            let price = if index == 77 { 9.0 } else { 1.0 };
            history.push(f64::from(index) * 1e6, price);
            if index % 1_000 == 0 {
                history.break_off();
            }
        }
        let points: Vec<_> = history.points().collect();
        assert!(points.len() <= POINTS_MAX, "{}", points.len());
        assert!(points.iter().any(|point| point.high == 9.0));
        assert!(points[0].time < 200e6, "the beginning is still there");
        let newest = points.len() - 500;
        let steps = points[newest..].windows(2).map(|w| w[1].time - w[0].time);
        assert!(steps.clone().all(|step| step <= 1e6), "the newest are fine");
        assert!(points.windows(2).all(|w| w[0].time <= w[1].time));
    }

    #[test]
    fn a_time_that_runs_back_begins_anew() {
        let mut history = History::default();
        history.push(9e6, 1.0);
        history.push(2e6, 5.0);
        assert_eq!(history.points().count(), 1);
    }
}
