//! The watchlist's columns: which there are, and which are visible.

mod head;
mod menu;
mod row;
mod widths;

use leptos::prelude::*;

use crate::settings::Settings;
use crate::words;

pub(super) use head::Head;
pub(super) use menu::ColumnsMenu;
pub(super) use row::Row;
use widths::{EDGE_PX, Widths};

/// Which columns are shown if there is room, the most important first. The
/// columns of a line are shown or hidden together. The first line is always
/// shown.
const WANTED: [&[&str]; 6] = [
    &["symbol", "last", "change_percent"],
    &["spark"],
    &["bid", "ask"],
    &["volume", "change"],
    &["high", "low"],
    &["name"],
];

fn column_of(key: &str) -> Option<words::Column> {
    words::COLUMNS.into_iter().find(|column| column.key == key)
}

fn heading_of(key: &str) -> &'static str {
    column_of(key).map_or("", |column| column.heading)
}

/// The table's columns: all of them, and those that are visible.
#[derive(Clone, Copy)]
pub(in crate::views) struct Layout {
    /// The columns in order: those that the person chose, or all.
    pub(in crate::views) all: Memo<Vec<&'static str>>,
    /// The visible ones: all that the person chose, or as many as there is room
    /// for.
    pub(in crate::views) seen: Memo<Vec<&'static str>>,
    pub(in crate::views) widths: Widths,
}

impl Layout {
    pub(in crate::views) fn new(settings: Settings) -> Self {
        let widths = Widths::new();
        let all = Memo::new(move |_| columns(settings));
        let seen = Memo::new(move |_| {
            if settings.columns.is("") {
                fitting(widths)
            } else {
                all.get()
            }
        });
        Self { all, seen, widths }
    }

    /// Whether a column is not visible; tracked.
    fn hides(self, key: &'static str) -> bool {
        self.seen.with(|seen| !seen.contains(&key))
    }
}

/// The columns of the table, in order; tracked.
fn columns(settings: Settings) -> Vec<&'static str> {
    let chosen = settings.columns.list();
    let all = words::COLUMNS.map(|column| column.key);
    if chosen.is_empty() {
        return all.into();
    }
    let known = |key: &String| all.into_iter().find(|known| known == key);
    let others = chosen
        .iter()
        .filter_map(known)
        .filter(|key| *key != "symbol");
    std::iter::once("symbol").chain(others).collect()
}

/// The columns for which there is room; tracked.
fn fitting(widths: Widths) -> Vec<&'static str> {
    let mut left_px = widths.room_px.get() - EDGE_PX;
    let mut seen = Vec::new();
    for (rank, keys) in WANTED.into_iter().enumerate() {
        left_px -= keys.iter().map(|key| widths.of(key)).sum::<f64>();
        if left_px < 0.0 && rank > 0 {
            break;
        }
        seen.extend(keys);
    }
    seen
}
