//! Open, high, low and close of each bar.

use super::Kind;

pub(super) const KIND: Kind = Kind {
    key: "candles",
    name: "candles",
    shortcut: "c",
    closes: false,
    bars: None,
    draw: |marks, shown| marks.candles(shown.bars, shown.y),
};
