//! Numbers as files have them: with a currency, thousands, a decimal comma, or
//! `1.23M`. They are read exactly.

use shared::Decimal;

/// The most digits of a number: a [`Decimal`] holds them all.
const DIGITS_MAX: usize = 28;
/// What stands where there is no value.
const NOTHING: [&str; 8] = ["", "-", "--", "n/a", "na", "nan", "null", "none"];
/// Spaces that separate thousands in some languages.
const SPACES: [char; 4] = [' ', '\u{a0}', '\u{202f}', '\''];

/// What separates whole numbers from decimals in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecimalMark {
    /// As in 1,234.50.
    #[default]
    Point,
    /// As in 1.234,50.
    Comma,
}

impl DecimalMark {
    fn of_decimals(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }

    fn of_thousands(self) -> char {
        match self {
            Self::Point => ',',
            Self::Comma => '.',
        }
    }

    /// What this text says of its file's mark; `None` if it can be read with
    /// both, or with neither.
    pub fn of(text: &str) -> Option<Self> {
        let with = |mark| number(text, mark).is_ok();
        match (with(Self::Point), with(Self::Comma)) {
            (true, false) => Some(Self::Point),
            (false, true) => Some(Self::Comma),
            (true, true) | (false, false) => None,
        }
    }
}

/// A text that is no number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// It is something else.
    #[error("'{0}' is no number")]
    None(String),
    /// It has more digits than can be kept.
    #[error("'{0}' has more than 28 digits")]
    TooLong(String),
}

/// A number, and whether its source rounded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The value, exactly as written.
    pub value: Decimal,
    /// Whether it was written as in 1.23M.
    pub is_rounded: bool,
}

/// Reads a number; `None` for a cell that says that there is none.
///
/// # Errors
///
/// It is no number, or too long a one.
pub fn number(text: &str, mark: DecimalMark) -> Result<Option<Number>, NumberError> {
    let text = text.trim();
    if mark == DecimalMark::Point
        && let Some(value) = simple(text)
    {
        let is_rounded = false;
        return Ok(Some(Number { value, is_rounded }));
    }
    general(text, mark)
}

/// Digits with a point between them at most, as most numbers are: read without a
/// copy, since a file has very many.
fn simple(text: &str) -> Option<Decimal> {
    let bytes = text.as_bytes();
    if bytes.len() > DIGITS_MAX || bytes.first() == Some(&b'.') || bytes.last() == Some(&b'.') {
        return None;
    }
    let (mut digits, mut scale) = (0_i128, None);
    for byte in bytes {
        match byte {
            b'0'..=b'9' => {
                digits = 10 * digits + i128::from(byte - b'0');
                scale = scale.map(|scale| scale + 1);
            }
            b'.' if scale.is_none() => scale = Some(0),
            _ => return None,
        }
    }
    let is_empty = bytes.is_empty();
    (!is_empty)
        .then(|| Decimal::from_digits(digits, scale.unwrap_or(0)))
        .flatten()
}

/// A number in any of the ways in which people write it.
fn general(text: &str, mark: DecimalMark) -> Result<Option<Number>, NumberError> {
    if NOTHING
        .iter()
        .any(|nothing| text.eq_ignore_ascii_case(nothing))
    {
        return Ok(None);
    }
    let none = || NumberError::None(text.chars().take(40).collect());
    let (sign, rest) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let rest = rest.trim_start_matches(['$', '€', '£']).trim_start();
    let rest = rest.trim_end_matches('%').trim_end();
    let (digits, power) = thousand_fold(rest);
    let (digits, exponent) = exponent(digits).ok_or_else(none)?;
    let plain = plain(digits, mark).ok_or_else(none)?;
    let shifted = shifted(&plain, exponent + power).ok_or_else(none)?;
    let length = shifted.bytes().filter(u8::is_ascii_digit).count();
    let leading = shifted.bytes().take_while(|byte| *byte == b'0').count();
    if length - leading.min(length) > DIGITS_MAX {
        return Err(NumberError::TooLong(text.chars().take(60).collect()));
    }
    let value = format!("{sign}{shifted}").parse().map_err(|_| none())?;
    Ok(Some(Number {
        value,
        is_rounded: power != 0,
    }))
}

/// The digits before K, M or B, and the power of ten that it stands for.
fn thousand_fold(text: &str) -> (&str, i32) {
    for (letters, power) in [(['k', 'K'], 3), (['m', 'M'], 6), (['b', 'B'], 9)] {
        if let Some(digits) = text.strip_suffix(letters) {
            return (digits.trim_end(), power);
        }
    }
    (text, 0)
}

/// The digits before an exponent, and the exponent.
fn exponent(text: &str) -> Option<(&str, i32)> {
    match text.split_once(['e', 'E']) {
        None => Some((text, 0)),
        Some((digits, exponent)) => {
            let exponent: i32 = exponent.parse().ok()?;
            (exponent.abs() <= 40).then_some((digits, exponent))
        }
    }
}

