//! The horizontal axis of a chart: which time is where.

use super::Bar;

/// A break is as wide as so many bars.
const BREAK_BARS: usize = 3;

/// The horizontal axis. Its places are counted like times, in µs, so that a bar
/// is as wide as its interval, and what draws need not know which kind of axis
/// there is.
///
/// On an axis of **true time** each time is its own place. On an **index of
/// bars** each bar is next to the bar before it, so that nights, weekends and
/// holidays take no room; only a break, where the server was down, keeps some.
#[derive(Clone, Debug)]
pub struct TimeAxis {
    interval_us: f64,
    is_true: bool,
    /// The times of bars of any of the series, and those that stand for the room
    /// of breaks, in order.
    slots: Vec<f64>,
    /// The number of the first slot. The place of a slot is its number times the
    /// interval, and does not change when there are more before it.
    base: f64,
    /// The index of the first slot of each break.
    breaks: Vec<usize>,
    of: Vec<Source>,
    of_breaks: Vec<(f64, f64)>,
}

/// What is known of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Source {
    first: f64,
    last: f64,
    count: usize,
}

impl Source {
    fn of(bars: &[Bar]) -> Self {
        let time = |bar: Option<&Bar>| bar.map_or(f64::NAN, |bar| bar.time);
        Self {
            first: time(bars.first()),
            last: time(bars.last()),
            count: bars.len(),
        }
    }
}

impl TimeAxis {
    /// An axis for bars of this length.
    pub fn new(interval_us: f64, is_true: bool) -> Self {
        Self {
            interval_us,
            is_true,
            slots: Vec::new(),
            base: 0.0,
            breaks: Vec::new(),
            of: Vec::new(),
            of_breaks: Vec::new(),
        }
    }

    /// Whether each time is its own place.
    pub fn is_true(&self) -> bool {
        self.is_true
    }

    /// Takes in the bars of all series, oldest first, and the breaks, from when
    /// to when. Returns whether places of bars that it knew have changed, or
    /// bars were added before others. A bar keeps its place as long as only older
    /// or newer ones are added.
    pub fn update(&mut self, all: &[&[Bar]], breaks: &[(f64, f64)]) -> bool {
        if self.is_true {
            return false;
        }
        let of: Vec<Source> = all.iter().map(|bars| Source::of(bars)).collect();
        if of == self.of && breaks == self.of_breaks {
            return false;
        }
        let grew = breaks == self.of_breaks && self.append(all, &of);
        if !grew {
            self.rebuild(all, breaks);
        }
        self.of = of;
        self.of_breaks = breaks.to_vec();
        !grew
    }

    /// Appends bars that are newer than all slots; `false` if anything else has
    /// changed.
    fn append(&mut self, all: &[&[Bar]], of: &[Source]) -> bool {
        let Some(&newest) = self.slots.last() else {
            return false;
        };
        let is_longer = |(old, new): (&Source, &Source)| {
            old.first == new.first && old.count <= new.count && old.count > 0
        };
        if of.len() != self.of.len() || !self.of.iter().zip(of).all(is_longer) {
            return false;
        }
        let added = all
            .iter()
            .zip(&self.of)
            .map(|(bars, old)| &bars[old.count..]);
        let mut times: Vec<f64> = added.flatten().map(|bar| bar.time).collect();
        times.sort_unstable_by(f64::total_cmp);
        times.dedup();
        // A compared symbol may trade for the first time at a known time.
        times.retain(|time| {
            self.slots
                .binary_search_by(|slot| slot.total_cmp(time))
                .is_err()
        });
        if times.first().is_some_and(|first| *first < newest) {
            return false;
        }
        self.slots.extend(times);
        true
    }

    fn rebuild(&mut self, all: &[&[Bar]], breaks: &[(f64, f64)]) {
        let mut slots: Vec<f64> = match all {
            [bars] => bars.iter().map(|bar| bar.time).collect(),
            all => {
                let times = all.iter().flat_map(|bars| bars.iter().map(|bar| bar.time));
                let mut times: Vec<f64> = times.collect();
                times.sort_unstable_by(f64::total_cmp);
                times.dedup();
                times
            }
        };
        self.breaks.clear();
        for (since, until) in breaks {
            let after = slots.partition_point(|slot| slot < until);
            let (Some(before), Some(next)) = (after.checked_sub(1), slots.get(after).copied())
            else {
                continue;
            };
            let before = slots[before];
            // Where there are bars, there is no hole to be seen.
            if before > *since || next - before < (BREAK_BARS + 1) as f64 * self.interval_us {
                continue;
            }
            let step = (next - before) / (BREAK_BARS + 1) as f64;
            let room = (1..=BREAK_BARS).map(|at| before + at as f64 * step);
            slots.splice(after..after, room);
            self.breaks.push(after);
        }
        // Some slot of before keeps its place.
        let number = |slots: &[f64], time: f64| slots.partition_point(|slot| *slot < time) as f64;
        self.base = match (self.slots.last(), slots.last()) {
            (Some(&old), Some(_)) => self.base + number(&self.slots, old) - number(&slots, old),
            (None, Some(&newest)) => (newest / self.interval_us).round() - number(&slots, newest),
            (_, None) => 0.0,
        };
        self.slots = slots;
    }

