//! Turns a bar into trades that could have made it.

use shared::{Decimal, Span, Time};

use crate::feed::Trade;

/// How many trades lead from one corner of a bar to the next.
const STEPS_PER_LEG: u32 = 5;

/// A bar of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    /// When it begins, and how long its trades take.
    pub(super) time: Time,
    pub(super) span: Span,
    pub(super) open: Decimal,
    pub(super) high: Decimal,
    pub(super) low: Decimal,
    pub(super) close: Decimal,
    /// Zero where the file says nothing.
    pub(super) volume: Decimal,
}

/// Trades of an instrument that start at the open, touch both extremes and end
/// at the close, spread evenly over the bar's time; each price is one of the
/// bar's four or between its low and high, and the quantities add up to its
/// volume.
///
/// A file of bars does not say which extreme came first. As charting programs
/// do, a rising bar is taken to dip first and a falling one to peak first.
pub(super) fn walk(instrument: usize, bar: &Bar) -> Vec<Trade> {
    let corners = if bar.close >= bar.open {
        [bar.open, bar.low, bar.high, bar.close]
    } else {
        [bar.open, bar.high, bar.low, bar.close]
    };
    let mut prices = vec![bar.open];
    for leg in corners.windows(2) {
        let steps = (1..STEPS_PER_LEG).filter_map(|step| between(leg[0], leg[1], step));
        prices.extend(steps);
        prices.push(leg[1]);
    }
    let count = prices.len() as i64;
    let (first, share) = shares(bar.volume, count);
    prices
        .into_iter()
        .zip(0..)
        .map(|(price, index)| Trade {
            instrument,
            time: bar.time + Span::from_micros(bar.span.micros() / count * index),
            at: None,
            id: None,
            price,
            qty: if index == 0 { first } else { share },
            side: None,
            bid: None,
            ask: None,
        })
        .collect()
}

/// The first of `count` parts of a volume, and each of the others. All of them
/// together are exactly the volume.
fn shares(volume: Decimal, count: i64) -> (Decimal, Decimal) {
    let parts = || {
        let share = volume.checked_div(Decimal::from(count))?;
        let share = share.truncated(volume.scale());
        let rest = share.checked_mul(Decimal::from(count - 1))?;
        Some((volume.checked_sub(rest)?, share))
    };
    // A volume with too many digits to be divided is not.
    parts().unwrap_or((volume, Decimal::ZERO))
}

/// The price after `step` of [`STEPS_PER_LEG`] equal steps from `a` to `b`, in
/// no more decimals than the two have; `None` if they have too many digits to
/// compute with.
fn between(a: Decimal, b: Decimal, step: u32) -> Option<Decimal> {
    let way = b.checked_sub(a)?.checked_mul(Decimal::from(step))?;
    let way = way.checked_div(Decimal::from(STEPS_PER_LEG))?;
    let price = a.checked_add(way)?.rescaled(a.scale().max(b.scale()));
    (a.min(b)..=a.max(b)).contains(&price).then_some(price)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(number: i64) -> Time {
        Time::EPOCH + Span::DAY * number
    }

    fn check(bar: &Bar) -> Result<(), TestCaseError> {
        let trades = walk(3, bar);
        prop_assert!(trades.iter().all(|t| t.instrument == 3));
        prop_assert_eq!(trades[0].price, bar.open);
        prop_assert_eq!(trades[trades.len() - 1].price, bar.close);
        prop_assert_eq!(trades.iter().map(|t| t.price).max(), Some(bar.high));
        prop_assert_eq!(trades.iter().map(|t| t.price).min(), Some(bar.low));
        prop_assert_eq!(trades.iter().map(|t| t.qty).sum::<Decimal>(), bar.volume);
        prop_assert!(trades.windows(2).all(|w| w[0].time < w[1].time));
        prop_assert_eq!(trades[0].time, bar.time);
        prop_assert!(trades[trades.len() - 1].time < bar.time + bar.span);
        Ok(())
    }

    proptest! {
        #[test]
        fn a_walk_makes_its_bar(
            mut prices in proptest::array::uniform4(-1_000_000i64..1_000_000_000),
            swap: bool,
            volume in 0i64..1_000_000_000_000,
            minutes in 1i64..10_000,
        ) {
            prices.sort_unstable();
            let [low, a, b, high] = prices.map(|price| Decimal::new(price, 6));
            let (open, close) = if swap { (b, a) } else { (a, b) };
            let volume = Decimal::new(volume, 2);
            let span = Span::from_seconds(60) * minutes;
            let bar = Bar { time: day(5), span, open, high, low, close, volume };
            check(&bar)?;
            prop_assert!(walk(3, &bar).iter().all(|t| t.price.scale() <= 6));
        }

        #[test]
        fn as_many_digits_as_there_are(
            mut digits in proptest::array::uniform4(-(10i128.pow(27))..10i128.pow(27)),
            scale in 0u32..28,
        ) {
            digits.sort_unstable();
            let price = |digits| Decimal::from_digits(digits, scale).unwrap();
            let [low, open, close, high] = digits.map(price);
            let volume = high.abs();
            check(&Bar { time: day(5), span: Span::SECOND, open, high, low, close, volume })?;
        }
    }
}
