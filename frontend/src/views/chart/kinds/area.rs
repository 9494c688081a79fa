//! A line through the closing prices, with the area below it filled.

use super::Kind;

pub(super) const KIND: Kind = Kind {
    key: "area",
    name: "area",
    shortcut: "a",
    closes: true,
    bars: None,
    draw: |marks, shown| marks.closes(shown, Some(shown.bottom)),
};
