//! Bars merged to the detail that a zoom level can show.

use super::Bar;
use super::bars::merge;

/// Bars merged into longer ones, and kept from frame to frame: panning merges
/// nothing, and a tick merges only the newest bar.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    merged: Vec<Bar>,
    /// What was merged, and how.
    of: Option<Source>,
    /// The index of the first source bar in the newest merged bar.
    open_from: usize,
    tail: Vec<Bar>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Source {
    first_us: f64,
    bucket_us: f64,
    closes: bool,
}

impl Detail {
    /// Merges bars into buckets of `bucket_us`; with `closes`, only their
    /// closing prices, as a line shows them. Since the last call, bars may only
    /// have been added or changed at the end, unless the first bar is another
    /// one.
    pub fn update(&mut self, bars: &[Bar], bucket_us: f64, closes: bool) -> &[Bar] {
        let source = bars.first().map(|first| Source {
            first_us: first.time,
            bucket_us,
            closes,
        });
        if source != self.of || self.open_from >= bars.len() {
            self.of = source;
            self.merged.clear();
            self.open_from = 0;
        }
        let fresh = &bars[self.open_from.min(bars.len())..];
        if closes {
            let flat: Vec<Bar> = fresh.iter().map(Bar::flat).collect();
            merge(&flat, bucket_us, &mut self.tail);
        } else {
            merge(fresh, bucket_us, &mut self.tail);
        }
        self.merged.pop();
        self.merged.append(&mut self.tail);
        if let Some(newest) = self.merged.last() {
            self.open_from = bars.partition_point(|bar| bar.time < newest.time);
        }
        &self.merged
    }

    /// The next update merges all bars again.
    pub fn clear(&mut self) {
        self.of = None;
    }

    /// The bars as last updated.
    pub fn bars(&self) -> &[Bar] {
        &self.merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn step_by_step_is_as_all_at_once(
            prices in proptest::collection::vec(1.0..100.0f64, 1..200),
            stops in proptest::collection::vec(1usize..200, 0..8),
            doublings in 0i32..6,
            closes: bool,
        ) {
            let mut bars: Vec<Bar> = (0..).zip(&prices).map(|(i, price)| Bar {
                time: f64::from(i) * 3.0,
                open: *price,
                high: price + 1.0,
                low: price - 1.0,
                close: price + 0.5,
                volume: 1.0,
            }).collect();
            let bucket = 3.0 * 2f64.powi(doublings);
            let mut detail = Detail::default();
            let mut stops: Vec<usize> = stops.into_iter().map(|stop| stop.min(bars.len())).collect();
            stops.sort_unstable();
            for stop in stops {
                let last = bars[stop - 1];
                // The newest bar was still open.
                bars[stop - 1].close -= 0.25;
                detail.update(&bars[..stop], bucket, closes);
                bars[stop - 1] = last;
            }
            detail.update(&bars, bucket, closes);
            let mut expect = Detail::default();
            expect.update(&bars, bucket, closes);
            prop_assert_eq!(detail.bars(), expect.bars());
        }
    }
}
