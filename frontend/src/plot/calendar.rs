//! The positions and the meaning of a time axis's labels.

use super::within;

/// A second, in µs.
const SECOND_US: f64 = 1e6;
const MINUTE_US: f64 = 60.0 * SECOND_US;
const HOUR_US: f64 = 60.0 * MINUTE_US;
/// A day of 24 hours, in µs.
pub const DAY_US: f64 = 24.0 * HOUR_US;
const MONTH_US: f64 = 30.4 * DAY_US;

/// Steps below a month: the intervals in which people count time.
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
/// Steps from a month on, in months.
const STEPS_MONTHS: [i64; 8] = [1, 3, 6, 12, 24, 60, 120, 600];

/// What begins at a moment; this decides the text of the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A year.
    Year(i64),
    /// A month, from 1 to 12.
    Month(u32),
    /// A day of the month, and its month.
    Day(u32, u32),
    /// A minute: hours and minutes.
    Minute(u32, u32),
    /// A second: hours, minutes, seconds.
    Second(u32, u32, u32),
}

/// Round times between `from` and `to` (µs since the epoch), at most about
/// `count` of them, and the mark of each. `offset_us` gives the offset from UTC
/// to the wall clock of the time zone that is shown.
///
/// An hour that the zone skips has no mark, and an hour that it repeats has
/// two. A day whose midnight is skipped is marked where the day begins.
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
    let step = STEPS_US.into_iter().find(|step| *step >= rough);
    match step {
        Some(step) if step < DAY_US => clock_marks((from, to), step, &offset_us),
        _ => {
            let local = (from + offset_us(from), to + offset_us(to));
            let midnights = match step {
                Some(step) => multiples(local, step),
                None => month_starts(local, rough / MONTH_US),
            };
            day_marks(midnights, (from, to), &offset_us)
        }
    }
}

/// Marks of hours, minutes and seconds. Between two changes of the zone's
/// offset they follow the wall clock.
fn clock_marks(
    (from, to): (f64, f64),
    step: f64,
    offset_us: &impl Fn(f64) -> f64,
) -> Vec<(f64, Mark)> {
    let mut marks = Vec::new();
    let mut start = from;
    while start <= to {
        let offset = offset_us(start);
        let end = next_change(start, to, offset_us);
        // The moment of a change belongs to the stretch after it.
        let last = end.unwrap_or(to);
        let is_within = |time: f64| time < last || (end.is_none() && time <= to);
        let begins_day = start > from
            && (start + offset).rem_euclid(DAY_US) > 0.0
            && ((start + offset) / DAY_US).floor()
                > ((start - 1.0 + offset_us(start - 1.0)) / DAY_US).floor();
        if begins_day {
            let midnight = ((start + offset) / DAY_US).floor() * DAY_US;
            marks.push((start, mark_of(midnight)));
        }
        let walls = multiples((start + offset, last + offset), step).into_iter();
        let times = walls.map(|wall| (wall - offset, mark_of(wall)));
        let times = times.filter(|(time, _)| is_within(*time));
        marks.extend(times.filter(|(time, _)| !begins_day || *time > start));
        match end {
            Some(end) => start = end,
            None => break,
        }
    }
    marks
}

/// The first time after `start`, and not after `to`, at which the zone's offset
/// changes, to the second.
fn next_change(start: f64, to: f64, offset_us: &impl Fn(f64) -> f64) -> Option<f64> {
    let offset = offset_us(start);
    let mut same = start;
    while same < to {
        // No zone changes its offset twice within so short a time.
        let next = (same + 6.0 * HOUR_US).min(to);
        if offset_us(next) != offset {
            return Some(change_between(same, next, offset_us));
        }
        same = next;
    }
    None
}

