//! What a chart is drawn from.

use super::study::StudySpec;
use crate::plot::{Bar, Values, Viewport};
use crate::theme::Palette;

/// How prices are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Open, high, low and close of each bar.
    #[default]
    Candles,
    /// The closes.
    Line,
    /// The closes, and what lies below them.
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

/// Bars drawn as a line in per cent beside those of the chart's own symbol.
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
    /// What it waits for: `above`, `below` or `crosses`.
    pub kind: &'static str,
}

/// Everything that decides what is seen.
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
    /// What is drawn over and below the prices, one value a bar; none for the
    /// volume, which the bars have.
    pub studies: &'a [(StudySpec, &'a [Values])],
    /// Alerts on the price.
    pub alerts: &'a [AlertLine],
    /// If not empty, all are drawn in per cent.
    pub compared: &'a [Compared<'a>],
    /// The stretch of time.
    pub view: Viewport,
    /// Whether times are those of the person's zone, or UTC.
    pub local: bool,
    /// The colours.
    pub palette: &'a Palette,
}
