//! The bars of a chart's symbols at their places on its axis.

use crate::plot::{Bar, Span, TimeAxis};
use crate::store::Series;

/// Bars whose times are places on the axis, kept from frame to frame: a trade
/// moves only the newest one.
pub(super) struct Placed {
    pub(super) axis: TimeAxis,
    interval_us: f64,
    /// By symbol, the chart's own first.
    series: Vec<Vec<Bar>>,
}

impl Placed {
    /// No bars yet, on an axis of true time or on an index of bars.
    pub(super) fn new(interval_us: f64, is_true: bool) -> Self {
        Self {
            axis: TimeAxis::new(interval_us, is_true),
            interval_us,
            series: Vec::new(),
        }
    }

    /// Whether it is for bars of this length and such an axis.
    pub(super) fn is_for(&self, interval_us: f64, is_true: bool) -> bool {
        self.interval_us == interval_us && self.axis.is_true() == is_true
    }

    /// The next update takes in all bars anew: they are of other symbols.
    pub(super) fn forget(&mut self) {
        self.series.clear();
    }

    /// Takes in the bars of all symbols.
    pub(super) fn update(&mut self, all: &[&Series]) {
        let sources: Vec<&[Bar]> = all.iter().map(|series| series.bars.as_slice()).collect();
        let breaks = all.first().map_or(&[][..], |series| &series.breaks);
        let has_moved = self.axis.update(&sources, breaks);
        self.series.resize_with(sources.len(), Vec::new);
        for (placed, bars) in self.series.iter_mut().zip(sources) {
            let first = bars.first().map(|bar| self.axis.place(bar.time));
            let is_same = placed.first().map(|bar| bar.time) == first && !has_moved;
            let known = if is_same && placed.len() <= bars.len() {
                // The newest one may have changed.
                placed.len().saturating_sub(1)
            } else {
                0
            };
            placed.truncate(known);
            placed.extend(bars[known..].iter().map(|bar| Bar {
                time: self.axis.place(bar.time),
                ..*bar
            }));
        }
    }

    /// The bars of a symbol; none if there is no such symbol.
    pub(super) fn bars(&self, series: usize) -> &[Bar] {
        self.series.get(series).map_or(&[], Vec::as_slice)
    }

    /// The part of the axis that the chart's own bars cover.
    pub(super) fn span(&self) -> Option<Span> {
        let bars = self.bars(0);
        Some(Span {
            first_us: bars.first()?.time,
            last_us: bars.last()?.time,
            interval_us: self.interval_us,
        })
    }
}
