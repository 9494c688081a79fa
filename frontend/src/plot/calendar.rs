//! The positions and the meaning of a time axis's labels.

use super::date::{date_of, days_of};
use super::within;

/// A second, in µs.
pub(super) const SECOND_US: f64 = 1e6;
pub(super) const MINUTE_US: f64 = 60.0 * SECOND_US;
pub(super) const HOUR_US: f64 = 60.0 * MINUTE_US;
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

pub(super) fn mark_of(wall_us: f64) -> Mark {
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

#[cfg(test)]
mod tests;
