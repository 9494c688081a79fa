//! Volume-weighted average price of the UTC day: of the typical price
//! (high + low + close) / 3.

use super::{Line, NONE, Pane, Since, Source, Study, Style, Values, one};
use crate::plot::{Bar, DAY_US, Step};

pub(super) const STUDY: Study = Study {
    key: "vwap",
    name: "VWAP",
    label: "VWAP",
    period: None,
    pane: Pane::Price,
    lines: &[Line {
        colour: 3,
        style: Style::Thin,
    }],
    values: Source::Bars(|_| {
        Box::new(Vwap {
            day: NONE,
            money: 0.0,
            volume: 0.0,
        })
    }),
    since: Since::Day,
};

#[derive(Clone)]
struct Vwap {
    /// The day that is being summed, in days since the epoch.
    day: f64,
    /// The sum of price times quantity.
    money: f64,
    /// The sum of quantities.
    volume: f64,
}

impl Step<Values> for Vwap {
    fn push(&mut self, bar: &Bar) -> Values {
        let today = (bar.time / DAY_US).floor();
        if today != self.day {
            (self.day, self.money, self.volume) = (today, 0.0, 0.0);
        }
        self.money += (bar.high + bar.low + bar.close) / 3.0 * bar.volume;
        self.volume += bar.volume;
        one(if self.volume > 0.0 {
            self.money / self.volume
        } else {
            NONE
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::plot::DAY_US;
    use crate::plot::studies::tests::{check, closes};

    /// By hand: 10·1 and 20·3 give 70/4; the next day starts again.
    #[test]
    fn the_weighted_average_begins_anew_each_day() {
        let mut bars = closes(&[10.0, 20.0, 30.0]);
        bars[1].volume = 3.0;
        bars[2].time = DAY_US;
        check("vwap", &bars, 0, &[10.0, 17.5, 30.0]);
    }
}
