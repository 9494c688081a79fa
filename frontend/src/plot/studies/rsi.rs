//! Wilder's relative strength index (Wilder, "New Concepts in Technical Trading
//! Systems", 1978).

use super::averages::Weighted;
use super::{Line, NONE, Pane, Range, Since, Source, Study, Style, Text, Values, one};
use crate::plot::{Bar, Step};

pub(super) const STUDY: Study = Study {
    key: "rsi",
    name: "RSI",
    label: "RSI",
    period: Some(14),
    pane: Pane::Own {
        range: Range::Fixed(0.0, 100.0),
        guides: &[30.0, 70.0],
        text: Text::Decimals(2),
    },
    lines: &[Line {
        colour: 1,
        style: Style::Thin,
    }],
    values: Source::Bars(|period| {
        Box::new(Rsi {
            last: NONE,
            gain: Weighted::wilder(period),
            loss: Weighted::wilder(period),
        })
    }),
    since: Since::Any,
};

#[derive(Clone)]
struct Rsi {
    /// The close before.
    last: f64,
    gain: Weighted,
    loss: Weighted,
}

impl Step<Values> for Rsi {
    fn push(&mut self, bar: &Bar) -> Values {
        let change = bar.close - self.last;
        self.last = bar.close;
        if change.is_nan() {
            return one(NONE);
        }
        let gain = self.gain.push(change.max(0.0));
        let loss = self.loss.push((-change).max(0.0));
        one(if loss == 0.0 {
            // Without any change, neither side is stronger.
            if gain == 0.0 { 50.0 } else { 100.0 }
        } else {
            100.0 - 100.0 / (1.0 + gain / loss)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::plot::studies::tests::{check, closes, values};

    /// StockCharts ChartSchool, "Relative Strength Index", the spreadsheet.
    #[test]
    fn the_relative_strength_is_the_published_one() {
        let prices = [
            44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433,
            46.0826, 45.8931, 46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116,
            46.2222, 45.6439, 46.2122, 46.2521, 45.7137, 46.4515, 45.7835, 45.3548, 44.0288,
            44.1783, 44.2181, 44.5672, 43.4205, 42.6628, 43.1314,
        ];
        let published = [
            70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42,
            39.99, 41.46, 41.87, 45.46, 37.30, 33.08, 37.77,
        ];
        check("rsi14", &closes(&prices), 0, &published);
    }

    #[test]
    fn the_strength_has_its_limits() {
        let rising: Vec<f64> = (0..20).map(f64::from).collect();
        assert_eq!(values("rsi14", &closes(&rising), 0)[0], 100.0);
        assert_eq!(values("rsi14", &closes(&[5.0; 20]), 0)[0], 50.0);
    }
}
