//! What each chart shows, read from the settings.

use shared::Interval;

use crate::requests::SeriesKey;
use crate::settings::{Settings, escape, unescape};

/// The most charts in a layout.
pub(crate) const CHARTS_MAX: usize = 4;
/// The most symbols on one chart: there are no more colours for the lines.
pub(crate) const SYMBOLS_MAX: usize = 5;
/// The separator between a chart's symbol and those compared with it.
const COMPARED: char = '~';

/// What one chart shows: a symbol, those compared with it, and the length of a
/// bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChartSpec {
    /// The chart's own symbol first; empty before there is a catalogue.
    pub(crate) symbols: Vec<String>,
    pub(crate) interval: Interval,
}

impl ChartSpec {
    /// The chart's own symbol; empty before there is one.
    pub(crate) fn symbol(&self) -> &str {
        self.symbols.first().map_or("", String::as_str)
    }

    /// The series that the chart is drawn from.
    pub(crate) fn keys(&self) -> Vec<SeriesKey> {
        let keys = self.symbols.iter().map(|symbol| SeriesKey {
            symbol: symbol.clone(),
            interval: self.interval,
        });
        keys.collect()
    }

    /// The symbols as they are written in the settings.
    pub(crate) fn text(&self) -> String {
        Self::join(&self.symbols)
    }

    /// A chart's symbol and those compared with it, as they are written in the
    /// settings.
    pub(crate) fn join(symbols: &[String]) -> String {
        let symbols = symbols.iter().map(|symbol| escape(symbol, COMPARED));
        symbols.collect::<Vec<_>>().join(&COMPARED.to_string())
    }
}

/// How many charts there are; tracked.
pub(crate) fn count(settings: Settings) -> usize {
    match settings.layout.get().as_str() {
        "2" => 2,
        "4" => CHARTS_MAX,
        _ => 1,
    }
}

/// The symbols in one entry of the setting.
pub(crate) fn symbols_of(text: &str) -> Vec<String> {
    let symbols = text.split(COMPARED).filter(|symbol| !symbol.is_empty());
    symbols.map(unescape).collect()
}

/// The charts of the layout, without symbols that the server does not have;
/// tracked. A chart without a symbol takes the one at its own index in the
/// catalogue, and one without a length of bars has `bars`.
pub(crate) fn read(
    settings: Settings,
    gone: &[String],
    bars: Interval,
    catalogue: impl Fn(usize) -> Option<String>,
) -> Vec<ChartSpec> {
    let (charts, intervals) = (settings.chart.list(), settings.interval.list());
    let of = |place: usize| {
        let named = charts.get(place).map(|text| symbols_of(text));
        let mut symbols = named.unwrap_or_default();
        symbols.retain(|symbol| !gone.contains(symbol));
        if symbols.is_empty() {
            symbols.extend(catalogue(place));
        }
        symbols.truncate(SYMBOLS_MAX);
        let interval = intervals.get(place).or(intervals.last());
        ChartSpec {
            symbols,
            interval: interval.and_then(|name| name.parse().ok()).unwrap_or(bars),
        }
    };
    (0..count(settings)).map(of).collect()
}
