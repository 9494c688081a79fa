//! The positions of an axis's labels.

use super::within;

/// Round values between `from` and `to`, at most about `count` of them, and the
/// step between two of them: 1, 2 or 5 times a power of ten, and at least
/// `least`.
pub fn value_ticks((from, to): (f64, f64), count: usize, least: f64) -> (Vec<f64>, f64) {
    let span = to - from;
    if !span.is_finite() || span <= 0.0 || count == 0 {
        return (Vec::new(), 0.0);
    }
    let rough = (span / count as f64).max(least);
    let power = 10f64.powi(rough.log10().floor() as i32);
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    (multiples(from, to, step), step)
}

fn multiples(from: f64, to: f64, step: f64) -> Vec<f64> {
    let first = (from / step).ceil();
    let last = (to / step).floor();
    let count = within(last - first, (-1.0, 1_000.0)) as i64 + 1;
    (0..count)
        .map(|index| (first + index as f64) * step)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_round() {
        assert_eq!(
            value_ticks((0.0, 10.0), 5, 0.0),
            (vec![0.0, 2.0, 4.0, 6.0, 8.0, 10.0], 2.0)
        );
        let (ticks, step) = value_ticks((63_987.0, 64_021.0), 4, 0.01);
        assert_eq!(
            (ticks, step),
            (vec![63_990.0, 64_000.0, 64_010.0, 64_020.0], 10.0)
        );
        let cents = value_ticks((1.0, 1.031), 8, 0.01);
        assert_eq!(cents, (vec![1.0, 1.01, 1.02, 1.03], 0.01));
        assert_eq!(value_ticks((1.0, 1.0), 5, 0.0).0, Vec::<f64>::new());
        assert_eq!(value_ticks((f64::NAN, 1.0), 5, 0.0).0, Vec::<f64>::new());
    }

    proptest! {
        #[test]
        fn ticks_are_few_and_inside(from in -1e12..1e12f64, span in 1e-3..1e12f64, count in 1usize..20) {
            let (ticks, _) = value_ticks((from, from + span), count, 0.0);
            prop_assert!(ticks.len() <= 3 * count + 2);
            let slack = span * 1e-6 + from.abs() * 1e-12;
            prop_assert!(ticks.iter().all(|t| *t >= from - slack && *t <= from + span + slack));
        }
    }
}
