//! The bar at the top, the watchlist, the headline, the tape, and what is wrong
//! with the page.

use crate::format;
use crate::store::Listing;

// The bar at the top, on every page.
pub(crate) const MARKETS: &str = "Markets";
pub(crate) const ALERTS: &str = "Alerts";
pub(crate) const LAB: &str = "Lab";
pub(crate) const GUIDE: &str = "How it works";
/// The pages: the address and the name of each.
pub(crate) const PAGES: [(&str, &str); 4] = [
    ("./", MARKETS),
    ("alerts.html", ALERTS),
    ("lab.html", LAB),
    ("guide.html", GUIDE),
];
pub(crate) const PAGES_LABEL: &str = "Pages";
pub(crate) const SEARCH: &str = "Search symbols";
pub(crate) const SEARCH_HINT: &str = "Search";
pub(crate) const THEME: &str = "Theme";
pub(crate) const PALETTE: &str = "Palette";
pub(crate) const SHORTCUTS: &str = "Keyboard shortcuts";
pub(crate) const SHORTCUTS_TITLE: &str = "Keyboard shortcuts (?)";
pub(crate) const KEYBOARD: &str = "Keyboard";
pub(crate) const CLOSE: &str = "Close";

pub(crate) fn theme_title(is_dark: bool) -> &'static str {
    if is_dark {
        "Change to light (d)"
    } else {
        "Change to dark (d)"
    }
}

pub(crate) fn palette_title(is_blue: bool) -> &'static str {
    if is_blue {
        "Change to green and red"
    } else {
        "Change to blue and orange"
    }
}

/// What each key does. The kinds of charts have keys and names of their own.
pub(crate) fn keys(kinds: &[(&str, &str)]) -> Vec<(String, String)> {
    let (keys, names): (Vec<_>, Vec<_>) = kinds.iter().copied().unzip();
    let kinds = (keys.join(" "), capitalised(&names.join(", ")));
    let all = [
        ("/", "Search symbols"),
        ("↑ ↓", "Move in the watchlist"),
        ("Enter", "Show the first symbol found"),
        ("f", "Favourite, or not"),
        ("1 – 7", "Interval, from a second to a day"),
        ("+ −", "Zoom"),
        ("← →", "Scroll in time"),
        ("Home End", "The oldest bar, the newest"),
        ("t", "Next transport"),
        ("n", "An alert on the chart"),
        ("p", "Pause what is shown"),
        ("d", "Dark or light"),
        ("?", "This list"),
        ("Esc", "Close, or clear the search"),
    ];
    let mut all: Vec<_> = all.map(|(key, what)| (key.into(), what.into())).into();
    all.insert(5, kinds);
    all
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

// What is wrong with the page or its link.
pub(crate) const TAKE_OUT: &str = "Take out";
pub(crate) const TAKE_OUT_TITLE: &str = "Take it out of the link and of the favourites";
pub(crate) const STOPPED: &str = "This page has stopped";
pub(crate) const TROUBLE: &str = "Something on this page went wrong";
pub(crate) const LOAD_AGAIN: &str = "Load it again";

pub(crate) fn missing_symbols(symbols: &[String]) -> String {
    format!("This server does not have {}.", symbols.join(", "))
}

// The watchlist.
pub(crate) const WATCHLIST: &str = "Watchlist";
pub(crate) const COLUMNS_LABEL: &str = "Columns";
pub(crate) const COLUMNS_RESET: &str = "As many as fit";
pub(crate) const COLUMNS_RESET_TITLE: &str = "Show the columns for which there is room";
pub(crate) const TO_THE_LEFT: &str = "To the left";
pub(crate) const TO_THE_RIGHT: &str = "To the right";
/// What a row is of, for who points at it.
pub(crate) fn row_title(listing: &Listing) -> String {
    let lost = if listing.is_lost { LOST } else { "" };
    format!("{}: {}{lost}", listing.symbol, listing.name)
}

const LOST: &str = " (no prices come from there now)";

pub(crate) const FAVOURITE: &str = "Favourite";
pub(crate) const ROOMY: &str = "Roomy";
pub(crate) const ROOMY_TITLE: &str = "More room for each row";
pub(crate) const SPLITTER: &str = "Width of the watchlist";

/// A column of the watchlist: its key, its heading, and the text shown when one
/// hovers over it.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    pub(crate) key: &'static str,
    pub(crate) heading: &'static str,
    pub(crate) title: &'static str,
}

const fn column(key: &'static str, heading: &'static str, title: &'static str) -> Column {
    Column {
        key,
        heading,
        title,
    }
}

pub(crate) const COLUMNS: [Column; 11] = [
    column("symbol", "Symbol", "Symbol"),
    column("name", "Name", "Name"),
    column("last", "Last", "Last price"),
    column(
        "change",
        "Chg",
        "Change since the close of the session before",
    ),
    column(
        "change_percent",
        "Chg%",
        "Change since the close of the session before, in per cent",
    ),
    column("bid", "Bid", "Best bid"),
    column("ask", "Ask", "Best ask"),
    column("high", "High", "Highest price of the session (UTC day)"),
    column("low", "Low", "Lowest price of the session (UTC day)"),
    column(
        "volume",
        "Volume",
        "Quantity traded in the session (UTC day)",
    ),
    column("spark", "Trend", "Price over the last day"),
];

pub(crate) fn found_of((all, found): (usize, usize)) -> String {
    format!("{found} of {all}")
}

pub(crate) fn no_symbol_matches(search: &str) -> String {
    format!("No symbol matches '{search}'")
}

// The headline and the tape.
pub(crate) const INSTRUMENT: &str = "Instrument";
pub(crate) const LAST_TRADES: &str = "Last trades";
pub(crate) const TIME: &str = "Time";
pub(crate) const TIME_UTC: &str = "Time (UTC)";
pub(crate) const PRICE: &str = "Price";
pub(crate) const QTY: &str = "Qty";
pub(crate) const SIDE: &str = "Side";
pub(crate) const BUY: &str = "▲ buy";
pub(crate) const SELL: &str = "▼ sell";
pub(crate) const NO_TRADE_YET: &str = "Waiting for the next trade";

pub(crate) fn unknown_symbol(symbol: &str) -> String {
    format!("There is no symbol '{symbol}' here")
}

pub(crate) fn prices_are_old(age_ms: f64) -> String {
    format!("Prices are {} s old", format::whole(age_ms / 1e3))
}
