//! Dates and times as files have them. Which of its forms a column has is
//! decided over the whole of it.

use shared::{Span, Time};

/// The order of day and month where both are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// As in 31/12/2025.
    DayFirst,
    /// As in 12/31/2025.
    MonthFirst,
}

/// The form of a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateForm {
    /// A number of seconds, milliseconds, microseconds or nanoseconds since
    /// 1970, by its size.
    Epoch,
    /// The year first, as in 2025-12-31, 2025.12.31 or 20251231.
    YearFirst,
    /// Day or month first.
    YearLast(DateOrder),
    /// With the name of the month, as in Apr 09, 2020.
    Named,
}

/// A text that is no date, or one that can be read in two ways.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// It is no date of this form.
    #[error("'{0}' is no date or time that is known")]
    None(String),
    /// All dates of the column can be read in two ways.
    #[error("'{0}' may be a day and a month, or a month and a day; say --dates dmy or --dates mdy")]
    TwoWays(String),
    /// The order that the user named cannot be that of the column.
    #[error("its dates have another order than --dates says")]
    NotNamed,
}

/// A date with its time of day, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The time, as if the clock that shows it were that of UTC, unless it is
    /// known where the clock is.
    pub time: Time,
    /// Whether it says in which zone it is.
    pub has_zone: bool,
    /// Whether it is a day, without a time of day.
    pub is_day: bool,
    /// The start of its day in UTC, if the clock beside it shows midnight or there
    /// is none.
    pub midnight: Option<Time>,
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// The parts of a date.
struct Parts {
    first: i64,
    second: i64,
    third: i64,
    /// Whether the first part has four digits.
    is_year_first: bool,
}

/// What is known of the form of a column's dates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DateColumn {
    decided: Option<DateForm>,
    /// One that can be read in two ways.
    undecided: Option<String>,
}

impl DateColumn {
    /// Takes in the date of a row.
    pub(crate) fn add(&mut self, text: &str) -> Result<(), DateError> {
        match DateForm::of(text)? {
            Ok(form) if self.decided.is_none_or(|known| known == form) => self.decided = Some(form),
            Ok(_) => return Err(DateError::None(text.to_owned())),
            Err(()) if self.undecided.is_none() => self.undecided = Some(text.to_owned()),
            Err(()) => {}
        }
        Ok(())
    }

    /// Whether what comes cannot change its form.
    pub(crate) fn is_settled(&self, named: Option<DateOrder>) -> bool {
        self.decided.is_some() || (self.undecided.is_some() && named.is_some())
    }

    /// The form of all of them. `named` is the order that the user named, if any.
    pub(crate) fn form(&self, named: Option<DateOrder>) -> Result<DateForm, DateError> {
        let text = || self.undecided.clone().unwrap_or_default();
        match (self.decided, named) {
            (Some(DateForm::YearLast(order)), Some(named)) if order != named => {
                Err(DateError::NotNamed)
            }
            (Some(form), _) => Ok(form),
            (None, Some(named)) if self.undecided.is_some() => Ok(DateForm::YearLast(named)),
            (None, None) if self.undecided.is_some() => Err(DateError::TwoWays(text())),
            (None, _) => Err(DateError::None(text())),
        }
    }
}

