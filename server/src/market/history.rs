//! Candles of every symbol and interval, in memory.

use shared::{Candle, Candles, Cursor, Instrument, Interval, SymbolState, Time, Trade};

/// At most this many candles are kept over all symbols and intervals: 200 MB.
const CANDLES_MAX: usize = 2_000_000;
/// Upper bound of candles for one symbol and interval.
const SERIES_MAX: usize = 10_000;
/// Lower bound of candles for one symbol and interval, however many symbols
/// there are.
const SERIES_MIN: usize = 60;

/// The newest candles of each symbol. Each symbol has the same share of the
/// memory.
#[derive(Debug)]
pub(super) struct History {
    /// By symbol, then in the order of [`Interval::ALL`].
    series: Vec<[Candles; Interval::ALL.len()]>,
}

/// How much of a series was taken over by the store: the number of bars opened
/// until then, and the number of trades in the newest of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    opened: u64,
    trades: u64,
}

/// The marks of an instrument, in the order of [`Interval::ALL`].
pub type Marks = [Mark; Interval::ALL.len()];

/// What happened to an instrument's candles since its marks were set.
#[derive(Clone, Debug)]
pub struct CandleChanges {
    /// Candles that are new or have changed, oldest first for each interval.
    /// All of them are as of the same tick.
    pub candles: Vec<(Interval, Candle)>,
    /// How many more candles were dropped from memory before they were taken
    /// over.
    pub missing: u64,
    /// The marks after these changes.
    pub marks: Marks,
}

/// A symbol's candles as far as they are in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// The log position that the candles are as of.
    pub cursor: Cursor,
    /// The start of the oldest bar in memory. Older bars have left memory, or
    /// are in a store.
    pub oldest: Option<Time>,
    /// The candles that were asked for.
    pub candles: Vec<Candle>,
}

fn mark_of(candles: &Candles) -> Mark {
    Mark {
        opened: candles.opened(),
        trades: candles.newest().map_or(0, |bar| bar.trades),
    }
}

impl History {
    /// The candles of each symbol, continued from the newest candles of an
    /// earlier run.
    pub(super) fn new(past: Vec<[Option<Candle>; Interval::ALL.len()]>) -> Self {
        let series = past.len() * Interval::ALL.len();
        let capacity = (CANDLES_MAX / series.max(1)).clamp(SERIES_MIN, SERIES_MAX);
        let of_one = |newest: [Option<Candle>; Interval::ALL.len()]| {
            let mut all = Interval::ALL.map(|interval| Candles::new(interval, capacity));
            for (candles, newest) in all.iter_mut().zip(newest) {
                newest.into_iter().for_each(|bar| candles.resume(bar));
            }
            all
        };
        Self {
            series: past.into_iter().map(of_one).collect(),
        }
    }

    /// Marks at the current end of each series.
    pub(super) fn marks(&self) -> Vec<Marks> {
        let all = self.series.iter();
        all.map(|series| series.each_ref().map(mark_of)).collect()
    }

    /// What happened to a symbol since these marks were set.
    pub(super) fn changes(&self, symbol: usize, marks: &Marks) -> CandleChanges {
        let mut changes = CandleChanges {
            candles: Vec::new(),
            missing: 0,
            marks: *marks,
        };
        let series = self.series[symbol].iter().zip(&mut changes.marks);
        for (candles, mark) in series {
            let before = std::mem::replace(mark, mark_of(candles));
            if before == *mark {
                continue;
            }
            let (missing, new) = since(candles, before);
            changes.missing += missing;
            let new = new.map(|bar| (candles.interval(), bar.clone()));
            changes.candles.extend(new);
        }
        changes
    }

    /// How many candles were dropped from memory since these marks were set,
    /// before they were taken over.
    pub(super) fn missing(&self, marks: &[Marks]) -> u64 {
        let all = self.series.iter().flatten().zip(marks.iter().flatten());
        all.map(|(candles, mark)| since(candles, *mark).0).sum()
    }

    /// Appends closed candles of one symbol, oldest first. Candles that are not
    /// newer than the newest known one are skipped: known history does not
    /// change.
    pub(super) fn resume(&mut self, symbol: usize, interval: Interval, past: &[Candle]) {
        let candles = &mut self.series[symbol][interval as usize];
        // What has no room would count as lost.
        let skip = past.len().saturating_sub(candles.capacity());
        for bar in &past[skip..] {
            if candles.newest().is_none_or(|newest| newest.time < bar.time) {
                candles.resume(bar.clone());
            }
        }
    }

    /// Applies a trade of the symbol with this index.
    pub(super) fn apply(&mut self, symbol: usize, trade: &Trade) {
        for candles in &mut self.series[symbol] {
            candles.apply(trade);
        }
    }

    /// The start of the oldest candle in memory, and the newest `limit` of the
    /// candles that begin in `from..to`.
    pub(super) fn range(
        &self,
        symbol: usize,
        interval: Interval,
        (from, to): (Time, Time),
        limit: usize,
    ) -> (Option<Time>, Vec<Candle>) {
        let candles = &self.series[symbol][interval as usize];
        let oldest = candles.oldest().map(|bar| bar.time);
        (oldest, candles.range(from, to, limit))
    }
}

/// How many bars after the mark are gone from memory, and the bars that are
/// there: the newest one that was taken over, which may have changed, and those
/// after it.
fn since(candles: &Candles, mark: Mark) -> (u64, impl Iterator<Item = &Candle>) {
    candles.since(mark.opened.saturating_sub(1))
}

/// A symbol's state when these were its newest candles. Its session is the
/// newest day; the quote of that time is not known.
pub(super) fn state(
    (instrument, index): (&Instrument, u32),
    newest: &[Option<Candle>; Interval::ALL.len()],
) -> SymbolState {
    let mut state = SymbolState::new(instrument, index);
    // The shortest bar gives the most precise time of the last trade.
    let time = newest.iter().flatten().map(|bar| bar.time).max();
    if let Some(day) = &newest[Interval::D1 as usize] {
        state.last = Some(day.close);
        state.open = Some(day.open);
        state.high = Some(day.high);
        state.low = Some(day.low);
        state.volume = day.volume;
        state.time = time;
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Decimal;

    fn bar(second: i64) -> Candle {
        let time = Time::EPOCH + Interval::S1.span() * second;
        Candle::open(time, Decimal::ONE, Decimal::ONE)
    }

    #[test]
    fn a_past_is_kept_as_what_happened_is() {
        let stored = [const { None }; Interval::ALL.len()];
        let mut history = History::new(vec![stored]);
        let marks = history.marks();
        let past: Vec<_> = [1, 2, 4].map(bar).into();
        history.resume(0, Interval::S1, &past);
        // Known candles do not change.
        history.resume(0, Interval::S1, &[3, 4, 5].map(bar));
        let found = history.range(0, Interval::S1, (Time::MIN, Time::MAX), 10);
        let all: Vec<_> = [1, 2, 4, 5].map(bar).into();
        assert_eq!(found, (Some(bar(1).time), all.clone()));
        // The store receives each of them.
        let changes = history.changes(0, &marks[0]);
        let told: Vec<_> = changes.candles.into_iter().map(|(_, bar)| bar).collect();
        assert_eq!((told, changes.missing), (all, 0));
    }
}
