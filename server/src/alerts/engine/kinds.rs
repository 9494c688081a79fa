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

/// Whether an alert of this condition fires as soon as the condition holds,
/// after this was the last price. If it holds at that price, or if that is not
/// known, it has to cease to hold first.
pub(super) fn is_armed_at(condition: &Condition, last: Option<Decimal>) -> bool {
    let effect = last.map(|last| effect(condition, None, last, |_| Decimal::ZERO));
    effect.is_some_and(|effect| effect != Effect::State(true))
}

/// How long there must be no tick, for a condition that waits for that.
pub(super) fn silence(condition: &Condition) -> Option<Span> {
    match condition {
        Condition::SilentS(seconds) => Some(Span::from_seconds((*seconds).into())),
        _ => None,
    }
}
