//! The labels of a time axis that is an index of bars: each stands at a bar.

use super::calendar::{DAY_US, HOUR_US, MINUTE_US, Mark, SECOND_US, mark_of};
use super::date::date_of;

/// Steps below a day, the longest first.
const STEPS_US: [f64; 16] = [
    12.0 * HOUR_US,
    6.0 * HOUR_US,
    3.0 * HOUR_US,
    2.0 * HOUR_US,
    HOUR_US,
    30.0 * MINUTE_US,
    15.0 * MINUTE_US,
    10.0 * MINUTE_US,
    5.0 * MINUTE_US,
    2.0 * MINUTE_US,
    MINUTE_US,
    30.0 * SECOND_US,
    15.0 * SECOND_US,
    10.0 * SECOND_US,
    5.0 * SECOND_US,
    SECOND_US,
];
/// How many ranks there are above those of the steps.
const DATES: usize = 7;

/// A label of the axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Label {
    /// Where it stands.
    pub place: f64,
    /// What begins there.
    pub mark: Mark,
    /// The time on the wall clock, in µs.
    pub wall_us: f64,
}

/// The labels of bars, which come as their places and the times that a wall
/// clock shows at their starts, oldest first. The bar with which a year begins
/// is labelled rather than one with which a month does, and so on down to
/// seconds. No two labels are closer to each other than `spacing`.
pub fn bar_marks(bars: impl Iterator<Item = (f64, f64)>, spacing: f64) -> Vec<Label> {
    let mut found: Vec<(usize, Label)> = Vec::new();
    let mut before: Option<f64> = None;
    for (place, wall_us) in bars {
        if let Some((rank, mark)) = before.and_then(|before| begins(before, wall_us)) {
            let label = Label {
                place,
                mark,
                wall_us,
            };
            found.push((rank, label));
        }
        before = Some(wall_us);
    }
    // Stable: of one rank, the older ones come first.
    found.sort_by_key(|(rank, _)| *rank);
    let mut chosen: Vec<Label> = Vec::new();
    for (_, label) in found {
        let after = chosen.partition_point(|known| known.place < label.place);
        let is_near = |known: Option<&Label>| {
            known.is_some_and(|known| (known.place - label.place).abs() < spacing)
        };
        let left = after.checked_sub(1).and_then(|left| chosen.get(left));
        if !is_near(left) && !is_near(chosen.get(after)) {
            chosen.insert(after, label);
        }
    }
    chosen
}

/// What begins between two bars, and its rank: the lowest is the rarest.
fn begins(before: f64, now: f64) -> Option<(usize, Mark)> {
    let day = |wall: f64| (wall / DAY_US).floor();
    let (old, new) = (day(before), day(now));
    if old != new {
        let (old_year, old_month, _) = date_of(old as i64);
        let (year, month, date) = date_of(new as i64);
        let is_new = |years: i64| old_year.div_euclid(years) != year.div_euclid(years);
        let quarter = |month: u32| (month - 1) / 3;
        // Days are counted from a Thursday; weeks begin on Mondays.
        let week = |day: f64| ((day + 3.0) / 7.0).floor();
        return Some(if is_new(10) {
            (0, Mark::Year(year))
        } else if is_new(5) {
            (1, Mark::Year(year))
        } else if is_new(1) {
            (2, Mark::Year(year))
        } else if old_month != month {
            let is_quarter = quarter(old_month) != quarter(month);
            (if is_quarter { 3 } else { 4 }, Mark::Month(month))
        } else {
            let is_week = week(old) != week(new);
            (if is_week { 5 } else { 6 }, Mark::Day(date, month))
        });
    }
    let is_new = |step: &f64| (before / step).floor() != (now / step).floor();
    let rank = STEPS_US.iter().position(is_new)?;
    Some((DATES + rank, mark_of(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(labels: &[Label]) -> Vec<String> {
        labels
            .iter()
            .map(|label| format!("{:?}", label.mark))
            .collect()
    }

    #[test]
    fn days_without_weekends() {
        // 2026-01-01 was a Thursday.
        let first = 20_454.0;
        let days = (0..60).map(|day| first + f64::from(day));
        let weekdays = days.filter(|day| (*day as i64 + 3).rem_euclid(7) < 5);
        let bars: Vec<_> = (0..)
            .zip(weekdays)
            .map(|(at, day)| (f64::from(at), day * DAY_US))
            .collect();
        let labels = bar_marks(bars.iter().copied(), 8.0);
        assert_eq!(
            text(&labels),
            [
                "Day(5, 1)",
                "Day(19, 1)",
                "Month(2)",
                "Day(16, 2)",
                "Day(26, 2)"
            ]
        );
        let labels = bar_marks(bars.iter().copied(), 1.0);
        assert_eq!(labels.len(), bars.len() - 1);
    }

    #[test]
    fn hours_without_nights() {
        // From 9:30 to 16:00, for five days.
        let bars: Vec<_> = (0..5)
            .flat_map(|day| {
                (0..13).map(move |half| {
                    f64::from(day) * DAY_US + 9.5 * HOUR_US + f64::from(half) * 30.0 * MINUTE_US
                })
            })
            .zip(0..)
            .map(|(wall, at)| (f64::from(at), wall))
            .collect();
        let labels = bar_marks(bars.iter().copied(), 6.0);
        assert_eq!(
            text(&labels),
            [
                "Minute(12, 0)",
                "Day(2, 1)",
                "Minute(13, 0)",
                "Day(3, 1)",
                "Minute(13, 0)",
                "Day(4, 1)",
                "Minute(13, 0)",
                "Day(5, 1)",
                "Minute(15, 0)"
            ]
        );
        let labels = bar_marks(bars.iter().copied(), 12.0);
        // Days are 13 bars apart, and there is room for a label at each end.
        assert_eq!(
            text(&labels),
            [
                "Minute(10, 0)",
                "Day(2, 1)",
                "Day(3, 1)",
                "Day(4, 1)",
                "Day(5, 1)",
                "Minute(15, 30)"
            ]
        );
    }

    #[test]
    fn years_are_round() {
        let bars = (0..480).map(|month: i32| {
            let wall = f64::from(month) * 30.437 * DAY_US;
            (f64::from(month), wall)
        });
        let labels = bar_marks(bars, 100.0);
        assert_eq!(
            text(&labels),
            [
                "Year(1971)",
                "Year(1980)",
                "Year(1990)",
                "Year(2000)",
                "Year(2009)"
            ]
        );
    }
}
