//! Numbers that a person edits: written and read in the person's language.

use shared::Decimal;

use super::SEPARATORS;

/// The digit zero in the scripts that have their own digits; the other nine
/// digits follow each one (Unicode, general category Nd).
const ZEROS: [char; 18] = [
    '0', '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}',
    '\u{c66}', '\u{ce6}', '\u{d66}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{17e0}',
    '\u{ff10}',
];
/// Marks of the writing direction, which some languages put before a minus
/// sign.
const MARKS: [char; 3] = ['\u{200e}', '\u{200f}', '\u{61c}'];
/// The minus signs.
const MINUS: [char; 4] = ['-', '\u{2212}', '\u{fe63}', '\u{ff0d}'];

/// Why what a person wrote cannot be read as a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberFault {
    /// It is not a number in this language, nor in the plain form that machines
    /// write.
    NoNumber,
    /// It can be read in two ways: as the first number in this language, and as
    /// the second one in the plain form.
    TwoWays(Decimal, Decimal),
}

/// A number for a field in which it can be edited: in the person's language,
/// without thousands separators, so that [`number`] can read it in one way
/// only.
pub fn editable(value: Decimal) -> String {
    SEPARATORS.with_borrow(|separators| value.to_string().replace('.', &separators.point))
}

/// Reads what a person wrote, in the person's language or in the plain form:
/// `64,012.50` or `64012.50`; in German also `64.012,50` and `64012,5`.
///
/// # Errors
///
/// It is not a number, or it can be read in two ways: `64.012` is 64012 in
/// German, and 64.012 in the plain form.
pub fn number(text: &str) -> Result<Decimal, NumberFault> {
    let text = Normalized::of(text);
    let own = SEPARATORS.with_borrow(|separators| {
        let first = |text: &str| Normalized::of(text).text.chars().next();
        text.read(
            first(&separators.point),
            first(&separators.group),
            separators.others,
        )
    });
    let machine = text.read(Some('.'), None, 3);
    match (own, machine) {
        (Some(own), Some(machine)) if own != machine => Err(NumberFault::TwoWays(own, machine)),
        (Some(value), _) | (None, Some(value)) => Ok(value),
        (None, None) => Err(NumberFault::NoNumber),
    }
}

/// What a person wrote, with only one character for each meaning: digits from 0
/// to 9, one kind of space, and one kind of apostrophe.
struct Normalized {
    text: String,
    is_negative: bool,
}

impl Normalized {
    fn of(text: &str) -> Self {
        // A separator can consist of nothing but a space.
        let trimmed = text.trim_matches(|c: char| c.is_whitespace() || MARKS.contains(&c));
        let text = if trimmed.is_empty() { text } else { trimmed };
        let unsigned = text.strip_prefix(MINUS);
        let is_negative = unsigned.is_some();
        let text = unsigned.unwrap_or(text).chars();
        Self {
            text: text.filter(|c| !MARKS.contains(c)).map(one_sign).collect(),
            is_negative,
        }
    }

    /// The number, if it has this decimal point and these groups.
    fn read(&self, point: Option<char>, group: Option<char>, others: usize) -> Option<Decimal> {
        let (whole, decimals) = match point.and_then(|point| self.text.split_once(point)) {
            Some((whole, decimals)) => (whole, decimals),
            None => (self.text.as_str(), ""),
        };
        let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        // A space or an apostrophe is never a decimal point, so it may separate
        // groups in every language.
        let separator = whole.chars().find(|c| !c.is_ascii_digit());
        let separator = separator.filter(|c| Some(*c) == group || [' ', '\''].contains(c));
        let whole: Vec<&str> = match separator {
            Some(separator) => whole.split(separator).collect(),
            None => vec![whole],
        };
        let is_right = whole.iter().all(|part| is_digits(part)) && is_digits(decimals);
        let has_digits = !decimals.is_empty() || whole.iter().any(|part| !part.is_empty());
        if !is_right || !has_digits || !are_groups(&whole, others) {
            return None;
        }
        let sign = if self.is_negative { "-" } else { "" };
        let number = [
            sign,
            "0",
            &whole.concat(),
            ".",
            decimals,
            if decimals.is_empty() { "0" } else { "" },
        ];
        let number: Decimal = number.concat().parse().ok()?;
        Some(match decimals {
            "" => number.truncated(0),
            _ => number,
        })
    }
}

/// Whether the groups of digits have the right lengths: three digits in the
/// last group, `others` in those between.
fn are_groups(parts: &[&str], others: usize) -> bool {
    let [first, between @ .., last] = parts else {
        return true;
    };
    (1..=others).contains(&first.len())
        && between.iter().all(|part| part.len() == others)
        && last.len() == 3
}

