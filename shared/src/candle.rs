use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Cursor, Decimal, Span, Time, Trade};

/// The length of a candle. Bars begin at multiples of it since the Unix epoch,
/// so a day is a UTC day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interval {
    /// `1s`.
    S1,
    /// `5s`.
    S5,
    /// `1m`.
    M1,
    /// `5m`.
    M5,
    /// `15m`.
    M15,
    /// `1h`.
    H1,
    /// `1d`.
    D1,
}

/// The newest candle of each interval, in the order of [`Interval::ALL`].
pub type NewestBars = [Option<Candle>; Interval::ALL.len()];

impl Interval {
    /// All intervals, the shortest first.
    pub const ALL: [Self; 7] = [
        Self::S1,
        Self::S5,
        Self::M1,
        Self::M5,
        Self::M15,
        Self::H1,
        Self::D1,
    ];

    /// The name on the wire and for users.
    pub const fn name(self) -> &'static str {
        match self {
            Self::S1 => "1s",
            Self::S5 => "5s",
            Self::M1 => "1m",
            Self::M5 => "5m",
            Self::M15 => "15m",
            Self::H1 => "1h",
            Self::D1 => "1d",
        }
    }

    /// Its length.
    pub const fn span(self) -> Span {
        let seconds = match self {
            Self::S1 => 1,
            Self::S5 => 5,
            Self::M1 => 60,
            Self::M5 => 300,
            Self::M15 => 900,
            Self::H1 => 3_600,
            Self::D1 => 86_400,
        };
        Span::from_seconds(seconds)
    }

    /// The start of the bar that `time` lies in.
    pub const fn start_of(self, time: Time) -> Time {
        time.floor(self.span())
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// An unknown name of an interval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interval '{0}' is not allowed; 1s, 5s, 1m, 5m, 15m, 1h or 1d")]
pub struct IntervalError(String);

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(name: &str) -> Result<Self, IntervalError> {
        let found = Self::ALL.into_iter().find(|known| known.name() == name);
        found.ok_or_else(|| IntervalError(name.chars().take(40).collect()))
    }
}

/// The prices of the trades in one interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Candle {
    /// The start of the bar.
    pub time: Time,
    /// The first price.
    pub open: Decimal,
    /// The highest price.
    pub high: Decimal,
    /// The lowest price.
    pub low: Decimal,
    /// The last price.
    pub close: Decimal,
    /// The quantity traded.
    pub volume: Decimal,
    /// How many trades there were.
    pub trades: u64,
}

impl Candle {
    /// A bar that begins at `time` with its first trade.
    pub fn open(time: Time, price: Decimal, qty: Decimal) -> Self {
        Self {
            time,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: qty,
            trades: 1,
        }
    }

    /// Adds the next bar of those that this one is the sum of.
    pub fn join(&mut self, next: &Self) {
        self.high = self.high.max(next.high);
        self.low = self.low.min(next.low);
        self.close = next.close;
        self.volume = self.volume.saturating_add(next.volume);
        self.trades = self.trades.saturating_add(next.trades);
    }

    fn extend(&mut self, price: Decimal, qty: Decimal) {
        self.high = self.high.max(price);
        self.low = self.low.min(price);
        self.close = price;
        // Saturates at 96 bits instead of panicking, as the session's volume
        // does.
        self.volume = self.volume.saturating_add(qty);
        self.trades += 1;
    }
}

/// The effect of a tick on a [`Candles`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new bar was opened.
    Opened,
    /// The newest bar was changed.
    Extended,
    /// The tick is older than the newest bar and was skipped.
    Late,
}

/// The newest candles of one symbol and interval, oldest first, at most
/// `capacity` of them. Server and page use the same code, so they agree.
///
/// A bar exists only if there was a trade in it. A tick that is older than the
/// newest bar is skipped: a closed bar does not change any more.
#[derive(Clone, Debug)]
pub struct Candles {
    interval: Interval,
    bars: VecDeque<Candle>,
    capacity: usize,
    /// How many bars were ever opened.
    opened: u64,
}

impl Candles {
    /// No candles yet; `capacity` should be at least 1.
    pub fn new(interval: Interval, capacity: usize) -> Self {
        Self {
            interval,
            bars: VecDeque::new(),
            capacity: capacity.max(1),
            opened: 0,
        }
    }

    /// How many bars there is room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The length of each bar.
    pub fn interval(&self) -> Interval {
        self.interval
    }

    /// Applies a trade; trades have to be in the log's order.
    pub fn apply(&mut self, trade: &Trade) -> Change {
        self.trade(trade.time, trade.price, trade.qty)
    }

    /// Applies a trade at `time`.
    pub fn trade(&mut self, time: Time, price: Decimal, qty: Decimal) -> Change {
        let start = self.interval.start_of(time);
        match self.bars.back_mut() {
            Some(newest) if start < newest.time => return Change::Late,
            Some(newest) if start == newest.time => {
                newest.extend(price, qty);
                return Change::Extended;
            }
            _ => {}
        }
        self.resume(Candle::open(start, price, qty));
        Change::Opened
    }

    /// Appends a bar from elsewhere that is newer than those here.
    pub fn resume(&mut self, bar: Candle) {
        if self.bars.len() == self.capacity {
            self.bars.pop_front();
        }
        self.bars.push_back(bar);
        self.opened += 1;
    }

