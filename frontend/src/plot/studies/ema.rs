//! Exponential moving average of the close.

use super::averages::Weighted;
use super::{Line, Pane, Since, Source, Study, Style, Values, one};
use crate::plot::{Bar, Step};

pub(super) const STUDY: Study = Study {
    key: "ema",
    name: "EMA",
    label: "EMA",
    period: Some(50),
    pane: Pane::Price,
    lines: &[Line {
        colour: 2,
        style: Style::Thin,
    }],
    values: Source::Bars(|period| Box::new(Ema(Weighted::exponential(period)))),
    since: Since::Any,
};

#[derive(Clone)]
struct Ema(Weighted);

impl Step<Values> for Ema {
    fn push(&mut self, bar: &Bar) -> Values {
        one(self.0.push(bar.close))
    }
}

#[cfg(test)]
mod tests {
    use crate::plot::studies::tests::{AVERAGED, closes, values};

    #[test]
    fn it_is_the_published_one() {
        let published = [
            22.22, 22.21, 22.24, 22.27, 22.33, 22.52, 22.80, 22.97, 23.12, 23.28, 23.34, 23.43,
            23.51, 23.53, 23.47, 23.40, 23.39, 23.26, 23.23, 23.08, 22.92,
        ];
        let found = values("ema10", &closes(&AVERAGED), 0);
        for (found, published) in found.iter().zip(published) {
            // The published values were computed from prices with more
            // decimals.
            assert!((found - published).abs() < 0.011, "{found} {published}");
        }
        assert_eq!(found.len(), published.len());
    }
}
