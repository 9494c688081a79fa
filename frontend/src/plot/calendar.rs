//! Where the labels of a time axis stand, and what each is.

use super::within;

/// A second, in µs.
const SECOND_US: f64 = 1e6;
const MINUTE_US: f64 = 60.0 * SECOND_US;
const HOUR_US: f64 = 60.0 * MINUTE_US;
const DAY_US: f64 = 24.0 * HOUR_US;
const MONTH_US: f64 = 30.4 * DAY_US;

/// The distances below a month that people count time in.
const STEPS_US: [f64; 19] = [
    SECOND_US,
    2.0 * SECOND_US,
    5.0 * SECOND_US,
    10.0 * SECOND_US,
    15.0 * SECOND_US,
    30.0 * SECOND_US,
    MINUTE_US,
    2.0 * MINUTE_US,
    5.0 * MINUTE_US,
    10.0 * MINUTE_US,
    15.0 * MINUTE_US,
    30.0 * MINUTE_US,
    HOUR_US,
    2.0 * HOUR_US,
    3.0 * HOUR_US,
    6.0 * HOUR_US,
    12.0 * HOUR_US,
    DAY_US,
    7.0 * DAY_US,
];
/// The distances from a month on, in months.
const STEPS_MONTHS: [i64; 8] = [1, 3, 6, 12, 24, 60, 120, 600];

/// What begins at a moment, and therefore what its label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A year.
    Year(i64),
    /// A month, from 1 to 12.
    Month(u32),
    /// A day: of the month, and the month.
    Day(u32, u32),
    /// A minute: hours and minutes.
    Minute(u32, u32),
    /// A second: hours, minutes, seconds.
    Second(u32, u32, u32),
}

/// Round times between two (µs since the epoch), at most about `count` of
/// them, and the mark of each. `offset_us` is what to add to a time to get the
/// clock on the wall of the zone that is shown.
pub fn time_marks(
    (from, to): (f64, f64),
    count: usize,
    offset_us: impl Fn(f64) -> f64,
) -> Vec<(f64, Mark)> {
    let span = to - from;
    if !span.is_finite() || span <= 0.0 || count == 0 || from.abs().max(to.abs()) > 1e17 {
        return Vec::new();
    }
    let rough = span / count as f64;
    let local = (from + offset_us(from), to + offset_us(to));
    let walls = match STEPS_US.into_iter().find(|step| *step >= rough) {
        Some(step) => multiples(local, step),
        None => month_starts(local, rough / MONTH_US),
    };
    walls
        .into_iter()
        .map(|wall| {
            // Summer time may begin between the edge and the mark.
            let near = wall - offset_us(from);
            (wall - offset_us(near), mark_of(wall))
        })
        .filter(|(time, _)| (from..=to).contains(time))
        .collect()
}

fn multiples((from, to): (f64, f64), step: f64) -> Vec<f64> {
    // Weeks begin on Mondays; the epoch was a Thursday.
    let shift = if step > DAY_US { 4.0 * DAY_US } else { 0.0 };
    let first = ((from - shift) / step).ceil();
    let last = ((to - shift) / step).floor();
    let count = within(last - first, (-1.0, 1_000.0)) as i64 + 1;
    (0..count)
        .map(|index| (first + index as f64) * step + shift)
        .collect()
}

fn month_starts((from, to): (f64, f64), rough_months: f64) -> Vec<f64> {
    let fits = |step: &i64| *step as f64 >= rough_months;
    let step = STEPS_MONTHS.into_iter().find(fits).unwrap_or(1_200);
    let (year, month, _) = date_of((from / DAY_US).floor() as i64);
    let first = (year * 12 + i64::from(month) - 1).div_euclid(step) * step;
    (0..1_000)
        .map(|index| {
            let months = first + index * step;
            let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
            days_of(year, month as u32, 1) as f64 * DAY_US
        })
        .skip_while(|wall| *wall < from)
        .take_while(|wall| *wall <= to)
        .collect()
}

