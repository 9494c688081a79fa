//! Candles of every symbol and interval, in memory.

use shared::{Candle, Candles, Interval, Micros, Tick};

/// At most this many candles are kept over all symbols and intervals: 200 MB.
const CANDLES_MAX: usize = 2_000_000;
/// Of one symbol and interval never more than this.
const SERIES_MAX: usize = 10_000;
/// And always as many as this, however many symbols there are.
const SERIES_MIN: usize = 60;

/// The newest candles of each symbol, each symbol's share of the memory being
/// the same.
#[derive(Debug)]
pub(super) struct History {
    /// By symbol, then in the order of [`Interval::ALL`].
    series: Vec<[Candles; Interval::ALL.len()]>,
}

impl History {
    /// No candles yet of so many symbols.
    pub(super) fn new(symbols: usize) -> Self {
        let series = symbols * Interval::ALL.len();
        let capacity = (CANDLES_MAX / series.max(1)).clamp(SERIES_MIN, SERIES_MAX);
        let of_one = || Interval::ALL.map(|interval| Candles::new(interval, capacity));
        Self {
            series: std::iter::repeat_with(of_one).take(symbols).collect(),
        }
    }

    /// Takes in a tick of the symbol with this index.
    pub(super) fn apply(&mut self, symbol: usize, tick: &Tick) {
        for candles in &mut self.series[symbol] {
            candles.apply(tick);
        }
    }

    /// The newest `limit` of the candles that begin in `from..to`.
    pub(super) fn range(
        &self,
        symbol: usize,
        interval: Interval,
        (from, to): (Micros, Micros),
        limit: usize,
    ) -> Vec<Candle> {
        let candles = self.series[symbol].iter();
        let mut wanted = candles.filter(|candles| candles.interval() == interval);
        let found = wanted.next().map(|candles| candles.range(from, to, limit));
        found.unwrap_or_default()
    }
}
