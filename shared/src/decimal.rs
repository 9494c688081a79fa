//! Exact decimals.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};
use std::str::FromStr;

use rust_decimal::prelude::ToPrimitive as _;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// An exact decimal of at least 28 digits (96 bits), which keeps trailing zeros. In JSON it
/// is a string.
///
/// It is parsed exactly or not at all: nothing is rounded, and a JSON number is
/// rejected, because it may have been converted to a double before.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(rust_decimal::Decimal);

/// A text that is not a decimal, or has too many digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a decimal of up to 28 digits")]
pub struct DecimalError(String);

impl Decimal {
    /// 0.
    pub const ZERO: Self = Self(rust_decimal::Decimal::ZERO);
    /// 0.01.
    pub const HUNDREDTH: Self = Self(rust_decimal::Decimal::from_parts(1, 0, 0, false, 2));
    /// 1.
    pub const ONE: Self = Self(rust_decimal::Decimal::ONE);
    /// 2.
    pub const TWO: Self = Self(rust_decimal::Decimal::TWO);
    /// 10.
    pub const TEN: Self = Self(rust_decimal::Decimal::TEN);
    /// 100.
    pub const ONE_HUNDRED: Self = Self(rust_decimal::Decimal::ONE_HUNDRED);
    /// The highest value: 2^96 - 1.
    pub const MAX: Self = Self(rust_decimal::Decimal::MAX);

    /// A whole number.
    pub const fn whole(number: u64) -> Self {
        let (low, middle) = (number as u32, (number >> 32) as u32);
        Self(rust_decimal::Decimal::from_parts(low, middle, 0, false, 0))
    }

    /// The number with these digits, `scale` of them after the point; at most
    /// 28.
    ///
    /// # Panics
    ///
    /// `scale` is above 28.
    pub fn new(digits: i64, scale: u32) -> Self {
        Self(rust_decimal::Decimal::new(digits, scale))
    }

    /// As [`Self::new`]; `None` if there are too many digits.
    pub fn from_digits(digits: i128, scale: u32) -> Option<Self> {
        let made = rust_decimal::Decimal::try_from_i128_with_scale(digits, scale);
        made.ok().map(Self)
    }

    /// The digits without the point.
    pub fn digits(&self) -> i128 {
        self.0.mantissa()
    }

    /// How many digits are after the point.
    pub fn scale(&self) -> u32 {
        self.0.scale()
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// As a double, for geometry and statistics.
    pub fn to_f64(self) -> f64 {
        self.0.to_f64().unwrap_or(f64::NAN)
    }

    /// The sum; on overflow, the highest or lowest value.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; on overflow, the highest or lowest value.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The sum; `None` on overflow.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The sum with all its digits; `None` if they are more than 28.
    pub fn exact_add(self, other: Self) -> Option<Self> {
        let sum = self.checked_add(other)?;
        // What has too many digits loses decimals.
        let has_all = sum.scale() == self.scale().max(other.scale());
        (has_all || self.is_zero() || other.is_zero()).then_some(sum)
    }

    /// The difference; `None` on overflow.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The product; `None` on overflow.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        self.0.checked_mul(other.0).map(Self)
    }

    /// The quotient, rounded if it does not terminate; `None` on overflow, or
    /// if `other` is zero.
    pub fn checked_div(self, other: Self) -> Option<Self> {
        self.0.checked_div(other.0).map(Self)
    }

    /// The same number without trailing zeros.
    #[must_use]
    pub fn normalize(self) -> Self {
        Self(self.0.normalize())
    }

    /// The number without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// The number with `scale` digits after the point: rounded half away from
    /// zero, or padded with zeros as far as possible.
    #[must_use]
    pub fn rescaled(mut self, scale: u32) -> Self {
        self.0.rescale(scale);
        self
    }

    /// The number with at most `scale` digits after the point; further digits
    /// are cut off.
    #[must_use]
    pub fn truncated(self, scale: u32) -> Self {
        Self(self.0.trunc_with_scale(scale))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// Digits with an optional sign before them and at most one point: no digit
    /// separators, no exponent, and nothing that would have to be rounded.
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let error = || DecimalError(text.chars().take(40).collect());
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        // No plus, no point without a digit on each side, nothing that groups.
        if !is_digit(digits.as_bytes().first())
            || !is_digit(digits.as_bytes().last())
            || text.contains('_')
        {
            return Err(error());
        }
        let made = rust_decimal::Decimal::from_str_exact(text);
        made.map(Self).map_err(|_| error())
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Decimal;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a decimal as a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Decimal, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}

macro_rules! from_whole {
    ($($number:ty),*) => {$(
        impl From<$number> for Decimal {
            fn from(number: $number) -> Self {
                Self(number.into())
            }
        }
    )*};
}

from_whole!(i32, i64, u32, u64, usize);

// As with other numbers, these panic on overflow. For values from outside, use
// the checked methods.

impl Add for Decimal {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Decimal {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Decimal {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul for Decimal {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }
}

impl Div for Decimal {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        Self(self.0 / other.0)
    }
}

impl Neg for Decimal {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Decimal {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Decimal {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("An exact decimal of up to 28 digits."))
            .pattern(Some(r"^-?[0-9]+(\.[0-9]+)?$"))
            .examples(["64012.75"])
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Decimal {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_is_read_as_it_is_written_or_not_at_all() {
        for text in [
            "0",
            "-1.50",
            "64012.75",
            "5000000000.00000010",
            "0.0000000000000000000000000001",
        ] {
            assert_eq!(
                text.parse::<Decimal>().map(|d| d.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in [
            "",
            "x",
            "1e5",
            "1_000",
            "1,5",
            "NaN",
            "1.00000000000000000000000000001",
            "99999999999999999999999999999",
            "+1",
            ".5",
            "1.",
            "-",
            "-.5",
        ] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Decimal>("1.5").is_err());
        assert!(
            serde_json::from_str::<Option<Decimal>>("null")
                .unwrap()
                .is_none()
        );
    }

    proptest! {
        #[test]
        fn arbitrary_texts_never_panic(text: String) {
            let _ = text.parse::<Decimal>();
        }

        #[test]
        fn a_round_trip_keeps_every_digit(digits in -1i128 << 95..1 << 95, scale in 0u32..=28) {
            let decimal = Decimal::from_digits(digits, scale).unwrap();
            let read: Decimal = serde_json::from_str(&serde_json::to_string(&decimal).unwrap()).unwrap();
            prop_assert_eq!((read.digits(), read.scale()), (digits, scale));
        }
    }
}
