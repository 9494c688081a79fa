//! How far a price has moved from its extremes in a window of time.

use std::collections::VecDeque;

use shared::{Decimal, Span, Time};

use super::levels::Levels;

/// A window is divided into this many slots, and drops them one at a time: it
/// covers its length, less at most one slot, and its memory is bounded whatever
/// the rate of ticks.
const SLOTS: i64 = 256;

/// One symbol's extreme prices of the last `seconds`, and the alerts on a move
/// within them.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) seconds: u32,
    /// Alerts by per cent.
    pub(super) levels: Levels,
    /// How far the price has moved, in per cent of the extreme that it is
    /// furthest from.
    moved: Option<Decimal>,
    /// Prices that may become the lowest, with their slots: each lower than
    /// those after it. At most [`SLOTS`] and one.
    low: VecDeque<(i64, Decimal)>,
    /// The same for the highest.
    high: VecDeque<(i64, Decimal)>,
}

impl Window {
    pub(super) fn new(seconds: u32) -> Self {
        Self {
            seconds,
            levels: Levels::default(),
            moved: None,
            low: VecDeque::new(),
            high: VecDeque::new(),
        }
    }

    /// How far the price has moved, in per cent.
    pub(super) fn moved(&self) -> Decimal {
        self.moved.unwrap_or_default()
    }

    /// Moves the slots by `by`: times have jumped ahead, without that much time
    /// having passed.
    pub(super) fn jump(&mut self, by: Span) {
        let slots = by.micros() / self.slot().micros();
        for (slot, _) in self.low.iter_mut().chain(&mut self.high) {
            *slot += slots;
        }
    }

    fn slot(&self) -> Span {
        let us = Span::from_seconds(self.seconds.into()).micros() / SLOTS;
        Span::from_micros(us.max(1))
    }

    /// Applies a price, and returns how far it had moved before.
    pub(super) fn apply(&mut self, time: Time, price: Decimal) -> Option<Decimal> {
        // If a source goes back in time, the newest slot is used.
        let newest = self.low.back().map_or(i64::MIN, |newest| newest.0);
        let slot = time.micros().div_euclid(self.slot().micros());
        let slot = slot.max(newest);
        push(&mut self.low, slot, price, |known| known >= price);
        push(&mut self.high, slot, price, |known| known <= price);
        let low = self.low.front().map_or(price, |lowest| lowest.1);
        let high = self.high.front().map_or(price, |highest| highest.1);
        let rose = percent(price.saturating_sub(low), low);
        let fell = percent(high.saturating_sub(price), high);
        self.moved.replace(rose.max(fell))
    }
}

/// Appends a price. Drops the prices that it covers and those that are too old.
fn push(
    prices: &mut VecDeque<(i64, Decimal)>,
    slot: i64,
    price: Decimal,
    is_covered: impl Fn(Decimal) -> bool,
) {
    while prices.back().is_some_and(|(_, known)| is_covered(*known)) {
        prices.pop_back();
    }
    // A price that is left in this slot is more extreme, and expires at the
    // same time.
    if prices.back().is_none_or(|(newest, _)| *newest < slot) {
        prices.push_back((slot, price));
    }
    while prices
        .front()
        .is_some_and(|(oldest, _)| slot - oldest >= SLOTS)
    {
        prices.pop_front();
    }
}

/// 0 if a percentage is undefined.
fn percent(part: Decimal, whole: Decimal) -> Decimal {
    if whole <= Decimal::ZERO {
        return Decimal::ZERO;
    }
    let share = part.checked_div(whole);
    let percent = share.and_then(|share| share.checked_mul(Decimal::ONE_HUNDRED));
    percent.unwrap_or(Decimal::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The window's result lies between the results for the prices of its
        /// whole length and those of its length less one slot.
        #[test]
        fn it_is_what_one_finds_by_looking_at_all_prices(
            seconds in 1u32..100,
            steps in proptest::collection::vec((0i64..3_000_000, 1i64..1_000), 1..300),
        ) {
            let mut window = Window::new(seconds);
            let length = Span::from_seconds(seconds.into());
            let slot = window.slot();
            let mut time = Time::EPOCH;
            let mut all: Vec<(Time, Decimal)> = Vec::new();
            for (step, price) in steps {
                time += Span::from_micros(step);
                let price = Decimal::new(price, 1);
                all.push((time, price));
                window.apply(time, price);
                let within = |length: Span| {
                    let recent = all.iter().filter(|(then, _)| *then > time - length);
                    let moved = recent.map(|(_, p)| percent(price - *p, *p).max(percent(*p - price, *p)));
                    moved.max().unwrap_or_default()
                };
                prop_assert!(window.moved() <= within(length));
                prop_assert!(window.moved() >= within(length - slot));
                prop_assert!(window.low.len() <= 257 && window.high.len() <= 257);
            }
        }
    }

    #[test]
    fn prices_of_nothing_do_not_move() {
        let mut window = Window::new(60);
        window.apply(Time::from_micros(0), Decimal::ZERO);
        window.apply(Time::from_micros(1), Decimal::ONE);
        assert_eq!(window.moved(), Decimal::ZERO);
        window.apply(Time::from_micros(2), -Decimal::ONE);
        assert_eq!(window.moved(), Decimal::from(200));
    }
}