    /// Puts a bar from elsewhere in the place of the newest one, of the same time, if
    /// more was traded in it. Not every source says how many trades there were; each
    /// replacement counts as one more at least, so that it is known to be another bar.
    pub fn replace_newest(&mut self, bar: Candle) {
        if let Some(newest) = self.bars.back_mut()
            && newest.time == bar.time
            && newest.volume < bar.volume
        {
            let trades = bar.trades.max(newest.trades + 1);
            *newest = Candle { trades, ..bar };
        }
    }

    /// How many bars were ever opened.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// The oldest bar that is still in memory.
    pub fn oldest(&self) -> Option<&Candle> {
        self.bars.front()
    }

    /// The bars after the first `count` that were ever opened, as far as they
    /// are still in memory; and how many of them are not.
    pub fn since(&self, count: u64) -> (u64, impl Iterator<Item = &Candle>) {
        let gone = self.opened - self.bars.len() as u64;
        let skip = usize::try_from(count.saturating_sub(gone)).unwrap_or(usize::MAX);
        let missing = gone.saturating_sub(count);
        (missing, self.bars.range(skip.min(self.bars.len())..))
    }

    /// The newest bar, which is still open; `None` before the first trade.
    pub fn newest(&self) -> Option<&Candle> {
        self.bars.back()
    }

    /// The newest `limit` of the bars whose start lies in `from..to`, oldest
    /// first.
    pub fn range(&self, from: Time, to: Time, limit: usize) -> Vec<Candle> {
        let begin = self.bars.partition_point(|bar| bar.time < from);
        let end = self.bars.partition_point(|bar| bar.time < to);
        let begin = begin.max(end.saturating_sub(limit)).min(end);
        self.bars.range(begin..end).cloned().collect()
    }

    /// All candles, oldest first.
    pub fn into_vec(self) -> Vec<Candle> {
        self.bars.into()
    }
}

/// The answer of `GET /api/candles`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CandlesAnswer {
    /// The symbol.
    pub symbol: String,
    /// The [`Interval::name`].
    pub interval: String,
    /// The log position that the newest candle is as of: ticks after it are not
    /// included yet.
    pub cursor: Cursor,
    /// Oldest first; the newest one may still be open.
    pub candles: Vec<Candle>,
    /// When the server was down, as far as that lies between these candles.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub breaks: Vec<Break>,
}

/// A time of which there are no prices, because the server was down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Break {
    /// The end of the newest candle before it.
    pub since: Time,
    /// When the server was there again.
    pub until: Time,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn intervals_have_names_and_begin_at_round_times() {
        for interval in Interval::ALL {
            assert_eq!(interval.name().parse(), Ok(interval));
            let first = Time::EPOCH + interval.span();
            assert_eq!(interval.start_of(Time::EPOCH), Time::EPOCH);
            assert_eq!(
                interval.start_of(Time::from_micros(-1)),
                Time::EPOCH - interval.span()
            );
            assert_eq!(interval.start_of(first), first);
        }
        let error = "2m".parse::<Interval>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "interval '2m' is not allowed; 1s, 5s, 1m, 5m, 15m, 1h or 1d"
        );
    }

    #[test]
    fn a_closed_bar_does_not_change() {
        let mut candles = Candles::new(Interval::S1, 10);
        assert_eq!(
            candles.trade(Time::from_micros(1_000_000), 5.into(), 1.into()),
            Change::Opened
        );
        assert_eq!(
            candles.trade(Time::from_micros(1_999_999), 7.into(), 1.into()),
            Change::Extended
        );
        assert_eq!(
            candles.trade(Time::from_micros(2_000_000), 6.into(), 1.into()),
            Change::Opened
        );
        let before = candles.range(Time::MIN, Time::MAX, 10);
        assert_eq!(
            candles.trade(Time::from_micros(1_500_000), 9.into(), 1.into()),
            Change::Late
        );
        assert_eq!(candles.range(Time::MIN, Time::MAX, 10), before);
    }

    proptest! {
        /// Each bar matches the trades in it.
        #[test]
        fn bars_are_what_their_trades_say(
            steps in proptest::collection::vec((0i64..3_000_000, 1i64..1_000, 1i64..100), 1..200),
            capacity in 1usize..50,
        ) {
            let mut candles = Candles::new(Interval::S1, capacity);
            let mut time = Time::EPOCH;
            let mut trades = Vec::new();
            for (step, price, qty) in steps {
                time += Span::from_micros(step);
                let (price, qty) = (Decimal::new(price, 2), Decimal::new(qty, 3));
                trades.push((time, price, qty));
                candles.trade(time, price, qty);
            }
            let bars = candles.range(Time::MIN, Time::MAX, usize::MAX);
            prop_assert!(bars.len() <= capacity);
            prop_assert!(bars.windows(2).all(|w| w[0].time < w[1].time));
            for bar in &bars {
                let own: Vec<_> = trades.iter().filter(|t| Interval::S1.start_of(t.0) == bar.time).collect();
                prop_assert_eq!(bar.open, own[0].1);
                prop_assert_eq!(bar.close, own[own.len() - 1].1);
                prop_assert_eq!(Some(bar.high), own.iter().map(|t| t.1).max());
                prop_assert_eq!(Some(bar.low), own.iter().map(|t| t.1).min());
                prop_assert_eq!(bar.volume, own.iter().map(|t| t.2).sum::<Decimal>());
                prop_assert_eq!(bar.trades, own.len() as u64);
            }
            let newest = &bars[bars.len() / 2..];
            prop_assert_eq!(candles.range(newest[0].time, Time::MAX, 1_000), newest);
            prop_assert_eq!(candles.range(Time::MIN, Time::MAX, newest.len()), newest);
        }
    }
}
