//! What each kind of condition means.

use shared::{Condition, Decimal, Span};

/// What a price does to a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The condition is a state, which holds at this price or not. The alert fires
    /// when it begins to hold.
    State(bool),
    /// The condition is an event, which happens with this price or not.
    Event(bool),
    /// Prices do nothing to it.
    None,
}

/// What a price does to a condition, after the price `before`; `moved` says how
/// far the price has moved within so many seconds, in per cent.
pub(super) fn effect(
    condition: &Condition,
    before: Option<Decimal>,
    price: Decimal,
    moved: impl FnOnce(u32) -> Decimal,
) -> Effect {
    match condition {
        Condition::Above(level) => Effect::State(price > *level),
        Condition::Below(level) => Effect::State(price < *level),
        Condition::Moves(moves) => Effect::State(moved(moves.window_s) >= moves.percent),
        // The price was on the other side a tick ago.
        Condition::Crosses(level) => Effect::Event(before.is_some_and(|before| {
            before.cmp(level).is_ne() && before.cmp(level) != price.cmp(level)
        })),
        Condition::SilentS(_) => Effect::None,
    }
}

/// How long there must be no tick, for a condition that waits for that.
pub(super) fn silence(condition: &Condition) -> Option<Span> {
    match condition {
        Condition::SilentS(seconds) => Some(Span::from_seconds((*seconds).into())),
        _ => None,
    }
}
