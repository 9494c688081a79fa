//! The charts and their toolbar.

use super::call_error;
use crate::faults::{CallError, UnknownSymbol};

pub(crate) const CHART: &str = "Chart";
pub(crate) const INTERVAL: &str = "Interval";
pub(crate) const INTERVAL_TITLE: &str = "Interval (1 to 7)";
pub(crate) const KIND: &str = "Kind";
pub(crate) const INDICATORS: &str = "Indicators";
pub(crate) const COMPARE: &str = "Compare";
pub(crate) const COMPARE_WITH: &str = "In per cent beside";
pub(crate) const COMPARE_EXAMPLE: &str = "ETH-USD, AAPL";
pub(crate) const VIEW: &str = "View";
pub(crate) const CHARTS: &str = "Charts";
pub(crate) const CHARTS_TITLE: &str = "Number of charts";
pub(crate) const TIMES_IN: &str = "Times in";
pub(crate) const TIME_ZONE: &str = "Time zone";
pub(crate) const ZONES: [(&str, &str); 2] = [("utc", "UTC"), ("local", "Local")];
pub(crate) const TIME_AXIS: &str = "Time axis";
pub(crate) const TIME_AXIS_TITLE: &str =
    "Bars side by side, without nights and weekends, or true time";
pub(crate) const TIME_AXES: [(&str, &str); 2] = [("bars", "Bars"), ("time", "Time")];
pub(crate) const SAVE_AS: &str = "Save as";
pub(crate) const SAVE_PNG_TITLE: &str = "Save a picture of the chart";
pub(crate) const SAVE_CSV_TITLE: &str = "Save the chart's data";
pub(crate) const ADD_ALERT: &str = "+ Alert";
pub(crate) const ADD_ALERT_TITLE: &str =
    "An alert on the price, to be dragged to where it is wanted (n)";
pub(crate) const BACK_TO_LIVE: &str = "Back to live";
pub(crate) const BACK_TO_LIVE_TITLE: &str = "Follow the newest bar (End)";
pub(crate) const STEPS_LABEL: &str = "Zoom and scroll";
/// The buttons that zoom and scroll: the label, the title, and the key that does
/// the same.
pub(crate) const STEPS: [(&str, &str, &str); 5] = [
    ("⇤", "The oldest bar (Home)", "Home"),
    ("←", "Back in time (←)", "ArrowLeft"),
    ("−", "Zoom out (−)", "-"),
    ("+", "Zoom in (+)", "+"),
    ("→", "Forward in time (→)", "ArrowRight"),
];
pub(crate) const LOADING_CANDLES: &str = "Loading candles";
pub(crate) const WAITING_FOR_FIRST_TRADE: &str = "Waiting for the first trade";
/// Before the open, high, low and close of a bar in the legend.
pub(crate) const BAR_PRICES: [&str; 4] = ["O ", "  H ", "  L ", "  C "];

pub(crate) fn chart_number(number: usize) -> String {
    format!("{CHART} {number}")
}

/// The chart's name for assistive technology, as in `BTC-USD, 1m candles, last
/// 64,012.50`.
pub(crate) fn chart_name(symbol: &str, interval: &str, kind: &str, last: Option<String>) -> String {
    let last = last.unwrap_or_else(|| "none yet".to_owned());
    format!("{symbol}, {interval} {kind}, last {last}")
}

pub(crate) fn chart_title(symbol: &str, interval: &str, is_live: bool) -> String {
    let note = if is_live { "" } else { ", history only" };
    format!("{symbol} {interval}{note}")
}

pub(crate) fn kind_title(shortcuts: impl Iterator<Item = &'static str>) -> String {
    let shortcuts: Vec<_> = shortcuts.collect();
    format!("Kind of chart ({})", shortcuts.join(", "))
}

pub(crate) fn number_of_bars(study: &str) -> String {
    format!("{study}, number of bars")
}

pub(crate) fn zone_short(local: bool) -> &'static str {
    if local { "local" } else { "UTC" }
}

pub(crate) fn no_history(why: &CallError) -> String {
    format!("No history: {}", call_error(why))
}

pub(crate) fn not_one_symbol(why: &UnknownSymbol) -> String {
    match why {
        UnknownSymbol::None(written) => format!("No symbol '{written}'"),
        UnknownSymbol::Several(written, one, other) => {
            format!("'{written}' may be {one} or {other}")
        }
    }
}