fn mark_of(wall_us: f64) -> Mark {
    let days = (wall_us / DAY_US).floor();
    let second = ((wall_us - days * DAY_US) / SECOND_US) as u32;
    if second > 0 {
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        return match second % 60 {
            0 => Mark::Minute(hour, minute),
            second => Mark::Second(hour, minute, second),
        };
    }
    match date_of(days as i64) {
        (year, 1, 1) => Mark::Year(year),
        (_, month, 1) => Mark::Month(month),
        (_, month, day) => Mark::Day(day, month),
    }
}

/// Year, month and day of a number of days since 1970-01-01 (Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
pub fn date_of(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

/// The days since 1970-01-01 of a date (the same source, `days_from_civil`).
fn days_of(year: i64, month: u32, day: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let march_month = i64::from(if month > 2 { month - 3 } else { month + 9 });
    let of_year = (153 * march_month + 2) / 5 + i64::from(day) - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era * 146_097 + of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utc(_: f64) -> f64 {
        0.0
    }

    fn check(from: f64, length: f64, count: usize, expect: &[Mark]) {
        let marks = time_marks((from, from + length), count, utc);
        let found: Vec<_> = marks.iter().map(|(_, mark)| *mark).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn marks_are_those_of_a_clock_and_a_calendar() {
        let noon = 12.0 * HOUR_US;
        check(
            noon,
            50.0 * SECOND_US,
            2,
            &[Mark::Minute(12, 0), Mark::Second(12, 0, 30)],
        );
        check(
            23.0 * HOUR_US,
            2.0 * HOUR_US,
            2,
            &[Mark::Minute(23, 0), Mark::Day(2, 1), Mark::Minute(1, 0)],
        );
        // 2020-02-20 on.
        let day = days_of(2020, 2, 20) as f64 * DAY_US;
        check(
            day,
            40.0 * DAY_US,
            6,
            &[
                Mark::Day(24, 2),
                Mark::Day(2, 3),
                Mark::Day(9, 3),
                Mark::Day(16, 3),
                Mark::Day(23, 3),
                Mark::Day(30, 3),
            ],
        );
        check(
            day,
            400.0 * DAY_US,
            5,
            &[
                Mark::Month(4),
                Mark::Month(7),
                Mark::Month(10),
                Mark::Year(2021),
            ],
        );
    }

    #[test]
    fn a_zone_has_its_own_midnight() {
        let offset = |_| 2.0 * HOUR_US;
        let marks = time_marks((20.0 * HOUR_US, 24.0 * HOUR_US), 4, offset);
        assert!(marks.contains(&(22.0 * HOUR_US, Mark::Day(2, 1))));
    }

    #[test]
    fn midnight_is_midnight_on_both_sides_of_summer_time() {
        // An hour more from the third day on.
        let offset = |time: f64| if time < 2.5 * DAY_US { 0.0 } else { HOUR_US };
        let marks = time_marks((0.0, 5.0 * DAY_US), 5, offset);
        let times: Vec<_> = marks.iter().map(|(time, _)| *time / HOUR_US).collect();
        assert_eq!(times, [0.0, 24.0, 48.0, 71.0, 95.0, 119.0]);
    }

    proptest! {
        #[test]
        fn dates_lead_back(days in -1_000_000i64..1_000_000) {
            let (year, month, day) = date_of(days);
            prop_assert!((1..=12).contains(&month) && (1..=31).contains(&day));
            prop_assert_eq!(days_of(year, month, day), days);
        }

        #[test]
        fn marks_are_few_inside_and_in_order(
            from in -1e16..4e15f64, length in 1e6..1e16f64, count in 1usize..20,
        ) {
            let marks = time_marks((from, from + length), count, utc);
            prop_assert!(marks.len() <= 3 * count + 2, "{} marks", marks.len());
            prop_assert!(marks.iter().all(|(time, _)| (from..=from + length).contains(time)));
            prop_assert!(marks.windows(2).all(|w| w[0].0 < w[1].0));
        }

        #[test]
        fn nothing_breaks_it(from in any::<f64>(), to in any::<f64>(), count in any::<usize>()) {
            time_marks((from, to), count, utc);
        }
    }
}
