//! Numbers as texts and colours.

use shared::Decimal;

use crate::format;
use crate::store::{Field, Number};

/// A number as text.
pub(super) fn text_of(field: Field, Number { value, decimals }: Number) -> String {
    match field {
        Field::Change => {
            let mut text = arrow(value).to_owned();
            text.push('\u{2009}');
            text + &format::signed(value, decimals)
        }
        Field::ChangePercent => format::percent(value),
        Field::Volume => format::compact(value),
        _ => format::fixed(value, decimals),
    }
}

/// An arrow in addition to the colour, for people who cannot tell the two
/// colours apart.
pub(super) fn arrow(change: Decimal) -> &'static str {
    match change {
        change if change.is_zero() => "\u{2002}",
        change if change > Decimal::ZERO => "▲",
        _ => "▼",
    }
}

/// The class that colours a change.
pub(super) fn direction_of(change: Option<Number>) -> &'static str {
    match change {
        Some(change) if change.value > Decimal::ZERO => "up",
        Some(change) if change.value < Decimal::ZERO => "down",
        _ => "",
    }
}
