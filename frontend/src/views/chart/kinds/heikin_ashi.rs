//! Heikin-Ashi: candles of averages, which show the direction of prices more
//! than prices themselves. A bar closes at the mean of its four prices and opens
//! in the middle of the bar before (Valcu, "Using the Heikin-Ashi Technique",
//! Technical Analysis of Stocks & Commodities, 2004).

use super::Kind;
use crate::plot::{Bar, Step};

pub(super) const KIND: Kind = Kind {
    key: "heikin",
    name: "Heikin-Ashi",
    shortcut: "h",
    closes: false,
    bars: Some(|| Box::new(HeikinAshi { before: None })),
    draw: |marks, shown| marks.candles(shown.bars, shown.y),
};

#[derive(Clone)]
struct HeikinAshi {
    /// The open and the close of the bar before, as it is shown.
    before: Option<(f64, f64)>,
}

impl Step<Bar> for HeikinAshi {
    fn push(&mut self, bar: &Bar) -> Bar {
        let close = (bar.open + bar.high + bar.low + bar.close) / 4.0;
        let (open, closed) = self.before.unwrap_or((bar.open, bar.close));
        let open = f64::midpoint(open, closed);
        self.before = Some((open, close));
        Bar {
            open,
            high: bar.high.max(open),
            low: bar.low.min(open),
            close,
            ..*bar
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Growing;

    /// By hand.
    #[test]
    fn bars_are_averages() {
        let bar = |time, open, high, low, close| Bar {
            time,
            open,
            high,
            low,
            close,
            volume: 7.0,
        };
        let bars = [
            bar(0.0, 10.0, 14.0, 8.0, 12.0),
            bar(1.0, 20.0, 24.0, 18.0, 22.0),
            bar(2.0, 13.0, 14.0, 12.0, 13.0),
        ];
        let mut shown = Growing::new(Box::new(HeikinAshi { before: None }));
        let expect = [
            bar(0.0, 11.0, 14.0, 8.0, 11.0),
            bar(1.0, 11.0, 24.0, 11.0, 21.0),
            bar(2.0, 16.0, 16.0, 12.0, 13.0),
        ];
        assert_eq!(shown.update(&bars), expect);
    }
}
