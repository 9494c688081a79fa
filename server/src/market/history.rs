//! Candles of every symbol and interval, in memory.

use shared::{
    Candle, Candles, Change, Cursor, Instrument, Interval, NewestBars, SymbolState, Time, Trade,
};

use crate::feed::PastCandles;
use crate::kept::candle_room;

/// The newest candles of each symbol. Each symbol has the same share of the
/// memory.
#[derive(Debug)]
pub(super) struct History {
    /// By symbol, then in the order of [`Interval::ALL`].
    series: Vec<[Candles; Interval::ALL.len()]>,
    /// How many candles of each there is room for.
    room: usize,
    exceptions: u64,
}

/// How much of a series the store has: the first so many of the bars that were
/// ever opened, and the number of trades in the last of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    stored: u64,
    trades: u64,
}

impl Mark {
    /// Of a series whose first bar is stored, as it is with so many trades.
    pub fn of_stored(trades: u64) -> Self {
        Self { stored: 1, trades }
    }

    /// How many bars are stored, of all that were ever opened.
    pub fn stored(self) -> u64 {
        self.stored
    }

    /// With how many trades the last of them is stored.
    pub fn trades(self) -> u64 {
        self.trades
    }
}

/// The marks of an instrument, in the order of [`Interval::ALL`].
pub type Marks = [Mark; Interval::ALL.len()];

/// What happened to an instrument's candles since its marks were set. All of it
/// is as of the same tick.
#[derive(Clone, Debug, Default)]
pub struct CandleChanges {
    /// Bars that have closed, oldest first for each interval.
    pub closed: Vec<(Interval, Candle)>,
    /// Bars that were taken over as closed, and have changed since: a trade came
    /// late.
    pub again: Vec<(Interval, Candle)>,
    /// How many more candles were dropped from memory before they were taken
    /// over.
    pub missing: u64,
    /// The marks after these changes.
    pub marks: Marks,
    /// The newest bar of each interval, closed or not.
    pub newest: NewestBars,
    /// If it was taken over as closed: with how many trades.
    pub taken: [Option<u64>; Interval::ALL.len()],
}

/// A symbol's candles as far as they are in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// The log position that the candles are as of.
    pub cursor: Cursor,
    /// The start of the oldest bar in memory. Older bars have left memory, or
    /// are in a store.
    pub oldest: Option<Time>,
    /// How often the feed had begun anew.
    pub beginnings: u64,
    /// The candles that were asked for.
    pub candles: Vec<Candle>,
}

impl History {
    /// The candles of each symbol, continued from those of before.
    pub(super) fn new(past: Vec<PastCandles>) -> Self {
        let capacity = candle_room(past.len());
        let of_one = |past: PastCandles| {
            let mut all = Interval::ALL.map(|interval| Candles::new(interval, capacity));
            for (candles, past) in all.iter_mut().zip(past) {
                // What has no room would count as lost.
                let skip = past.len().saturating_sub(capacity);
                past.into_iter()
                    .skip(skip)
                    .for_each(|bar| candles.resume(bar));
            }
            all
        };
        Self {
            series: past.into_iter().map(of_one).collect(),
            room: capacity,
            exceptions: 0,
        }
    }

    /// How many candles of a symbol and an interval there is room for.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// What happened to a symbol since these marks were set. A bar is closed if
    /// a newer one has been opened, or if it ends at `until` or before.
    pub(super) fn changes(&self, symbol: usize, marks: &Marks, until: Time) -> CandleChanges {
        let mut changes = CandleChanges {
            marks: *marks,
            ..CandleChanges::default()
        };
        for (at, candles) in self.series[symbol].iter().enumerate() {
            changes.newest[at] = candles.newest().cloned();
            let mark = changes.marks[at];
            changes.marks[at] = changes.take(candles, mark, until);
            let mark = changes.marks[at];
            changes.taken[at] = (mark.stored == candles.opened()).then_some(mark.trades);
        }
        changes
    }

    /// How many candles were dropped from memory since these marks were set,
    /// before they were taken over.
    pub(super) fn missing(&self, marks: &[Marks]) -> u64 {
        let all = self.series.iter().flatten().zip(marks.iter().flatten());
        all.map(|(candles, mark)| candles.since(mark.stored).0)
            .sum()
    }

    /// How often something happened to longer candles that the shortest ones do
    /// not show: history was taken in, or a trade came too late for its second.
    pub(super) fn exceptions(&self) -> u64 {
        self.exceptions
    }

