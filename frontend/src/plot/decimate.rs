//! Fewer points than pixels, and no peak lost.

use super::Scale;

/// What a price did around one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// µs since the epoch.
    pub time: f64,
    /// The lowest price.
    pub low: f64,
    /// The highest price.
    pub high: f64,
    /// The last price; NaN where a line must break because what happened
    /// there is not known.
    pub close: f64,
}

/// One column of pixels: where the line enters it, how far it reaches, where it
/// leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// The pixel, counted in the same units as the scale's.
    pub x: f64,
    /// The first price of the column.
    pub first: f64,
    /// The lowest.
    pub low: f64,
    /// The highest.
    pub high: f64,
    /// The last; NaN for a break.
    pub last: f64,
}

/// At most one column for each whole pixel, with breaks between: a line through
/// first and last of each, and a band from low to high, show what all points
/// would.
pub fn columns<'p>(points: impl Iterator<Item = &'p Point>, x: &Scale, out: &mut Vec<Column>) {
    out.clear();
    for point in points {
        let pixel = x.pixel(point.time).floor();
        match out.last_mut() {
            _ if point.close.is_nan() => {
                if out.last().is_some_and(|column| !column.last.is_nan()) {
                    out.push(Column {
                        x: pixel,
                        first: f64::NAN,
                        low: f64::NAN,
                        high: f64::NAN,
                        last: f64::NAN,
                    });
                }
            }
            Some(column) if column.x == pixel && !column.last.is_nan() => {
                column.low = column.low.min(point.low);
                column.high = column.high.max(point.high);
                column.last = point.close;
            }
            _ => out.push(Column {
                x: pixel,
                first: point.close,
                low: point.low,
                high: point.high,
                last: point.close,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(time: f64, price: f64) -> Point {
        Point {
            time,
            low: price,
            high: price,
            close: price,
        }
    }

    proptest! {
        #[test]
        fn no_peak_is_lost_and_columns_are_few(prices in proptest::collection::vec(0.0..100.0f64, 1..500)) {
            let points: Vec<_> = prices.iter().zip(0..).map(|(p, t)| point(f64::from(t), *p)).collect();
            let scale = Scale::new((0.0, points.len() as f64), (0.0, 40.0));
            let mut out = Vec::new();
            columns(points.iter(), &scale, &mut out);
            prop_assert!(out.len() <= 41);
            let high = out.iter().map(|c| c.high).fold(f64::MIN, f64::max);
            let low = out.iter().map(|c| c.low).fold(f64::MAX, f64::min);
            prop_assert_eq!(high, prices.iter().copied().fold(f64::MIN, f64::max));
            prop_assert_eq!(low, prices.iter().copied().fold(f64::MAX, f64::min));
            prop_assert_eq!(out[out.len() - 1].last, prices[prices.len() - 1]);
            prop_assert!(out.windows(2).all(|w| w[0].x < w[1].x));
        }
    }

    #[test]
    fn a_gap_breaks_the_line() {
        let points = [
            point(0.0, 1.0),
            point(1.0, f64::NAN),
            point(1.0, f64::NAN),
            point(2.0, 3.0),
        ];
        let mut out = Vec::new();
        columns(
            points.iter(),
            &Scale::new((0.0, 2.0), (0.0, 20.0)),
            &mut out,
        );
        let breaks: Vec<_> = out.iter().map(|c| c.last.is_nan()).collect();
        assert_eq!(breaks, [false, true, false]);
    }
}