    /// The place of a time.
    pub fn place(&self, time: f64) -> f64 {
        let after = self.slots.partition_point(|slot| *slot <= time);
        let Some(index) = after.checked_sub(1) else {
            // Before the oldest bar, or without any.
            let first = self.slots.first();
            return first.map_or(time, |first| self.number_at(0) + time - first);
        };
        let since = time - self.slots[index];
        let is_newest = after == self.slots.len();
        let within = if is_newest {
            since
        } else {
            since.min(self.interval_us)
        };
        self.number_at(index) + within
    }

    /// The time at a place.
    pub fn time(&self, place: f64) -> f64 {
        let (Some(first), Some(last)) = (self.slots.first(), self.slots.len().checked_sub(1))
        else {
            return place;
        };
        let index = (place / self.interval_us - self.base).floor();
        if index < 0.0 {
            return first + place - self.number_at(0);
        }
        let index = (index as usize).min(last);
        self.slots[index] + place - self.number_at(index)
    }

    /// The place of the slot with this index.
    fn number_at(&self, index: usize) -> f64 {
        (self.base + index as f64) * self.interval_us
    }

    /// From where to where each break is.
    pub fn breaks(&self) -> impl Iterator<Item = (f64, f64)> {
        let width = BREAK_BARS as f64 * self.interval_us;
        let starts = self.breaks.iter().map(|index| self.number_at(*index));
        starts.map(move |start| (start, start + width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INTERVAL: f64 = 10.0;

    fn bars(times: &[f64]) -> Vec<Bar> {
        let bar = |time: &f64| Bar {
            time: *time,
            open: 1.0,
            high: 1.0,
            low: 1.0,
            close: 1.0,
            volume: 1.0,
        };
        times.iter().map(bar).collect()
    }

    #[test]
    fn bars_are_side_by_side() {
        let mut axis = TimeAxis::new(INTERVAL, false);
        assert!(axis.update(&[&bars(&[100.0, 110.0, 200.0, 210.0])], &[]));
        // The newest bar is where it would be on an axis of true time.
        let places = [100.0, 110.0, 200.0, 210.0, 240.0].map(|time| axis.place(time));
        assert_eq!(places, [180.0, 190.0, 200.0, 210.0, 240.0]);
        // What lies in a gap is at its end.
        assert_eq!(axis.place(115.0), 195.0);
        assert_eq!(axis.place(150.0), 200.0);
        assert_eq!(axis.place(90.0), 170.0);
        assert_eq!(axis.time(195.0), 115.0);
        assert_eq!(axis.time(170.0), 90.0);
        assert_eq!(axis.time(250.0), 250.0);
        let truly = TimeAxis::new(INTERVAL, true);
        assert_eq!((truly.place(115.0), truly.time(115.0)), (115.0, 115.0));
    }

    #[test]
    fn a_break_is_seen() {
        let mut axis = TimeAxis::new(INTERVAL, false);
        let all = bars(&[100.0, 110.0, 500.0, 510.0, 900.0]);
        axis.update(&[&all], &[(115.0, 490.0)]);
        let places = [100.0, 110.0, 500.0, 510.0, 900.0].map(|time| axis.place(time));
        assert_eq!(places, [830.0, 840.0, 880.0, 890.0, 900.0]);
        assert_eq!(axis.breaks().collect::<Vec<_>>(), [(850.0, 880.0)]);
        // A break with bars in it, as of another symbol, is none.
        axis.update(&[&all, &bars(&[300.0])], &[(115.0, 490.0)]);
        assert_eq!(axis.breaks().count(), 0);
        // Nor is one before all bars.
        axis.update(&[&all], &[(10.0, 90.0)]);
        assert_eq!(axis.breaks().count(), 0);
    }

    #[test]
    fn symbols_with_different_hours_share_the_axis() {
        let mut axis = TimeAxis::new(INTERVAL, false);
        let (one, other) = (bars(&[100.0, 300.0]), bars(&[110.0, 300.0, 310.0]));
        axis.update(&[&one, &other], &[]);
        let places = [100.0, 110.0, 300.0, 310.0].map(|time| axis.place(time));
        assert_eq!(places, [280.0, 290.0, 300.0, 310.0]);
    }

    proptest! {
        #[test]
        fn bars_keep_their_places(
            steps in proptest::collection::vec(1u32..50, 3..60),
            first in 0usize..20,
            stop in 0usize..20,
        ) {
            let mut time = 0.0;
            let times: Vec<f64> = steps.iter().map(|step| {
                time += f64::from(*step) * INTERVAL;
                time
            }).collect();
            let all = bars(&times);
            let (first, stop) = (first.min(all.len() - 2), stop.min(all.len() - 2));
            let (from, to) = (first.min(stop), first.max(stop) + 1);
            let mut axis = TimeAxis::new(INTERVAL, false);
            axis.update(&[&all[from..to]], &[]);
            let places = |axis: &TimeAxis| -> Vec<f64> {
                times[from..to].iter().map(|time| axis.place(*time)).collect()
            };
            let before = places(&axis);
            prop_assert!(before.windows(2).all(|pair| pair[1] - pair[0] == INTERVAL));
            prop_assert!(!axis.update(&[&all[from..]], &[]));
            prop_assert_eq!(&places(&axis), &before);
            axis.update(&[&all], &[]);
            prop_assert_eq!(&places(&axis), &before);
            for time in &times {
                prop_assert_eq!(axis.time(axis.place(*time)), *time);
            }
            let mut at = axis.place(times[0] - 25.0);
            for quarter in 0..(times[times.len() - 1] / 2.5) as usize {
                let next = axis.place(times[0] - 25.0 + quarter as f64 * 2.5);
                prop_assert!(next >= at);
                at = next;
            }
        }
    }
}