/// Digits with a point, if any, of a text with thousands.
fn plain(text: &str, mark: DecimalMark) -> Option<String> {
    let (whole, decimals) = match text.split_once(mark.of_decimals()) {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (text, None),
    };
    let is_thousands = |c: char| c == mark.of_thousands() || SPACES.contains(&c);
    let mut groups = whole.split(is_thousands);
    let first = groups.next()?;
    let rest: Vec<_> = groups.collect();
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // Thousands are groups of three; the first one has up to three digits.
    let is_good = all_digits(first)
        && rest
            .iter()
            .all(|group| group.len() == 3 && all_digits(group))
        && (rest.is_empty() || (1..=3).contains(&first.len()))
        && decimals.is_none_or(|decimals| !decimals.is_empty() && all_digits(decimals))
        && (!first.is_empty() || (rest.is_empty() && decimals.is_some()));
    if !is_good {
        return None;
    }
    let whole = format!("{first}{}", rest.concat());
    let whole = if whole.is_empty() { "0" } else { &whole };
    Some(match decimals {
        Some(decimals) => format!("{whole}.{decimals}"),
        None => whole.to_owned(),
    })
}

/// Digits with their point moved to the right by so many places.
fn shifted(digits: &str, places: i32) -> Option<String> {
    if places == 0 {
        return Some(digits.to_owned());
    }
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{decimals}");
    let point = i32::try_from(whole.len()).ok()? + places;
    let text = match usize::try_from(point) {
        Ok(point) if point >= all.len() => format!("{all}{}", "0".repeat(point - all.len())),
        Ok(0) | Err(_) => format!("0.{}{all}", "0".repeat(point.unsigned_abs() as usize)),
        Ok(point) => format!("{}.{}", &all[..point], &all[point..]),
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_simple_number_is_read_as_any_other(text in "[0-9.]{0,30}") {
            if let Some(value) = simple(&text) {
                let found = general(&text, DecimalMark::Point).unwrap().unwrap();
                prop_assert_eq!((found.value, found.is_rounded), (value, false));
                prop_assert_eq!(found.value.scale(), value.scale());
            }
        }
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        use DecimalMark::{Comma, Point};
        for (text, mark, expect) in [
            ("93576.00", Point, Some("93576.00")),
            ("1,234.50", Point, Some("1234.50")),
            ("1.234,50", Comma, Some("1234.50")),
            ("11.381,18", Comma, Some("11381.18")),
            ("5 942,47", Comma, Some("5942.47")),
            ("5\u{202f}942,47", Comma, Some("5942.47")),
            ("1'234'567.5", Point, Some("1234567.5")),
            ("$243.36", Point, Some("243.36")),
            ("-$37.63", Point, Some("-37.63")),
            ("\u{2212}5", Point, Some("-5")),
            ("-0.22%", Point, Some("-0.22")),
            ("2.17B", Point, Some("2170000000")),
            ("10,36M", Comma, Some("10360000")),
            ("950.50K", Point, Some("950500")),
            ("9899.999999999998", Point, Some("9899.999999999998")),
            ("1.5e-3", Point, Some("0.0015")),
            ("1.5E3", Point, Some("1500")),
            ("5e-9", Point, Some("0.000000005")),
            (".5", Point, Some("0.5")),
            ("0", Point, Some("0")),
            ("", Point, None),
            ("-", Point, None),
            ("N/A", Point, None),
            ("null", Point, None),
        ] {
            let found = number(text, mark).unwrap();
            let found = found.map(|number| number.value.to_string());
            assert_eq!(found.as_deref(), expect, "{text}");
        }
        assert!(number("2.17B", Point).unwrap().unwrap().is_rounded);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "1,23.5", "12,34", "1.2.3", "1e", "e5", "abc", "1..2", "5-", "--5", "1e99", ".", "$",
            "1,2345", "0x10", "١", "1 2",
        ] {
            assert!(number(text, DecimalMark::Point).is_err(), "{text}");
        }
        let long = "1.2345678901234567890123456789";
        let error = number(long, DecimalMark::Point).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("'{long}' has more than 28 digits")
        );
    }

    #[test]
    fn a_text_says_which_mark_its_file_has() {
        for (text, expect) in [
            ("1.234,50", Some(DecimalMark::Comma)),
            ("1,234.50", Some(DecimalMark::Point)),
            ("93576.00", Some(DecimalMark::Point)),
            ("0,5", Some(DecimalMark::Comma)),
            ("1,234", None),
            ("12", None),
            ("x", None),
        ] {
            assert_eq!(DecimalMark::of(text), expect, "{text}");
        }
    }

    proptest! {
        /// What a decimal writes is read as itself, in both ways of writing.
        #[test]
        fn what_is_written_is_read(mantissa in any::<i64>(), scale in 0u32..19) {
            let decimal = Decimal::new(mantissa, scale);
            let text = decimal.to_string();
            let read = |text: &str, mark| number(text, mark).unwrap().unwrap().value;
            prop_assert_eq!(read(&text, DecimalMark::Point), decimal);
            prop_assert_eq!(read(&text.replace('.', ","), DecimalMark::Comma), decimal);
        }

        #[test]
        fn nothing_panics(text in ".{0,60}") {
            let _ = number(&text, DecimalMark::Point);
            let _ = number(&text, DecimalMark::Comma);
        }
    }
}
