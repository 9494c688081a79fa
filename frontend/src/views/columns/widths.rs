//! The widths of columns.

use leptos::prelude::*;

use super::heading_of;
use crate::store::Field;

/// The padding of a cell, both sides together, and the additional padding at
/// each of the table's edges, in CSS pixels, as in the style sheet.
const CELL_PX: f64 = 8.0;
pub(super) const EDGE_PX: f64 = 8.0;
/// The width of the star with its padding.
const STAR_PX: f64 = 28.0;
const NAME_PX: f64 = 120.0;
const SPARK_PX: f64 = 84.0;
/// The least and the most characters of a symbol for which the column has room.
/// The title shows a longer symbol in full.
const SYMBOL_CHARS: (usize, usize) = (10, 26);

/// The widths of columns. Each is as wide as the longest text that was ever in
/// it, so that nothing is cut off, and nothing moves when a number becomes
/// shorter.
#[derive(Clone, Copy)]
pub(in crate::views) struct Widths {
    /// The width of a digit, in CSS pixels; all digits have the same width.
    pub(in crate::views) figure_px: RwSignal<f64>,
    /// The width that the table may take, in CSS pixels.
    pub(in crate::views) room_px: RwSignal<f64>,
    /// The longest symbol, in characters.
    symbol: RwSignal<usize>,
    /// The longest text of each field, in characters.
    numbers: [RwSignal<usize>; Field::ALL.len()],
}

impl Widths {
    pub(super) fn new() -> Self {
        Self {
            figure_px: RwSignal::new(7.0),
            room_px: RwSignal::new(0.0),
            symbol: RwSignal::new(SYMBOL_CHARS.0),
            // Room for the heading, and for the arrow that shows the order.
            numbers: Field::ALL.map(|field| RwSignal::new(heading_of(field.key()).len() + 2)),
        }
    }

    pub(super) fn note(self, field: Field, text: &str) {
        let mut chars = text.chars().count();
        if matches!(field, Field::Change | Field::ChangePercent) {
            // An arrow and a per cent sign are wider than a digit.
            chars += 1;
        }
        grow(self.numbers[field as usize], chars);
    }

    pub(super) fn note_symbol(self, symbol: &str) {
        grow(self.symbol, symbol.chars().count().min(SYMBOL_CHARS.1));
    }

    /// The width of a column, in CSS pixels; tracked.
    pub(super) fn of(self, key: &str) -> f64 {
        let figure_px = self.figure_px.get();
        let field = Field::ALL.into_iter().find(|field| field.key() == key);
        match (field, key) {
            (Some(field), _) => {
                (self.numbers[field as usize].get() as f64 * figure_px).ceil() + CELL_PX
            }
            (None, "symbol") => {
                // Symbols are bold, and letters are wider than digits.
                let letter_px = 1.2 * figure_px;
                STAR_PX + CELL_PX + EDGE_PX + (self.symbol.get() as f64 * letter_px).ceil()
            }
            (None, "name") => NAME_PX,
            (None, _) => SPARK_PX,
        }
    }
}

fn grow(longest: RwSignal<usize>, chars: usize) {
    if longest.get_untracked() < chars {
        longest.set(chars);
    }
}
