//! Points in time, and the spans between them. Results outside the range of
//! 292,000 years saturate: no time from outside can cause a panic.

use std::fmt;
use std::num::ParseIntError;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: microseconds since the Unix epoch, UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(i64);

/// A span of time, in microseconds; negative if it goes back.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Span(i64);

impl Time {
    /// The first instant of 1970, UTC.
    pub const EPOCH: Self = Self(0);
    /// The earliest time.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest time.
    pub const MAX: Self = Self(i64::MAX);

    /// The time this many µs after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The µs since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The time this many ms after the epoch, the unit of browsers.
    pub fn from_millis(millis: f64) -> Self {
        Self((millis * 1e3) as i64)
    }

    /// The ms since the epoch, the unit of browsers.
    pub fn millis(self) -> f64 {
        self.0 as f64 / 1e3
    }

    /// The latest multiple of `span` since the epoch that is not after this
    /// time; `span` must be positive.
    #[must_use]
    pub const fn floor(self, span: Span) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(span.0)))
    }

    /// Whether both are on the same UTC day.
    pub const fn is_same_day(self, other: Self) -> bool {
        self.0.div_euclid(Span::DAY.0) == other.0.div_euclid(Span::DAY.0)
    }
}

impl Span {
    /// No time.
    pub const ZERO: Self = Self(0);
    /// A second.
    pub const SECOND: Self = Self(1_000_000);
    /// An hour.
    pub const HOUR: Self = Self(3_600_000_000);
    /// A day of 24 hours.
    pub const DAY: Self = Self(86_400_000_000);
    /// The longest span.
    pub const MAX: Self = Self(i64::MAX);

    /// A span of this many µs.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// A span of this many seconds.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(Self::SECOND.0))
    }

    /// Its length in µs.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Its length in whole seconds.
    pub const fn whole_seconds(self) -> i64 {
        self.0 / Self::SECOND.0
    }

    /// Its length in seconds.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Its absolute value.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// As a duration for timers; zero if the span is negative.
    pub fn to_duration(self) -> Duration {
        Duration::from_micros(self.0.try_into().unwrap_or(0))
    }
}

impl fmt::Display for Time {
    /// As µs since the epoch.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Time {
    type Err = ParseIntError;

    /// Parses µs since the epoch.
    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(duration.as_micros().try_into().unwrap_or(i64::MAX))
    }
}

impl Add<Span> for Time {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub<Span> for Time {
    type Output = Self;

    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl SubAssign<Span> for Time {
    fn sub_assign(&mut self, span: Span) {
        *self = *self - span;
    }
}

impl Sub for Time {
    type Output = Span;

    fn sub(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Span {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Mul<i64> for Span {
    type Output = Self;

    fn mul(self, times: i64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

#[cfg(feature = "openapi")]
mod schema {
    use utoipa::openapi::schema::{KnownFormat, Schema, SchemaFormat, Type};
    use utoipa::openapi::{ObjectBuilder, RefOr};

    use super::{Span, Time};

    fn micros(what: &str) -> ObjectBuilder {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .description(Some(what))
    }

    impl utoipa::PartialSchema for Time {
        fn schema() -> RefOr<Schema> {
            micros("A point in time: microseconds since the Unix epoch, UTC.")
                .examples([1_763_836_800_000_000_i64])
                .into()
        }
    }

    impl utoipa::ToSchema for Time {}

    impl utoipa::PartialSchema for Span {
        fn schema() -> RefOr<Schema> {
            micros("A span of time, in microseconds.").into()
        }
    }

    impl utoipa::ToSchema for Span {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_day_is_a_utc_day() {
        let (last, first) = (Span::DAY * 2 - Span::from_micros(1), Span::DAY * 2);
        assert!((Time::EPOCH + Span::DAY).is_same_day(Time::EPOCH + last));
        assert!(!(Time::EPOCH + last).is_same_day(Time::EPOCH + first));
        assert!(!Time::from_micros(-1).is_same_day(Time::EPOCH));
        assert_eq!(
            Time::from_micros(-1).floor(Span::DAY),
            Time::EPOCH - Span::DAY
        );
    }

    proptest! {
        #[test]
        fn no_arithmetic_panics(time: i64, other: i64, span: i64, times: i64) {
            let (time, other, span) = (Time(time), Time(other), Span(span));
            let _ = (time - other, time + span, time - span, span + span, span - span);
            let _ = (-span, span.abs(), span * times, span.to_duration(), span.seconds());
            let _ = time.floor(Span::DAY);
        }

        #[test]
        fn what_is_added_can_be_taken_away(time in -1i64 << 60..1 << 60, span in -1i64 << 60..1 << 60) {
            let (time, span) = (Time(time), Span(span));
            prop_assert_eq!(time + span - span, time);
            prop_assert_eq!(time + span - time, span);
        }
    }
}
