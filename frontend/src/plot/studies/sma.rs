//! Simple moving average of the close.

use super::averages::Window;
use super::{Line, Pane, Since, Source, Study, Style, Values, one};
use crate::plot::{Bar, Step};

pub(super) const STUDY: Study = Study {
    key: "sma",
    name: "SMA",
    label: "SMA",
    period: Some(20),
    pane: Pane::Price,
    lines: &[Line {
        colour: 1,
        style: Style::Thin,
    }],
    values: Source::Bars(|period| Box::new(Sma(Window::new(period)))),
    since: Since::Any,
};

#[derive(Clone)]
struct Sma(Window);

impl Step<Values> for Sma {
    fn push(&mut self, bar: &Bar) -> Values {
        one(self.0.push(bar.close).0)
    }
}

#[cfg(test)]
mod tests {
    use crate::plot::studies::tests::{AVERAGED, closes, values};

    #[test]
    fn it_is_the_published_one() {
        let found = values("sma10", &closes(&AVERAGED), 0);
        assert_eq!(found[..6], [22.22, 22.21, 22.23, 22.26, 22.30, 22.42]);
        assert_eq!(found[found.len() - 2..], [23.28, 23.13]);
    }
}
