//! A line through the closing prices.

use super::Kind;

pub(super) const KIND: Kind = Kind {
    key: "line",
    name: "line",
    shortcut: "l",
    closes: true,
    bars: None,
    draw: |marks, shown| marks.closes(shown, None),
};
