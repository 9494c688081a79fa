//! Turns a bar into trades that could have made it.

use shared::{Decimal, Span};

use super::{super::Trade, Bar};

/// How many trades lead from one corner of a bar to the next.
const STEPS_PER_LEG: u32 = 5;

/// Trades that start at the open, touch both extremes and end at the close,
/// spread evenly over the bar's day; each price is one of the bar's four or
/// between its low and high, and the quantities add up to its volume.
///
/// A file of bars does not say which extreme came first. As charting programs
/// do, a rising day is taken to dip first and a falling day to peak first.
pub(super) fn walk(bar: &Bar) -> Vec<Trade> {
    let corners = if bar.close >= bar.open {
        [bar.open, bar.low, bar.high, bar.close]
    } else {
        [bar.open, bar.high, bar.low, bar.close]
    };
    let mut prices = vec![bar.open];
    for leg in corners.windows(2) {
        prices.extend((1..=STEPS_PER_LEG).map(|step| between(leg[0], leg[1], step)));
    }
    let count = prices.len() as i64;
    let share = (bar.volume / Decimal::from(count)).truncated(bar.volume.scale());
    let first_share = bar.volume - share * Decimal::from(count - 1);
    prices
        .into_iter()
        .zip(0..)
        .map(|(price, index)| Trade {
            instrument: 0,
            time: bar.time + Span::from_micros(Span::DAY.micros() * index / count),
            at: None,
            id: None,
            price,
            qty: if index == 0 { first_share } else { share },
            side: None,
            bid: None,
            ask: None,
        })
        .collect()
}

/// The price after `step` of [`STEPS_PER_LEG`] equal steps from `a` to `b`, in
/// no more decimals than the two have.
fn between(a: Decimal, b: Decimal, step: u32) -> Decimal {
    if step == STEPS_PER_LEG {
        return b;
    }
    let way = (b - a) * Decimal::from(step) / Decimal::from(STEPS_PER_LEG);
    (a + way).rescaled(a.scale().max(b.scale()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::Time;

    fn day(number: i64) -> Time {
        Time::EPOCH + Span::DAY * number
    }

    proptest! {
        #[test]
        fn a_walk_makes_its_bar(
            mut prices in proptest::array::uniform4(1i64..1_000_000_000),
            swap: bool,
            volume in 0i64..1_000_000_000_000,
        ) {
            prices.sort_unstable();
            let [low, a, b, high] = prices.map(|price| Decimal::new(price, 6));
            let (open, close) = if swap { (b, a) } else { (a, b) };
            let volume = Decimal::new(volume, 2);
            let bar = Bar { time: day(5), open, high, low, close, volume };
            let trades = walk(&bar);
            prop_assert_eq!(trades[0].price, open);
            prop_assert_eq!(trades[trades.len() - 1].price, close);
            prop_assert_eq!(trades.iter().map(|t| t.price).max(), Some(high));
            prop_assert_eq!(trades.iter().map(|t| t.price).min(), Some(low));
            prop_assert!(trades.iter().all(|t| t.price.scale() <= 6));
            prop_assert_eq!(trades.iter().map(|t| t.qty).sum::<Decimal>(), volume);
            prop_assert!(trades.windows(2).all(|w| w[0].time < w[1].time));
            prop_assert!(trades[trades.len() - 1].time < day(6));
        }
    }
}
