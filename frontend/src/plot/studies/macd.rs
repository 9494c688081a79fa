//! Appel's moving average convergence/divergence: the difference of two
//! exponential averages (of 12 and 26 bars), its own exponential average (of 9,
//! the signal), and the difference of the two (the histogram).

use super::averages::Weighted;
use super::{Line, NONE, Pane, Range, Since, Source, Study, Style, Text, Values};
use crate::plot::{Bar, Step};

pub(super) const STUDY: Study = Study {
    key: "macd",
    name: "MACD 12, 26, 9",
    label: "MACD 12, 26, 9",
    period: None,
    pane: Pane::Own {
        range: Range::AroundZero,
        guides: &[0.0],
        text: Text::Price,
    },
    lines: &[
        Line {
            colour: 0,
            style: Style::Thin,
        },
        Line {
            colour: 1,
            style: Style::Thin,
        },
        Line {
            colour: 0,
            style: Style::BySign,
        },
    ],
    values: Source::Bars(|_| Box::new(Macd::new(12, 26, 9))),
    since: Since::Any,
};

#[derive(Clone)]
struct Macd {
    fast: Weighted,
    slow: Weighted,
    signal: Weighted,
}

impl Macd {
    fn new(fast: usize, slow: usize, signal: usize) -> Self {
        let [fast, slow, signal] = [fast, slow, signal].map(Weighted::exponential);
        Self { fast, slow, signal }
    }
}

impl Step<Values> for Macd {
    fn push(&mut self, bar: &Bar) -> Values {
        let difference = self.fast.push(bar.close) - self.slow.push(bar.close);
        let signal = if difference.is_nan() {
            NONE
        } else {
            self.signal.push(difference)
        };
        [difference, signal, difference - signal]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Growing;
    use crate::plot::studies::tests::{closes, line};

    /// By hand: fast (2) 1.5, 2.5, 3.5, 5.5; slow (3) 2, 3, 4.75; signal (2).
    #[test]
    fn convergence_is_the_difference_of_averages() {
        let mut macd = Growing::new(Box::new(Macd::new(2, 3, 2)));
        let values = macd.update(&closes(&[1.0, 2.0, 3.0, 4.0, 6.5]));
        assert_eq!(line(values, 0), [0.5, 0.5, 0.75]);
        assert_eq!(line(values, 1), [0.5, 0.67]);
        assert_eq!(line(values, 2), [0.0, 0.08]);
    }
}