/// The one character that stands for all those with the same meaning.
fn one_sign(sign: char) -> char {
    let digit = ZEROS.into_iter().find_map(|zero| {
        let digit = u32::from(sign).checked_sub(u32::from(zero))?;
        char::from_digit(digit, 10)
    });
    match sign {
        _ if digit.is_some() => digit.unwrap_or(sign),
        '\u{2019}' | '\u{2bc}' | '\u{ff07}' => '\'',
        _ if sign.is_whitespace() => ' ',
        _ => sign,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Separators, fixed};
    use super::*;
    use proptest::prelude::*;

    /// `1234567.5` and `1234.5` as some languages write them.
    const LANGUAGES: [(&str, &str, &str); 12] = [
        ("en", "1,234,567.5", "1,234.5"),
        ("de", "1.234.567,5", "1.234,5"),
        ("es", "1.234.567,5", "1234,5"),
        ("fr", "1\u{202f}234\u{202f}567,5", "1\u{202f}234,5"),
        ("pl", "1\u{a0}234\u{a0}567,5", "1234,5"),
        ("sv", "1\u{a0}234\u{a0}567,5", "1\u{a0}234,5"),
        ("de-CH", "1’234’567.5", "1’234.5"),
        ("old Swiss", "1'234'567.5", "1'234.5"),
        ("en-IN", "12,34,567.5", "1,234.5"),
        ("none", "1234567.5", "1234.5"),
        ("none, comma", "1234567,5", "1234,5"),
        ("ar", "1٬234٬567٫5", "1٬234٫5"),
    ];

    fn speak((_, long, short): (&str, &str, &str)) {
        Separators::of_samples(long, short).apply();
    }

    /// The same text with other digits and another minus sign.
    fn in_own_signs(text: &str, zero: char, minus: &str) -> String {
        let sign = |c: char| match c.to_digit(10) {
            Some(digit) => char::from_u32(u32::from(zero) + digit).unwrap().to_string(),
            None if MINUS.contains(&c) => minus.to_owned(),
            None => c.to_string(),
        };
        text.chars().map(sign).collect()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            number in any::<i64>(), scale in 0u32..13, language in 0..LANGUAGES.len(),
            zero in 0..ZEROS.len(), minus in 0usize..6,
        ) {
            speak(LANGUAGES[language]);
            let value = Decimal::new(number, scale);
            let minus = ["-", "\u{2212}", "\u{200e}-", "\u{200e}\u{2212}", "\u{61c}-", "\u{ff0d}"][minus];
            for text in [editable(value), in_own_signs(&editable(value), ZEROS[zero], minus)] {
                prop_assert_eq!(super::number(&text), Ok(value), "{:?}", text);
            }
            // A number written for reading, not for editing, is read as the
            // same number, or refused.
            for text in [fixed(value, scale), in_own_signs(&fixed(value, scale), ZEROS[zero], minus)] {
                match super::number(&text) {
                    Ok(read) => prop_assert_eq!(read, value, "{:?}", text),
                    Err(NumberFault::TwoWays(own, _)) => prop_assert_eq!(own, value, "{:?}", text),
                    Err(NumberFault::NoNumber) => prop_assert!(false, "{:?} is a number", text),
                }
            }
            Separators::default().apply();
        }

        #[test]
        fn nothing_breaks_it(text in any::<String>(), language in 0..LANGUAGES.len()) {
            speak(LANGUAGES[language]);
            let _ = super::number(&text);
            Separators::default().apply();
        }
    }

    #[test]
    fn what_people_write() {
        let check = |name: &str, pairs: &[(&str, Option<&str>)]| {
            speak(*LANGUAGES.iter().find(|known| known.0 == name).unwrap());
            for (text, expect) in pairs {
                let found = number(text).map(|number| number.to_string()).ok();
                assert_eq!(found.as_deref(), *expect, "{text:?} in {name}");
            }
        };
        let english = [
            ("64012.50", Some("64012.50")),
            (" 64,012.5 ", Some("64012.5")),
            ("1,234,567", Some("1234567")),
            ("64 012.5", Some("64012.5")),
            ("0.5", Some("0.5")),
            (".5", Some("0.5")),
            ("64000,50", None),
            ("64,00", None),
            ("1,2345", None),
            ("1,23 456", None),
            ("1 2", None),
            ("1.2.3", None),
            ("-5", Some("-5")),
            ("- 5", None),
            ("5-", None),
            ("", None),
            (" ", None),
            (",", None),
            (".", None),
            ("a lot", None),
            ("1e5", None),
            ("0x10", None),
        ];
        check("en", &english);
        let german = [
            ("64.012,50", Some("64012.50")),
            ("64000,50", Some("64000.50")),
            ("64000.50", Some("64000.50")),
            ("149.382", None),
            ("1.234.567", Some("1234567")),
            ("149,382", Some("149.382")),
            ("64,012.50", None),
        ];
        check("de", &german);
        check("en-IN", &[("12,34,567.5", Some("1234567.5"))]);
        let french = [
            ("64 012,50", Some("64012.50")),
            ("64012,5", Some("64012.5")),
        ];
        check("fr", &french);
        let swiss = [("64’012.5", Some("64012.5")), ("64'012.5", Some("64012.5"))];
        check("de-CH", &swiss);
        check("old Swiss", &swiss);
        check("en", &swiss);
        check(
            "en",
            &[("٦٤٠١٢", Some("64012")), ("\u{200e}\u{2212}5", Some("-5"))],
        );
        Separators::default().apply();
    }

    #[test]
    fn the_two_ways_are_told() {
        speak(LANGUAGES[1]);
        let ways = NumberFault::TwoWays(Decimal::from(149_382), Decimal::new(149_382, 3));
        assert_eq!(number("149.382"), Err(ways));
        Separators::default().apply();
    }
}
