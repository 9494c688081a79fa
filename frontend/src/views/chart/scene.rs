//! The input of a chart's drawing.

use super::study::StudySpec;
use crate::plot::{Bar, Values, Viewport};
use crate::theme::Palette;

/// How prices are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Open, high, low and close of each bar.
    #[default]
    Candles,
    /// A line through the closing prices.
    Line,
    /// The same, with the area below filled.
    Area,
}

impl Kind {
    pub(super) const ALL: [(Self, &str); 3] = [
        (Self::Candles, "candles"),
        (Self::Line, "line"),
        (Self::Area, "area"),
    ];

    pub(super) fn parse(name: &str) -> Self {
        let known = Self::ALL.into_iter().find(|known| known.1 == name);
        known.map_or_else(Self::default, |known| known.0)
    }
}

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
    /// Oldest first.
    pub bars: &'a [Bar],
    /// The length of a bar.
    pub interval_us: f64,
    /// How many decimals prices have.
    pub decimals: u32,
    /// How prices are drawn.
    pub kind: Kind,
    /// The studies over and below the prices, with one value for each bar; the
    /// volume has none, since the bars contain it.
    pub studies: &'a [(StudySpec, &'a [Values])],
    /// Alerts on the price.
    pub alerts: &'a [AlertLine],
    /// The compared symbols. If there are any, everything is drawn in per cent.
    pub compared: &'a [Compared<'a>],
    /// The period of time that is shown.
    pub view: Viewport,
    /// Whether times are in the person's zone, or in UTC.
    pub local: bool,
    /// The colours.
    pub palette: &'a Palette,
}
