//! The input of a chart's drawing.

use super::kinds::Kind;
use crate::plot::studies::{Source, StudySpec, Values};
use crate::plot::{Bar, TimeAxis, Viewport};
use crate::theme::Palette;

/// A symbol that is compared with the chart's own: its bars are drawn as a
/// line, in per cent.
pub struct Compared<'a> {
    /// The symbol.
    pub symbol: &'a str,
    /// Its bars, oldest first.
    pub bars: &'a [Bar],
}

/// An alert on the price, drawn across the chart.
pub struct AlertLine {
    /// Its price.
    pub level: f64,
    /// Its condition: `above`, `below` or `crosses`.
    pub kind: &'static str,
}

/// Everything that determines how a chart is drawn.
pub struct Scene<'a> {
    /// Symbol and interval, for the legend.
    pub title: &'a str,
    /// Which time is where. The times of all bars here are places on it.
    pub axis: &'a TimeAxis,
    /// The symbol's bars, oldest first.
    pub bars: &'a [Bar],
    /// The bars that are drawn, one for each of `bars`: the same, or what the
    /// kind of chart makes of them.
    pub drawn: &'a [Bar],
    /// The length of a bar.
    pub interval_us: f64,
    /// How many decimals prices have.
    pub decimals: u32,
    /// How prices are drawn.
    pub kind: &'static Kind,
    /// The studies over and below the prices, with one value for each bar, and
    /// none for a study of single bars.
    pub studies: &'a [(StudySpec, &'a [Values])],
    /// Alerts on the price.
    pub alerts: &'a [AlertLine],
    /// The compared symbols. If there are any, everything is drawn in per cent.
    pub compared: &'a [Compared<'a>],
    /// The part of the axis that is shown.
    pub view: Viewport,
    /// Whether times are in the person's zone, or in UTC.
    pub local: bool,
    /// The colours.
    pub palette: &'a Palette,
}

impl Scene<'_> {
    /// Whether everything is drawn in per cent.
    pub(super) fn is_in_percent(&self) -> bool {
        !self.compared.is_empty()
    }

    /// The bars of the chart's own symbol, as they are drawn, or those of one
    /// that is compared with it.
    pub(super) fn series(&self, series: usize) -> &[Bar] {
        match series.checked_sub(1) {
            Some(other) => self.compared[other].bars,
            None if self.is_in_percent() => self.bars,
            None => self.drawn,
        }
    }

    /// How many symbols are drawn.
    pub(super) fn series_count(&self) -> usize {
        1 + self.compared.len()
    }
}

/// The value of a study's line at the bar with this index: from the bar itself,
/// or from what was computed.
pub(super) fn value_at(
    spec: StudySpec,
    bar: &Bar,
    values: &[Values],
    index: usize,
    line: usize,
) -> f64 {
    match spec.study.values {
        Source::Bar(read) => read(bar),
        Source::Bars(_) => values.get(index).map_or(f64::NAN, |values| values[line]),
    }
}