impl DateForm {
    /// The form of all dates of a column. `named` is the order that the user
    /// named, if any.
    ///
    /// # Errors
    ///
    /// One of them is no date, or all of them can be read in two ways.
    pub fn of_column<'c>(
        column: impl IntoIterator<Item = &'c str>,
        named: Option<DateOrder>,
    ) -> Result<Self, DateError> {
        let mut all = DateColumn::default();
        column.into_iter().try_for_each(|text| all.add(text))?;
        all.form(named)
    }

    /// The form as people write it, for a date of this form: `dd.mm.yyyy`.
    pub(crate) fn shown(self, sample: &str) -> String {
        let (date, _) = split(sample.trim());
        let separator = date.chars().find(|c| ['-', '/', '.'].contains(c));
        let joined = |parts: [&str; 3]| match separator {
            Some(separator) => parts.join(&separator.to_string()),
            None => parts.concat(),
        };
        match self {
            Self::Epoch => "time since 1970".to_owned(),
            Self::YearFirst => joined(["yyyy", "mm", "dd"]),
            Self::YearLast(DateOrder::DayFirst) => joined(["dd", "mm", "yyyy"]),
            Self::YearLast(DateOrder::MonthFirst) => joined(["mm", "dd", "yyyy"]),
            Self::Named => "named months".to_owned(),
        }
    }

    /// The form of one date; the inner error if it can be read in two ways.
    fn of(text: &str) -> Result<Result<Self, ()>, DateError> {
        let none = || DateError::None(text.chars().take(40).collect());
        let text = text.trim();
        if text.contains(|c: char| c.is_ascii_alphabetic()) && named(text).is_some() {
            return Ok(Ok(Self::Named));
        }
        let (date, _) = split(text);
        if date.len() != 8 && epoch(text).is_some() {
            return Ok(Ok(Self::Epoch));
        }
        let parts = parts(date).ok_or_else(none)?;
        if parts.is_year_first {
            return Ok(Ok(Self::YearFirst));
        }
        match (parts.first > 12, parts.second > 12) {
            (true, false) => Ok(Ok(Self::YearLast(DateOrder::DayFirst))),
            (false, true) => Ok(Ok(Self::YearLast(DateOrder::MonthFirst))),
            (false, false) => Ok(Err(())),
            (true, true) => Err(none()),
        }
    }

    /// Reads a date of this form, with a time of day if it has one.
    ///
    /// # Errors
    ///
    /// It is none, or the calendar has no such day.
    pub fn read(self, text: &str) -> Result<Moment, DateError> {
        let text = text.trim();
        let none = || DateError::None(text.chars().take(40).collect());
        if self == Self::Epoch {
            let time = epoch(text).ok_or_else(none)?;
            return Ok(Moment {
                time,
                has_zone: true,
                is_day: false,
                midnight: None,
            });
        }
        let (day, rest) = match self {
            Self::Named => (named(text).ok_or_else(none)?, ""),
            _ => {
                let (date, rest) = split(text);
                let Parts {
                    first,
                    second,
                    third,
                    ..
                } = parts(date).ok_or_else(none)?;
                let ymd = match self {
                    Self::YearLast(DateOrder::DayFirst) => (third, second, first),
                    Self::YearLast(DateOrder::MonthFirst) => (third, first, second),
                    _ => (first, second, third),
                };
                (days_of(ymd).ok_or_else(none)?, rest)
            }
        };
        let is_day = rest.trim().is_empty();
        let (clock, ahead) = clock(rest).ok_or_else(none)?;
        let midnight = (clock == Span::ZERO).then(|| Time::EPOCH + Span::DAY * day);
        let wall = Time::EPOCH + Span::DAY * day + clock;
        Ok(Moment {
            time: wall - ahead.unwrap_or(Span::ZERO),
            has_zone: ahead.is_some(),
            is_day,
            midnight,
        })
    }
}

/// The date, and the time of day after it.
fn split(text: &str) -> (&str, &str) {
    let at = text.find([' ', 'T', 't']).unwrap_or(text.len());
    (&text[..at], text[at..].trim_start_matches([' ', 'T', 't']))
}

/// Three numbers with the same separator, or eight digits.
fn parts(date: &str) -> Option<Parts> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if date.len() == 8 && is_digits(date) {
        return Some(Parts {
            first: date[..4].parse().ok()?,
            second: date[4..6].parse().ok()?,
            third: date[6..].parse().ok()?,
            is_year_first: true,
        });
    }
    let separator = date.chars().find(|c| ['-', '/', '.'].contains(c))?;
    let texts: Vec<_> = date.split(separator).collect();
    let [first, second, third] = texts[..] else {
        return None;
    };
    let is_year_first = first.len() == 4;
    let lengths = match is_year_first {
        true => second.len() <= 2 && third.len() <= 2,
        false => first.len() <= 2 && second.len() <= 2 && third.len() == 4,
    };
    if !lengths || ![first, second, third].into_iter().all(is_digits) {
        return None;
    }
    Some(Parts {
        first: first.parse().ok()?,
        second: second.parse().ok()?,
        third: third.parse().ok()?,
        is_year_first,
    })
}

