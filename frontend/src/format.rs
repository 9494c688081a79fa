//! Numbers for people: fixed decimals, thousands apart, a true minus sign.

use rust_decimal::prelude::ToPrimitive;
use shared::Decimal;

/// What stands where there is no number.
pub const NOTHING: &str = "–";

/// `64012.5` with two decimals as `64,012.50`.
pub fn fixed(value: Decimal, decimals: u32) -> String {
    let mut value = value;
    value.rescale(decimals);
    grouped(
        &value.abs().to_string(),
        value.is_sign_negative() && !value.is_zero(),
    )
}

/// The same with a sign before it, also a plus.
pub fn signed(value: Decimal, decimals: u32) -> String {
    let text = fixed(value, decimals);
    if value.is_sign_positive() && !value.is_zero() {
        format!("+{text}")
    } else {
        text
    }
}

/// A change in per cent, as in `+1.45%`.
pub fn percent(value: Decimal) -> String {
    format!("{}%", signed(value, 2))
}

/// A quantity in at most five figures, as in `1.89K` or `5.79B`.
pub fn compact(value: Decimal) -> String {
    let number = value.to_f64().unwrap_or(f64::INFINITY);
    let (scaled, unit) = match number.abs() {
        n if n >= 1e12 => (number / 1e12, "T"),
        n if n >= 1e9 => (number / 1e9, "B"),
        n if n >= 1e6 => (number / 1e6, "M"),
        n if n >= 1e4 => (number / 1e3, "K"),
        n if n >= 100.0 => (number, ""),
        _ => return value.round_dp(4).normalize().to_string(),
    };
    let decimals = if scaled.abs() >= 100.0 { 0 } else { 2 };
    format!("{scaled:.decimals$}{unit}")
}

/// A whole number with thousands apart.
pub fn whole(value: f64) -> String {
    let text = format!("{:.0}", value.abs());
    grouped(&text, value <= -0.5)
}

/// The smallest decimal that lies on an axis whose labels are `step` apart.
pub fn axis(value: f64, step: f64, decimals: u32) -> String {
    let needed = (-step.log10().floor()).max(0.0) as u32;
    let decimals = needed.min(decimals) as usize;
    grouped(&format!("{:.decimals$}", value.abs()), value < 0.0)
}

fn grouped(plain: &str, negative: bool) -> String {
    let (whole, fraction) = match plain.find('.') {
        Some(point) => plain.split_at(point),
        None => (plain, ""),
    };
    let mut text = String::with_capacity(plain.len() + 8);
    if negative {
        text.push('\u{2212}');
    }
    for (digit, left) in whole.chars().zip((0..whole.len()).rev()) {
        text.push(digit);
        if left > 0 && left % 3 == 0 {
            text.push(',');
        }
    }
    text.push_str(fraction);
    text
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
        assert_eq!(signed(decimal("912.5"), 2), "+912.50");
    }

    #[test]
    fn quantities() {
        for (value, expect) in [
            ("0.01250000", "0.0125"),
            ("1893.4421", "1893"),
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
    }
}