    /// Takes in candles of one symbol, oldest first. Candles that are not newer than
    /// the newest known one are skipped, as known history does not change; but that
    /// one may have been incomplete. If they are not `whole`, what was known before is
    /// forgotten.
    pub(super) fn take_known(&mut self, symbol: usize, past: &PastCandles, is_whole: bool) {
        self.exceptions += 1;
        let capacity = self.room;
        for (candles, past) in self.series[symbol].iter_mut().zip(past) {
            if !is_whole {
                *candles = Candles::new(candles.interval(), capacity);
            }
            resume(candles, past);
        }
    }

    /// The newest candle of each interval of a symbol.
    pub(super) fn newest(&self, symbol: usize) -> NewestBars {
        let series = self.series[symbol].each_ref();
        series.map(|candles| candles.newest().cloned())
    }

    /// The state that a symbol's candles would tell if these were taken in.
    pub(super) fn state_with(
        &self,
        instrument: &Instrument,
        index: u32,
        past: &PastCandles,
    ) -> SymbolState {
        // Two are enough, since the rest is older.
        let newest = |(candles, past): (&Candles, &Vec<Candle>)| {
            let mut few = Candles::new(candles.interval(), 2);
            resume(&mut few, &candles.range(Time::MIN, Time::MAX, 2));
            resume(&mut few, past);
            few.range(Time::MIN, Time::MAX, 2)
        };
        let series = &self.series[index as usize];
        let mut all = PastCandles::default();
        for (newest, found) in all.iter_mut().zip(series.iter().zip(past).map(newest)) {
            *newest = found;
        }
        state((instrument, index), &all)
    }

