//! Wilder's average true range (Wilder, "New Concepts in Technical Trading
//! Systems", 1978): his average of each bar's range, counted from the close
//! before.

use super::averages::Weighted;
use super::{Line, NONE, Pane, Range, Since, Source, Study, Style, Text, Values, one};
use crate::plot::{Bar, Step};

pub(super) const STUDY: Study = Study {
    key: "atr",
    name: "ATR",
    label: "ATR",
    period: Some(14),
    pane: Pane::Own {
        range: Range::Visible,
        guides: &[],
        text: Text::Price,
    },
    lines: &[Line {
        colour: 2,
        style: Style::Thin,
    }],
    values: Source::Bars(|period| {
        Box::new(Atr {
            close: NONE,
            average: Weighted::wilder(period),
        })
    }),
    since: Since::Any,
};

#[derive(Clone)]
struct Atr {
    /// The close before; NaN at the first bar, whose range is that of its own
    /// prices.
    close: f64,
    average: Weighted,
}

impl Step<Values> for Atr {
    fn push(&mut self, bar: &Bar) -> Values {
        // The larger of a number and NaN is the number.
        let (high, low) = (bar.high.max(self.close), bar.low.min(self.close));
        self.close = bar.close;
        one(self.average.push(high - low))
    }
}

#[cfg(test)]
mod tests {
    use crate::plot::Bar;
    use crate::plot::studies::tests::values;

    /// StockCharts ChartSchool, "Average True Range", the spreadsheet: high, low
    /// and close.
    const BARS: [[f64; 3]; 30] = [
        [48.70, 47.79, 48.16],
        [48.72, 48.14, 48.61],
        [48.90, 48.39, 48.75],
        [48.87, 48.37, 48.63],
        [48.82, 48.24, 48.74],
        [49.05, 48.64, 49.03],
        [49.20, 48.94, 49.07],
        [49.35, 48.86, 49.32],
        [49.92, 49.50, 49.91],
        [50.19, 49.87, 50.13],
        [50.12, 49.20, 49.53],
        [49.66, 48.90, 49.50],
        [49.88, 49.43, 49.75],
        [50.19, 49.73, 50.03],
        [50.36, 49.26, 50.31],
        [50.57, 50.09, 50.52],
        [50.65, 50.30, 50.41],
        [50.43, 49.21, 49.34],
        [49.63, 48.98, 49.37],
        [50.33, 49.61, 50.23],
        [50.29, 49.20, 49.24],
        [50.17, 49.43, 49.93],
        [49.32, 48.08, 48.43],
        [48.50, 47.64, 48.18],
        [48.32, 41.55, 46.57],
        [46.80, 44.28, 45.41],
        [47.80, 47.31, 47.77],
        [48.39, 47.20, 47.72],
        [48.66, 47.90, 48.62],
        [48.79, 47.73, 47.85],
    ];

    #[test]
    fn the_range_is_the_published_one() {
        let published = [
            0.56, 0.59, 0.59, 0.57, 0.62, 0.62, 0.64, 0.67, 0.69, 0.78, 0.78, 1.21, 1.30, 1.38,
            1.37, 1.34, 1.32,
        ];
        let bar = |[high, low, close]: [f64; 3]| Bar {
            time: 0.0,
            open: close,
            high,
            low,
            close,
            volume: 1.0,
        };
        let found = values("atr14", &BARS.map(bar), 0);
        assert_eq!(found.len(), published.len());
        for (found, published) in found.iter().zip(published) {
            // The published values were computed from prices with more
            // decimals.
            assert!((found - published).abs() < 0.011, "{found} {published}");
        }
    }
}