/// The day of a date as in `Apr 09, 2020`.
fn named(text: &str) -> Option<i64> {
    let cleaned = text.replace(',', " ");
    let words: Vec<_> = cleaned.split_whitespace().collect();
    let [month, day, year] = words[..] else {
        return None;
    };
    let month = month.to_ascii_lowercase();
    let month = MONTHS
        .iter()
        .position(|known| month.get(..3) == Some(known))?;
    if year.len() != 4 {
        return None;
    }
    days_of((year.parse().ok()?, month as i64 + 1, day.parse().ok()?))
}

/// A number since the epoch: of seconds below 1e11, milliseconds below 1e14,
/// microseconds below 1e17, else nanoseconds.
fn epoch(text: &str) -> Option<Time> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(9..=19).contains(&whole.len()) || !is_digits(whole) || !is_digits(decimals) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let micros = match number {
        ..100_000_000_000 => {
            let decimals: String = decimals.chars().chain("000000".chars()).take(6).collect();
            number * 1_000_000 + decimals.parse::<i64>().ok()?
        }
        100_000_000_000..100_000_000_000_000 => number * 1_000,
        100_000_000_000_000..100_000_000_000_000_000 => number,
        _ => number / 1_000,
    };
    Some(Time::from_micros(micros))
}

/// A time of day: `14:03`, `14:03:27.123`, `140327`, `140327123`, `09-AM`, each
/// with a zone after it, or nothing; and how far that zone is ahead of UTC, if
/// it is named.
fn clock(text: &str) -> Option<(Span, Option<Span>)> {
    let text = text.trim();
    if text.is_empty() {
        return Some((Span::ZERO, None));
    }
    if let Some((hour, half)) = text.split_once('-')
        && let Some(noon) = ["AM", "PM"].iter().position(|known| *known == half)
    {
        let hour: i64 = hour.parse().ok()?;
        let is_hour = (1..=12).contains(&hour);
        return is_hour.then(|| (Span::HOUR * (hour % 12 + 12 * noon as i64), None));
    }
    let (text, ahead) = zone(text)?;
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let (whole, decimals) = digits.split_once('.').unwrap_or((&digits, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(decimals) || ![4, 6, 9].contains(&whole.len()) {
        return None;
    }
    let part = |from: usize| -> Option<i64> {
        match whole.get(from..from + 2) {
            Some(digits) => digits.parse().ok(),
            None => Some(0),
        }
    };
    let (hour, minute, second) = (part(0)?, part(2)?, part(4)?);
    let glued = whole.get(6..).unwrap_or("");
    let micros: String = [glued, decimals, "000000"]
        .concat()
        .chars()
        .take(6)
        .collect();
    let seconds = (hour * 60 + minute) * 60 + second;
    let time = Span::from_seconds(seconds) + Span::from_micros(micros.parse().ok()?);
    (hour < 24 && minute < 60 && second < 60).then_some((time, ahead))
}

/// A time of day without its zone, and how far the zone is ahead of UTC, if it is
/// named: `Z`, `+01:00`, `-0500`, ` GMT+0100`.
fn zone(text: &str) -> Option<(&str, Option<Span>)> {
    if let Some(utc) = text.strip_suffix(['Z', 'z']) {
        return Some((utc, Some(Span::ZERO)));
    }
    let Some(at) = text.find(['+', '-']) else {
        return Some(match text.strip_suffix(" GMT") {
            Some(utc) => (utc, Some(Span::ZERO)),
            None => (text, None),
        });
    };
    let (time, offset) = text.split_at(at);
    let (sign, offset) = offset.split_at(1);
    let offset: String = offset.chars().filter(|c| *c != ':').collect();
    if offset.len() != 4 || !offset.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i64, i64) = (offset[..2].parse().ok()?, offset[2..].parse().ok()?);
    let ahead = Span::from_seconds((hours * 60 + minutes) * 60);
    let ahead = if sign == "-" {
        Span::ZERO - ahead
    } else {
        ahead
    };
    let time = time.trim_end_matches("GMT").trim_end();
    (hours <= 14 && minutes < 60).then_some((time, Some(ahead)))
}

/// Days since the epoch of a year, a month and a day.
fn days_of((year, month, day): (i64, i64, i64)) -> Option<i64> {
    // https://howardhinnant.github.io/date_algorithms.html#days_from_civil
    let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let last = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) || !(1..=9_999).contains(&year) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(era * 146_097 + of_era - 719_468)
}

#[cfg(test)]
mod tests;