    /// Applies a trade of the symbol with this index.
    pub(super) fn apply(&mut self, symbol: usize, trade: &Trade) {
        let [shortest, longer @ ..] = &mut self.series[symbol];
        let is_late = shortest.apply(trade) == Change::Late;
        let taken = longer.iter_mut().map(|candles| candles.apply(trade));
        let taken = taken.filter(|change| *change != Change::Late).count();
        if is_late && taken > 0 {
            self.exceptions += 1;
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

impl CandleChanges {
    /// Adds what happened to one series, and returns its new mark.
    fn take(&mut self, candles: &Candles, mark: Mark, until: Time) -> Mark {
        let interval = candles.interval();
        let is_closed = |bar: &Candle, number: u64| {
            number < candles.opened() || bar.time + interval.span() <= until
        };
        let last_stored = mark.stored.checked_sub(1);
        let (gone, mut bars) = candles.since(last_stored.unwrap_or(0));
        let mut after = mark;
        if last_stored.is_some() {
            // The first of them is in the store, and only that.
            let stored = if gone == 0 { bars.next() } else { None };
            let is_closed = |bar: &&Candle| is_closed(bar, mark.stored);
            let changed = stored.filter(|bar| bar.trades != mark.trades);
            if let Some(bar) = changed.filter(is_closed) {
                after.trades = bar.trades;
                self.again.push((interval, bar.clone()));
            }
        }
        let (missing, _) = candles.since(mark.stored);
        self.missing += missing;
        after.stored += missing;
        for bar in bars {
            if !is_closed(bar, after.stored + 1) {
                break;
            }
            after.stored += 1;
            after.trades = bar.trades;
            self.closed.push((interval, bar.clone()));
        }
        after
    }
}

/// Appends candles, oldest first, but for those that are known.
fn resume(candles: &mut Candles, past: &[Candle]) {
    // What has no room would count as lost.
    let skip = past.len().saturating_sub(candles.capacity());
    for bar in &past[skip..] {
        match candles.newest().map(|newest| newest.time) {
            Some(newest) if newest > bar.time => {}
            Some(newest) if newest == bar.time => candles.replace_newest(bar.clone()),
            _ => candles.resume(bar.clone()),
        }
    }
}

/// A symbol's state when these were its newest candles. Its session is the
/// newest day; the quote of that time is not known.
pub(super) fn state((instrument, index): (&Instrument, u32), past: &PastCandles) -> SymbolState {
    let mut state = SymbolState::new(instrument, index);
    // The shortest bar gives the most precise time of the last trade.
    let time = past
        .iter()
        .filter_map(|bars| bars.last())
        .map(|bar| bar.time)
        .max();
    if let [earlier @ .., day] = past[Interval::D1 as usize].as_slice() {
        state.previous = earlier.last().map(|day| day.close);
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
    use shared::{Decimal, Side, Span};

    fn bar(second: i64) -> Candle {
        let time = Time::EPOCH + Interval::S1.span() * second;
        Candle::open(time, Decimal::ONE, Decimal::ONE)
    }

    #[test]
    fn a_past_is_kept_as_what_happened_is() {
        let mut history = History::new(vec![PastCandles::default()]);
        let of_seconds = |bars: Vec<Candle>| {
            let mut past = PastCandles::default();
            past[Interval::S1 as usize] = bars;
            past
        };
        history.take_known(0, &of_seconds([1, 2, 4].map(bar).into()), true);
        // Known candles do not change, but for the newest.
        let larger = |second| Candle {
            trades: 7,
            volume: Decimal::TWO,
            ..bar(second)
        };
        history.take_known(0, &of_seconds([2, 3, 4, 5].map(larger).into()), true);
        let found = history.range(0, Interval::S1, (Time::MIN, Time::MAX), 10);
        let all = vec![bar(1), bar(2), larger(4), larger(5)];
        assert_eq!(found, (Some(bar(1).time), all.clone()));
        // The store receives each of them.
        let changes = history.changes(0, &Marks::default(), Time::MAX);
        let told: Vec<_> = changes.closed.into_iter().map(|(_, bar)| bar).collect();
        assert_eq!((told, changes.missing), (all, 0));
    }

    fn trade(history: &mut History, millis: i64) {
        let trade = Trade {
            seq: 0,
            symbol: String::new(),
            time: Time::EPOCH + Span::from_micros(millis * 1_000),
            at: None,
            id: None,
            price: Decimal::ONE,
            qty: Decimal::ONE,
            side: Some(Side::Buy),
            bid: None,
            ask: None,
        };
        history.apply(0, &trade);
    }

    #[test]
    fn a_bar_is_taken_over_when_it_has_closed_and_again_when_it_changed() {
        let mut history = History::new(vec![PastCandles::default()]);
        let mut marks = Marks::default();
        let mut take = |history: &History, seconds: i64| {
            let until = Time::EPOCH + Span::from_seconds(seconds);
            let changes = history.changes(0, &marks, until);
            marks = changes.marks;
            let of_seconds = |bars: Vec<(Interval, Candle)>| -> Vec<(i64, u64)> {
                let bars = bars.into_iter().filter(|(of, _)| *of == Interval::S1);
                bars.map(|(_, bar)| ((bar.time - Time::EPOCH).whole_seconds(), bar.trades))
                    .collect()
            };
            (of_seconds(changes.closed), of_seconds(changes.again))
        };
        trade(&mut history, 1_100);
        assert_eq!(take(&history, 1), (vec![], vec![]));
        assert_eq!(take(&history, 2), (vec![(1, 1)], vec![]));
        assert_eq!(take(&history, 2), (vec![], vec![]));
        // It came late, and is the newest all the same.
        trade(&mut history, 1_900);
        assert_eq!(take(&history, 2), (vec![], vec![(1, 2)]));
        trade(&mut history, 1_950);
        trade(&mut history, 2_000);
        trade(&mut history, 3_000);
        assert_eq!(take(&history, 0), (vec![(2, 1)], vec![(1, 3)]));
        assert_eq!(history.exceptions(), 0);
        trade(&mut history, 2_500);
        assert_eq!(history.exceptions(), 1);
        assert_eq!(take(&history, 9), (vec![(3, 1)], vec![]));
    }

    #[test]
    fn what_left_memory_is_counted() {
        let mut candles = Candles::new(Interval::S1, 3);
        let second = |n: i64| Time::EPOCH + Span::from_seconds(n);
        let take = |candles: &Candles, mark: Mark| {
            let mut changes = CandleChanges::default();
            let mark = changes.take(candles, mark, Time::MIN);
            (mark, changes.closed.len(), changes.missing)
        };
        for n in 0..5 {
            candles.trade(second(n), Decimal::ONE, Decimal::ONE);
        }
        let (mark, closed, missing) = take(&candles, Mark::default());
        assert_eq!((mark.stored, closed, missing), (4, 2, 2));
        for n in 5..12 {
            candles.trade(second(n), Decimal::ONE, Decimal::ONE);
        }
        let (mark, closed, missing) = take(&candles, mark);
        assert_eq!((mark.stored, closed, missing), (11, 2, 5));
        assert_eq!(take(&candles, mark), (mark, 0, 0));
    }
}
