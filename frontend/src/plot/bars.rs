//! Candles for drawing: floating point, in order of time.

use std::ops::Range;

/// One candle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Its start, in µs since the epoch.
    pub time: f64,
    /// The first price.
    pub open: f64,
    /// The highest price.
    pub high: f64,
    /// The lowest price.
    pub low: f64,
    /// The last price.
    pub close: f64,
    /// The quantity traded.
    pub volume: f64,
}

impl Bar {
    /// Whether it closed at or above its open.
    pub fn rose(&self) -> bool {
        self.close >= self.open
    }

    /// The bar with its close as every price.
    pub(super) fn flat(&self) -> Self {
        Self {
            open: self.close,
            high: self.close,
            low: self.close,
            ..*self
        }
    }

    /// Merges the following bar into this one.
    fn absorb(&mut self, next: &Self) {
        self.high = self.high.max(next.high);
        self.low = self.low.min(next.low);
        self.close = next.close;
        self.volume += next.volume;
    }
}

/// The range of bars, in order of time, that are visible between two times, and
/// one more on either side, so that a line reaches the edge.
pub fn visible(bars: &[Bar], from: f64, to: f64) -> Range<usize> {
    let begin = bars.partition_point(|bar| bar.time < from);
    let end = bars.partition_point(|bar| bar.time <= to);
    begin.saturating_sub(1)..(end + 1).min(bars.len())
}

/// The bar whose middle is nearest to this time.
pub fn nearest(bars: &[Bar], interval_us: f64, time: f64) -> Option<usize> {
    let distance = |index: &usize| (bars[*index].time + interval_us / 2.0 - time).abs();
    let after = bars.partition_point(|bar| bar.time < time);
    let near = after.saturating_sub(1)..(after + 1).min(bars.len());
    near.min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// The lowest and the highest price; `None` without bars.
pub fn price_extent(bars: &[Bar]) -> Option<(f64, f64)> {
    let first = bars.first()?;
    let start = (first.low, first.high);
    Some(bars.iter().fold(start, |(low, high), bar| {
        (low.min(bar.low), high.max(bar.high))
    }))
}

/// The length of a bucket in which bars are merged, so that one is at least
/// `px_min` pixels wide: the interval, doubled as often as needed. Buckets that
/// are the interval times a power of two do not move with the view, so the
/// merged bars do not flicker.
pub fn bucket_us(interval_us: f64, us_per_px: f64, px_min: f64) -> f64 {
    let needed = px_min * us_per_px / interval_us;
    if needed.is_finite() && needed > 1.0 {
        interval_us * 2f64.powi(needed.log2().ceil() as i32)
    } else {
        interval_us
    }
}

/// Merges bars into buckets of `bucket_us`: the first open, the highest and
/// lowest price, the last close, and the sum of volumes.
pub fn merge(bars: &[Bar], bucket_us: f64, out: &mut Vec<Bar>) {
    out.clear();
    // The end of the bucket is kept, to save a division for each bar.
    let mut end = f64::NEG_INFINITY;
    for bar in bars {
        match out.last_mut() {
            Some(last) if bar.time < end => last.absorb(bar),
            _ => {
                let start = (bar.time / bucket_us).floor() * bucket_us;
                end = start + bucket_us;
                out.push(Bar {
                    time: start,
                    ..*bar
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bar(time: f64, price: f64) -> Bar {
        Bar {
            time,
            open: price,
            high: price + 1.0,
            low: price - 1.0,
            close: price + 0.5,
            volume: 2.0,
        }
    }

    fn bars(prices: &[f64]) -> Vec<Bar> {
        (0..)
            .zip(prices)
            .map(|(i, price)| bar(f64::from(i), *price))
            .collect()
    }

    #[test]
    fn what_is_visible_and_one_more() {
        let all = bars(&[1.0; 10]);
        assert_eq!(visible(&all, 3.0, 5.0), 2..7);
        assert_eq!(visible(&all, -5.0, 0.0), 0..2);
        assert_eq!(visible(&all, 50.0, 60.0), 9..10);
        assert_eq!(visible(&[], 0.0, 1.0), 0..0);
    }

    #[test]
    fn the_nearest_bar() {
        let all = bars(&[1.0; 10]);
        assert_eq!(nearest(&all, 1.0, 3.4), Some(3));
        assert_eq!(nearest(&all, 1.0, 3.99), Some(3));
        assert_eq!(nearest(&all, 1.0, 4.01), Some(4));
        assert_eq!(nearest(&all, 1.0, -9.0), Some(0));
        assert_eq!(nearest(&all, 1.0, 99.0), Some(9));
        assert_eq!(nearest(&[], 1.0, 0.0), None);
    }

    #[test]
    fn buckets_double() {
        assert_eq!(bucket_us(1e6, 1e5, 1.0), 1e6);
        assert_eq!(bucket_us(1e6, 1e6, 1.0), 1e6);
        assert_eq!(bucket_us(1e6, 1.5e6, 1.0), 2e6);
        assert_eq!(bucket_us(1e6, 5e6, 1.0), 8e6);
        assert_eq!(bucket_us(1e6, f64::NAN, 1.0), 1e6);
    }

    proptest! {
        #[test]
        fn merging_loses_no_extreme_and_no_volume(
            prices in proptest::collection::vec(2.0..100.0f64, 1..300),
            doublings in 0i32..10,
        ) {
            let all = bars(&prices);
            let bucket = 2f64.powi(doublings);
            let mut out = Vec::new();
            merge(&all, bucket, &mut out);
            prop_assert!(out.len() as f64 <= all.len() as f64 / bucket + 1.0);
            prop_assert_eq!(price_extent(&out), price_extent(&all));
            prop_assert_eq!(out.iter().map(|b| b.volume).sum::<f64>(), 2.0 * all.len() as f64);
            prop_assert_eq!(out[0].open, all[0].open);
            prop_assert_eq!(out[out.len() - 1].close, all[all.len() - 1].close);
            prop_assert!(out.windows(2).all(|w| w[0].time < w[1].time));
            // The result is the same from whichever bar the merge starts.
            let mut tail = Vec::new();
            let from = all.partition_point(|b| b.time < bucket);
            merge(&all[from..], bucket, &mut tail);
            prop_assert_eq!(&tail[..], &out[out.len() - tail.len()..]);
        }
    }
}
