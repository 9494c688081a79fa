//! Values as venues write them: decimals as numbers or as texts, and times.

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::value::RawValue;
use shared::{Decimal, Span, Time};

use super::Malformed;

/// More zeros than this are no number of a market.
const EXPONENT_MAX: i32 = 28;

/// Reads a text as JSON.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|error| Malformed(error.to_string()))
}

/// A row of values. More may be appended to it some day.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Row<'a>(#[serde(borrow)] Vec<&'a RawValue>);

impl<'a> Row<'a> {
    /// The value in this column, counted from 0.
    pub(super) fn at<T: Deserialize<'a>>(&self, column: usize) -> Result<T, Malformed> {
        match self.0.get(column) {
            Some(value) => read(value.get()),
            None => Err(Malformed(format!("a row without a column {column}"))),
        }
    }

    /// The decimal in this column.
    pub(super) fn decimal(&self, column: usize) -> Result<Decimal, Malformed> {
        self.at::<Exact>(column).map(|exact| exact.0)
    }
}

/// A decimal, whether it is written as a number or as a text. It never becomes a
/// double on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exact(pub(super) Decimal);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        decimal(raw.get().trim_matches('"'))
            .map(Self)
            .ok_or_else(|| D::Error::custom(format!("{} is no decimal", raw.get())))
    }
}

/// A time, written as seconds with decimals, as a number or as a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) Time);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Exact(seconds) = Exact::deserialize(deserializer)?;
        // What is shorter than a microsecond is cut off.
        let micros = seconds.checked_mul(Decimal::whole(1_000_000));
        let whole = micros.map(|micros| micros.digits() / 10_i128.pow(micros.scale()));
        let micros = whole.and_then(|whole| i64::try_from(whole).ok());
        let micros = micros.ok_or_else(|| D::Error::custom(format!("{seconds} is no time")))?;
        Ok(Self(Time::from_micros(micros)))
    }
}

/// A time with a date, as in `2023-10-06T17:35:55.440295Z` (RFC 3339).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dated(pub(super) Time);

impl<'de> Deserialize<'de> for Dated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        let time: jiff::Timestamp = text
            .parse()
            .map_err(|_| D::Error::custom(format!("{text} is no time")))?;
        Ok(Self(Time::from_micros(time.as_microsecond())))
    }
}

/// A time since the epoch in ms or µs, told by its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Since(pub(super) Time);

impl<'de> Deserialize<'de> for Since {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const MICROS_LEAST: i64 = 100_000_000_000_000;
        let number = i64::deserialize(deserializer)?;
        let span = match number {
            MICROS_LEAST.. => Span::from_micros(number),
            _ => Span::from_micros(number.saturating_mul(1_000)),
        };
        Ok(Self(Time::EPOCH + span))
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    if let Ok(exact) = text.parse() {
        return Some(exact);
    }
    // As in 1e-7.
    let (digits, exponent) = text.split_once(['e', 'E'])?;
    let (digits, exponent): (Decimal, i32) = (digits.parse().ok()?, exponent.parse().ok()?);
    if exponent.abs() > EXPONENT_MAX {
        return None;
    }
    let scale = i32::try_from(digits.scale()).ok()?.checked_sub(exponent)?;
    match u32::try_from(scale) {
        Ok(scale) => (scale <= 28)
            .then(|| Decimal::from_digits(digits.digits(), scale))
            .flatten(),
        Err(_) => {
            let zeros = 10_i128.checked_pow(scale.unsigned_abs())?;
            Decimal::from_digits(digits.digits().checked_mul(zeros)?, 0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_however_they_are_written() {
        for (text, expect) in [
            ("105944.20", Some("105944.20")),
            ("\"0.00027625\"", Some("0.00027625")),
            ("1e-7", Some("0.0000001")),
            ("1.5E3", Some("1500")),
            ("\"-3\"", Some("-3")),
            (
                "123456789.123456789123456789",
                Some("123456789.123456789123456789"),
            ),
            ("1e-29", None),
            ("1e999999999", None),
            ("1e28", Some("10000000000000000000000000000")),
            ("9e28", None),
            ("79228162514264337593543950336", None),
            ("true", None),
            ("null", None),
            ("\"\"", None),
            ("[1]", None),
        ] {
            let found = read::<Exact>(text).ok();
            assert_eq!(
                found.map(|found| found.0.to_string()).as_deref(),
                expect,
                "{text}"
            );
        }
    }

    #[test]
    fn times_of_three_forms() {
        let micros = |time: Time| time.micros();
        let seconds = |text| read::<Seconds>(text).map(|found| micros(found.0));
        assert_eq!(seconds("1762795433.9717445"), Ok(1_762_795_433_971_744));
        assert_eq!(seconds("\"1762795433\""), Ok(1_762_795_433_000_000));
        assert!(seconds("1e25").is_err());
        let dated = |text| read::<Dated>(text).map(|found| micros(found.0));
        let at = Ok(1_696_613_755_440_295);
        assert_eq!(dated("\"2023-10-06T17:35:55.440295Z\""), at);
        assert_eq!(dated("\"2023-10-06T17:35:55.440295999Z\""), at);
        assert!(dated("\"yesterday\"").is_err() && dated("\"2023-10-06\"").is_err());
        let since = |text| read::<Since>(text).map(|found| micros(found.0));
        assert_eq!(since("1649324825173"), Ok(1_649_324_825_173_000));
        assert_eq!(since("1649324825173123"), Ok(1_649_324_825_173_123));
    }
}
