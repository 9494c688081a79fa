//! Times as text on a chart.

use crate::locale;
use crate::plot::{DAY_US, Mark, date_of};

/// How many times the offset is asked for at most where it stays the same.
const OFFSETS_ASKED: f64 = 24.0;
/// For how long each offset is kept at least.
const OFFSET_KEPT_US: f64 = 14.0 * DAY_US;

/// The offset from UTC to the times on the axis.
pub(super) fn offset_us(local: bool, time_us: f64) -> f64 {
    if local {
        locale::zone_offset_us(time_us)
    } else {
        0.0
    }
}

/// The offset from UTC at each time between two times. A browser takes a
/// microsecond for each, so it is asked only a few times where the offset does
/// not change in between.
pub(super) fn offsets(local: bool, (from, to): (f64, f64)) -> impl Fn(f64) -> f64 {
    let first = offset_us(local, from);
    let step = (to - from) / OFFSETS_ASKED;
    // No zone keeps an offset for less than some weeks.
    let is_close = step < OFFSET_KEPT_US;
    let mut asked = (1..=OFFSETS_ASKED as u32).map(|at| from + f64::from(at) * step);
    let is_constant = !local || (is_close && asked.all(|time| offset_us(local, time) == first));
    move |time| match is_constant {
        true => first,
        false => offset_us(local, time),
    }
}

/// The label of a mark on the time axis, and whether it is that of a day, a
/// month or a year.
pub(super) fn mark(mark: Mark, wall_us: f64) -> (String, bool) {
    match mark {
        Mark::Year(year) => (year.to_string(), true),
        Mark::Month(_) => (locale::month(wall_us), true),
        Mark::Day(..) => (locale::day(wall_us), true),
        Mark::Minute(hour, minute) => (two(hour) + ":" + &two(minute), false),
        Mark::Second(hour, minute, second) => {
            (two(hour) + ":" + &two(minute) + ":" + &two(second), false)
        }
    }
}

/// A time such as `2026-11-22 14:03:27`, with as many parts as make sense for
/// bars of this length.
pub(in crate::views) fn moment(time_us: f64, interval_us: f64, local: bool) -> String {
    let wall_us = time_us + offset_us(local, time_us);
    let days = (wall_us / DAY_US).floor();
    let (year, month, day) = date_of(days as i64);
    let mut text = year.to_string() + "-" + &two(month) + "-" + &two(day);
    if interval_us < DAY_US {
        text.push(' ');
        text += &clock(wall_us);
        if interval_us >= 60e6 {
            text.truncate(text.len() - 3);
        }
    }
    text
}

/// `14:03:27` for a time within a day of now; date and time for any other.
pub(crate) fn recent(time_us: f64, local: bool) -> String {
    if (js_sys::Date::now() * 1e3 - time_us).abs() < DAY_US {
        clock(time_us + offset_us(local, time_us))
    } else {
        moment(time_us, 60e6, local)
    }
}

fn clock(wall_us: f64) -> String {
    let second = (wall_us.rem_euclid(DAY_US) / 1e6) as u32;
    two(second / 3_600) + ":" + &two(second / 60 % 60) + ":" + &two(second % 60)
}

fn two(number: u32) -> String {
    let zero = if number < 10 { "0" } else { "" };
    zero.to_owned() + &number.to_string()
}
