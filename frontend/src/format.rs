//! Numbers for people: with fixed decimals, thousands separators, a true minus
//! sign, and the separators of the person's language. [`number`] reads what
//! people type.

mod edit;

use std::cell::RefCell;

use shared::Decimal;

pub use edit::{NumberFault, editable, number};

/// Shown where there is no number.
pub const NOTHING: &str = "–";

/// How a language writes numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Separators {
    /// Between groups of digits; empty where there are none.
    pub group: String,
    /// The decimal point.
    pub point: String,
    /// How many digits each group but the last has; the last one always has
    /// three.
    pub others: usize,
    /// Numbers with fewer digits before the decimal point are not grouped.
    pub least: usize,
}

impl Default for Separators {
    fn default() -> Self {
        Self {
            group: ",".to_owned(),
            point: ".".to_owned(),
            others: 3,
            least: 4,
        }
    }
}

thread_local! {
    /// Set once, when the page starts.
    static SEPARATORS: RefCell<Separators> = RefCell::default();
}

impl Separators {
    /// Derives the separators from the way in which `1234567.5` and `1234.5`
    /// are written.
    pub fn of_samples(long: &str, short: &str) -> Self {
        let point = between(long, '7', '5').unwrap_or(".");
        // Groups of two, as in `12,34,567.5`; other languages write
        // `1,234,567.5`.
        let by_two = between(long, '2', '3').is_some_and(|group| !group.is_empty());
        let group = between(long, '4', '5').unwrap_or_default();
        let grouped = between(short, '1', '2').is_some_and(|group| !group.is_empty());
        Self {
            group: group.to_owned(),
            point: point.to_owned(),
            others: if by_two { 2 } else { 3 },
            least: if grouped { 4 } else { 5 },
        }
    }

    /// Uses these from now on.
    pub fn apply(self) {
        SEPARATORS.set(self);
    }
}

/// The text between the first `before` and the next `after`.
fn between(text: &str, before: char, after: char) -> Option<&str> {
    let start = text.find(before)? + before.len_utf8();
    let rest = text.get(start..)?;
    rest.get(..rest.find(after)?)
}

/// `64012.5` with two decimals as `64,012.50`.
pub fn fixed(value: Decimal, decimals: u32) -> String {
    localised(&value.rescaled(decimals).to_string())
}

/// The same with a sign, also for positive numbers.
pub fn signed(value: Decimal, decimals: u32) -> String {
    with_plus(fixed(value, decimals))
}

/// A change as a percentage, as in `+1.45%`.
pub fn percent(value: Decimal) -> String {
    signed(value, 2) + "%"
}

/// The same for a floating-point number.
pub fn rough_percent(value: f64) -> String {
    if value.is_nan() {
        return NOTHING.to_owned();
    }
    with_plus(rounded(value, 2)) + "%"
}

fn with_plus(text: String) -> String {
    let zero = text.bytes().all(|b| !(b'1'..=b'9').contains(&b));
    if zero || text.starts_with('\u{2212}') {
        text
    } else {
        format!("+{text}")
    }
}

/// A quantity in short form, as in `1.89K` or `5.79B`.
pub fn compact(value: Decimal) -> String {
    rough_compact(value.to_f64())
}

/// The same for a floating-point number.
pub fn rough_compact(number: f64) -> String {
    let (scaled, unit) = match number.abs() {
        n if n >= 1e12 => (number / 1e12, "T"),
        n if n >= 1e9 => (number / 1e9, "B"),
        n if n >= 1e6 => (number / 1e6, "M"),
        n if n >= 1e4 => (number / 1e3, "K"),
        n if n >= 100.0 => (number, ""),
        _ => {
            let text = plain(number, 4);
            let text = text.trim_end_matches('0').trim_end_matches('.');
            return localised(text);
        }
    };
    let decimals = if scaled.abs() >= 100.0 { 0 } else { 2 };
    rounded(scaled, decimals) + unit
}

/// A whole number with thousands separators.
pub fn whole(value: f64) -> String {
    rounded(value, 0)
}

/// A number with as few decimals as it needs, six at most.
pub fn shortest(value: f64) -> String {
    let is_exact = |decimals: &u32| (value * 10f64.powi(*decimals as i32)).fract() == 0.0;
    rounded(value, (0..6).find(is_exact).unwrap_or(6))
}

/// A number with this many decimals.
pub fn rounded(value: f64, decimals: u32) -> String {
    localised(&plain(value, decimals))
}

/// A label of an axis whose labels are `step` apart, with no more decimals than
/// needed.
pub fn axis(value: f64, step: f64, decimals: u32) -> String {
    let needed = (-step.log10().floor()).max(0.0) as u32;
    rounded(value, needed.min(decimals))
}

