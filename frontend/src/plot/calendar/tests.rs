use super::super::date::days_of;
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