/// When the zone's offset changes between two times, to the second.
fn change_between(mut before: f64, mut after: f64, offset_us: &impl Fn(f64) -> f64) -> f64 {
    let offset = offset_us(before);
    while after - before > SECOND_US {
        let middle = f64::midpoint(before, after);
        if offset_us(middle) == offset {
            before = middle;
        } else {
            after = middle;
        }
    }
    // Clocks change at whole seconds.
    (after / SECOND_US).floor() * SECOND_US
}

/// Marks of days, months and years.
fn day_marks(
    midnights: Vec<f64>,
    (from, to): (f64, f64),
    offset_us: &impl Fn(f64) -> f64,
) -> Vec<(f64, Mark)> {
    let mut marks: Vec<(f64, Mark)> = Vec::new();
    for midnight in midnights {
        let time = begin_of(midnight, offset_us);
        if !(from..=to).contains(&time) {
            continue;
        }
        // A zone can skip a whole day; then this is the next day.
        let day = ((time + offset_us(time)) / DAY_US).floor() * DAY_US;
        if marks.last().is_none_or(|last| last.0 < time) {
            marks.push((time, mark_of(day)));
        }
    }
    marks
}

/// When the wall clock first shows this time, or, where it skips that time, the
/// next time after it.
fn begin_of(wall: f64, offset_us: &impl Fn(f64) -> f64) -> f64 {
    let near = wall - offset_us(wall);
    let (before, after) = (near - DAY_US, near + DAY_US);
    let (old, new) = (offset_us(before), offset_us(after));
    let by_old = wall - old;
    let change = (old != new).then(|| change_between(before, after, offset_us));
    match change {
        Some(change) if by_old >= change => (wall - new).max(change),
        _ => by_old,
    }
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

    /// A zone whose offset changes once, at `change`.
    fn zone(change: f64, before: f64, after: f64) -> impl Fn(f64) -> f64 {
        move |time| if time < change { before } else { after }
    }

    /// The marks of `length` hours from a time on, one each hour: the hours
    /// since then, and the mark.
    fn hours(from: f64, length: f64, offset: impl Fn(f64) -> f64) -> Vec<(f64, Mark)> {
        let to = from + length * HOUR_US;
        let marks = time_marks((from, to), length as usize, offset).into_iter();
        marks
            .map(|(time, mark)| ((time - from) / HOUR_US, mark))
            .collect()
    }

    #[test]
    fn an_hour_that_is_not_has_no_mark() {
        // Berlin, 2026-03-29: 02:00 becomes 03:00.
        let change = (days_of(2026, 3, 29) as f64) * DAY_US + HOUR_US;
        let berlin = zone(change, HOUR_US, 2.0 * HOUR_US);
        assert_eq!(
            hours(change - 2.0 * HOUR_US, 4.0, berlin),
            [
                (0.0, Mark::Day(29, 3)),
                (1.0, Mark::Minute(1, 0)),
                (2.0, Mark::Minute(3, 0)),
                (3.0, Mark::Minute(4, 0)),
                (4.0, Mark::Minute(5, 0)),
            ]
        );
    }

    #[test]
    fn an_hour_that_is_twice_has_two_marks() {
        // Berlin, 2026-10-25: 03:00 becomes 02:00.
        let change = (days_of(2026, 10, 25) as f64) * DAY_US + HOUR_US;
        let berlin = zone(change, 2.0 * HOUR_US, HOUR_US);
        let marks = hours(change - 2.0 * HOUR_US, 4.0, berlin);
        let labels: Vec<_> = marks.iter().map(|(_, mark)| *mark).collect();
        let minute = |hour| Mark::Minute(hour, 0);
        assert_eq!(
            labels,
            [minute(1), minute(2), minute(2), minute(3), minute(4)]
        );
    }

    #[test]
    fn zones_of_half_an_hour() {
        let india = |_: f64| 5.5 * HOUR_US;
        let marks = hours(days_of(2026, 1, 5) as f64 * DAY_US, 3.0, india);
        let minute = |hour| Mark::Minute(hour, 0);
        assert_eq!(
            marks,
            [(0.5, minute(6)), (1.5, minute(7)), (2.5, minute(8))]
        );
        // Lord Howe, 2026-10-04: 02:00 becomes 02:30.
        let change = days_of(2026, 10, 3) as f64 * DAY_US + 15.5 * HOUR_US;
        let lord_howe = zone(change, 10.5 * HOUR_US, 11.0 * HOUR_US);
        let marks = hours(change - HOUR_US, 3.0, lord_howe);
        assert_eq!(
            marks,
            [(0.0, minute(1)), (1.5, minute(3)), (2.5, minute(4))]
        );
    }

    #[test]
    fn a_day_without_a_midnight_begins_later() {
        // Cairo, 2026-04-24: 00:00 becomes 01:00.
        let change = days_of(2026, 4, 23) as f64 * DAY_US + 22.0 * HOUR_US;
        let cairo = |time| zone(change, 2.0 * HOUR_US, 3.0 * HOUR_US)(time);
        let marks = hours(change - HOUR_US, 3.0, cairo);
        assert_eq!(
            marks,
            [
                (0.0, Mark::Minute(23, 0)),
                (1.0, Mark::Day(24, 4)),
                (2.0, Mark::Minute(2, 0)),
                (3.0, Mark::Minute(3, 0)),
            ]
        );
        let days = time_marks((change - 2.0 * DAY_US, change + 2.0 * DAY_US), 4, cairo);
        assert!(days.contains(&(change, Mark::Day(24, 4))), "{days:?}");
        assert_eq!(days.len(), 5, "{days:?}");
        // Samoa skipped 2011-12-30.
        let change = days_of(2011, 12, 30) as f64 * DAY_US + 10.0 * HOUR_US;
        let samoa = zone(change, -10.0 * HOUR_US, 14.0 * HOUR_US);
        let days = time_marks((change - 1.5 * DAY_US, change + 1.5 * DAY_US), 3, samoa);
        let labels: Vec<_> = days.iter().map(|(_, mark)| *mark).collect();
        assert_eq!(
            labels,
            [Mark::Day(29, 12), Mark::Day(31, 12), Mark::Year(2012)]
        );
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
        fn marks_of_any_zone_are_inside_and_in_order(
            from in 0.0..4e15f64, length in 1e6..1e13f64, count in 1usize..20,
            at in 0.0..1.0, before in -48i32..56, after in -48i32..56,
        ) {
            let quarter = |count: i32| f64::from(count) * 15.0 * MINUTE_US;
            let at: f64 = at;
            let change = ((from + at * length) / MINUTE_US).floor() * MINUTE_US;
            let offset = zone(change, quarter(before), quarter(after));
            let marks = time_marks((from, from + length), count, &offset);
            prop_assert!(marks.len() <= 3 * count + 100, "{} marks", marks.len());
            prop_assert!(marks.iter().all(|(time, _)| (from..=from + length).contains(time)));
            prop_assert!(marks.windows(2).all(|w| w[0].0 < w[1].0));
            // A mark shows what the wall clock shows.
            for (time, mark) in marks {
                let wall = time + offset(time);
                let second = wall.rem_euclid(DAY_US) / SECOND_US;
                match mark {
                    Mark::Second(h, m, s) => prop_assert_eq!(second as u32, h * 3_600 + m * 60 + s),
                    Mark::Minute(h, m) => prop_assert_eq!(second as u32, h * 3_600 + m * 60),
                    Mark::Day(..) | Mark::Month(_) | Mark::Year(_) => {
                        let midnight = (wall / DAY_US).floor() * DAY_US;
                        prop_assert_eq!(mark_of(midnight), mark);
                    }
                }
            }
        }

        #[test]
        fn nothing_breaks_it(from in any::<f64>(), to in any::<f64>(), count in any::<usize>()) {
            time_marks((from, to), count, utc);
        }
    }
}
