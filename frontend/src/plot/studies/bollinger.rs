//! Bollinger bands: the simple average of the close, and two standard deviations
//! (of the population, as Bollinger defines them) above and below it.

use super::averages::Window;
use super::{Line, Pane, Since, Source, Study, Style, Values};
use crate::plot::{Bar, Step};

/// The distance of the bands from the average, in standard deviations.
const DEVIATIONS: f64 = 2.0;

const LINE: Line = Line {
    colour: 4,
    style: Style::Thin,
};

pub(super) const STUDY: Study = Study {
    key: "bollinger",
    name: "Bollinger bands, 2 σ",
    label: "BB",
    period: Some(20),
    pane: Pane::Price,
    lines: &[LINE, LINE, LINE],
    values: Source::Bars(|period| Box::new(Bands(Window::new(period)))),
    since: Since::Any,
};

#[derive(Clone)]
struct Bands(Window);

impl Step<Values> for Bands {
    fn push(&mut self, bar: &Bar) -> Values {
        let (mean, deviation) = self.0.push(bar.close);
        let reach = DEVIATIONS * deviation;
        [mean, mean + reach, mean - reach]
    }
}

#[cfg(test)]
mod tests {
    use crate::plot::studies::tests::{check, closes};

    /// By hand: the mean of 2, 4, 6 is 4, and the deviation is the root of 8/3.
    #[test]
    fn bands_lie_so_many_deviations_apart() {
        let bars = closes(&[2.0, 4.0, 6.0]);
        check("bollinger3", &bars, 0, &[4.0]);
        check("bollinger3", &bars, 1, &[7.27]);
        check("bollinger3", &bars, 2, &[0.73]);
    }
}
