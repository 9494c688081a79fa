//! What each chart shows, read from the settings.

use shared::Interval;

use crate::settings::Settings;
use crate::store::SeriesKey;

/// The most charts in a layout.
pub(crate) const CHARTS_MAX: usize = 4;
/// The most symbols on one chart: more lines than colours cannot be told
/// apart.
pub(crate) const SYMBOLS_MAX: usize = 5;
/// Between a chart's symbol and those compared with it.
const COMPARED: char = '~';

/// One chart: a symbol, those compared with it, and the length of a bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChartSpec {
    /// The chart's own symbol first; none before there is a catalogue.
    pub(crate) symbols: Vec<String>,
    pub(crate) interval: Interval,
}

impl ChartSpec {
    /// The chart's own symbol; empty before there is one.
    pub(crate) fn symbol(&self) -> &str {
        self.symbols.first().map_or("", String::as_str)
    }

    /// The candles that it is drawn from.
    pub(crate) fn keys(&self) -> Vec<SeriesKey> {
        let keys = self.symbols.iter().map(|symbol| SeriesKey {
            symbol: symbol.clone(),
            interval: self.interval,
        });
        keys.collect()
    }

    /// As the settings have it.
    pub(crate) fn text(&self) -> String {
        self.symbols.join(&COMPARED.to_string())
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

/// The charts of the layout; tracked. A chart without a symbol takes that of
/// its place in the catalogue.
pub(crate) fn read(
    settings: Settings,
    catalogue: impl Fn(usize) -> Option<String>,
) -> Vec<ChartSpec> {
    let (symbols, intervals) = (settings.chart.list(), settings.interval.list());
    let of = |place: usize| {
        let named = symbols
            .get(place)
            .filter(|text| text.chars().any(|c| c != COMPARED));
        let text = named.cloned().or_else(|| catalogue(place));
        let text = text.unwrap_or_default();
        let symbols = text.split(COMPARED).filter(|symbol| !symbol.is_empty());
        let interval = intervals.get(place).or(intervals.last());
        ChartSpec {
            symbols: symbols.map(str::to_owned).take(SYMBOLS_MAX).collect(),
            interval: interval
                .and_then(|name| name.parse().ok())
                .unwrap_or(Interval::M1),
        }
    };
    (0..count(settings)).map(of).collect()
}