/// Plain digits, as in `-1234.50`. Digits that the number does not have are not
/// made up: `25000000.1` with twelve decimals ends in zeros.
pub fn plain(value: f64, decimals: u32) -> String {
    let decimals = decimals as usize;
    // The shortest digits from which the same number is read.
    let mut digits = value.to_string();
    let point = digits.find('.');
    let had = point.map_or(0, |point| digits.len() - point - 1);
    if had > decimals {
        digits = format!("{value:.decimals$}");
    } else if value.is_finite() && decimals > 0 {
        if point.is_none() {
            digits.push('.');
        }
        digits.extend(std::iter::repeat_n('0', decimals - had));
    }
    // A number that is rounded to zero has no sign.
    let is_zero = !digits.bytes().any(|b| (b'1'..=b'9').contains(&b));
    match digits.strip_prefix('-') {
        Some(zero) if is_zero && value.is_finite() => zero.to_owned(),
        _ => digits,
    }
}

/// A figure with one decimal below 10, and none above.
pub fn short(value: f64) -> String {
    rounded(value, if value < 10.0 { 1 } else { 0 })
}

/// Writes plain digits in the person's language.
fn localised(plain: &str) -> String {
    let digits = plain.strip_prefix('-');
    let negative = digits.is_some() && plain.bytes().any(|b| (b'1'..=b'9').contains(&b));
    let digits = digits.unwrap_or(plain);
    let whole = digits.bytes().take_while(|b| *b != b'.').count();
    SEPARATORS.with_borrow(|separators| {
        let mut text = String::with_capacity(plain.len() + 8);
        if negative {
            text.push('\u{2212}');
        }
        for (place, digit) in digits.chars().enumerate() {
            if digit == '.' {
                text.push_str(&separators.point);
                continue;
            }
            let left = whole.wrapping_sub(place);
            let at_group = place > 0 && place < whole && left >= 3;
            if at_group && whole >= separators.least && (left - 3).is_multiple_of(separators.others)
            {
                text.push_str(&separators.group);
            }
            text.push(digit);
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn prices() {
        for (value, decimals, expect) in [
            ("64012.5", 2, "64,012.50"),
            ("1.08412", 5, "1.08412"),
            ("999", 0, "999"),
            ("1000", 0, "1,000"),
            ("-1234567.891", 3, "\u{2212}1,234,567.891"),
            ("-0.00", 2, "0.00"),
        ] {
            assert_eq!(fixed(decimal(value), decimals), expect);
        }
    }

    #[test]
    fn changes() {
        assert_eq!(percent(decimal("1.45")), "+1.45%");
        assert_eq!(percent(decimal("-0.3")), "\u{2212}0.30%");
        assert_eq!(percent(decimal("0")), "0.00%");
        assert_eq!(rough_percent(-12.345), "\u{2212}12.35%");
        assert_eq!(rough_percent(f64::NAN), NOTHING);
        assert_eq!(signed(decimal("912.5"), 2), "+912.50");
    }

    #[test]
    fn quantities() {
        for (value, expect) in [
            ("0.01250000", "0.0125"),
            ("1893.4421", "1,893"),
            ("18934.421", "18.93K"),
            ("5792140000", "5.79B"),
            ("123456789", "123M"),
            ("0", "0"),
        ] {
            assert_eq!(compact(decimal(value)), expect);
        }
    }

    #[test]
    fn labels() {
        assert_eq!(axis(64_000.0, 10.0, 2), "64,000");
        assert_eq!(axis(1.0842, 0.0002, 5), "1.0842");
        assert_eq!(whole(2_000.4), "2,000");
        assert_eq!(plain(-0.004, 2), "0.00");
        assert_eq!(plain(-1234.5, 2), "-1234.50");
        assert_eq!(plain(0.05, 3), "0.050");
        assert_eq!(plain(0.000_000_12, 8), "0.00000012");
        assert_eq!(plain(0.000_000_12, 12), "0.000000120000");
        assert_eq!(plain(25_000_000.5, 12), "25000000.500000000000");
        assert_eq!(plain(-25_000_000.1, 8), "-25000000.10000000");
        assert_eq!(plain(2.0, 0), "2");
        assert_eq!(axis(0.000_000_12, 0.000_000_02, 8), "0.00000012");
        assert_eq!(axis(-37.63, 0.01, 2), "\u{2212}37.63");
    }

    #[test]
    fn languages() {
        let check = |long, short, expect: [&str; 2]| {
            Separators::of_samples(long, short).apply();
            let shown = [fixed(decimal("1234567.5"), 1), fixed(decimal("1234.5"), 2)];
            assert_eq!(shown, expect);
        };
        check("1,234,567.5", "1,234.5", ["1,234,567.5", "1,234.50"]);
        check("1.234.567,5", "1.234,5", ["1.234.567,5", "1.234,50"]);
        check("1.234.567,5", "1234,5", ["1.234.567,5", "1234,50"]);
        check("12,34,567.5", "1,234.5", ["12,34,567.5", "1,234.50"]);
        check(
            "1\u{202f}234\u{202f}567,5",
            "1\u{202f}234,5",
            ["1\u{202f}234\u{202f}567,5", "1\u{202f}234,50"],
        );
        check("1’234’567.5", "1’234.5", ["1’234’567.5", "1’234.50"]);
        Separators::default().apply();
    }
}
