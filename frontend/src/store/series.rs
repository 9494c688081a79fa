//! The candles of a chart: history from the server, and every trade since.

use shared::{Break, Candle, Candles, CandlesAnswer, Change, Decimal, Time, Trade};

use crate::faults::CallError;
use crate::plot::Bar;
use crate::requests::{HistoryRequest, SeriesKey};

/// The most bars in a series: 7 MB. When there are more, an eighth of them is
/// removed at the old end.
const BARS_MAX: usize = 150_000;
/// How many trades are kept while the history is on its way: those of some
/// seconds.
const WAITING_MAX: usize = 50_000;

/// The state of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// The newest bars have been requested.
    Loading {
        /// The trades that arrived since.
        waiting: Vec<(u64, Time, Decimal, Decimal)>,
        /// More trades arrived than are kept, so the answer cannot be joined to
        /// them.
        overflowed: bool,
    },
    /// The series is complete up to now.
    Ready {
        /// The number of the last tick in the history.
        joined: u64,
        /// Whether older bars have been requested.
        asking: bool,
        /// Whether there are no older bars.
        complete: bool,
    },
}

/// The bars of one symbol and interval.
#[derive(Clone, Debug)]
pub struct Series {
    /// The symbol and interval.
    pub key: SeriesKey,
    /// Oldest first.
    pub bars: Vec<Bar>,
    /// From when to when the server was down, so that there may be no bars.
    pub breaks: Vec<(f64, f64)>,
    /// Why there is no history, until the next try succeeds.
    pub fault: Option<CallError>,
    /// Increases with every change.
    pub version: u64,
    newest: Candles,
    state: State,
    /// The number of its last start. The answer to a request of an earlier
    /// start, or of another series with the same key, is ignored.
    beginning: u64,
}

impl Series {
    pub(super) fn new(key: SeriesKey) -> Self {
        Self {
            newest: Candles::new(key.interval, 1),
            key,
            bars: Vec::new(),
            breaks: Vec::new(),
            fault: None,
            version: 0,
            state: State::loading(),
            beginning: 0,
        }
    }

    /// Whether the first answer has not arrived yet.
    pub fn is_loading(&self) -> bool {
        matches!(self.state, State::Loading { .. })
    }

    /// Starts the series, or starts it again after a break; returns the request
    /// for the newest bars.
    pub(super) fn begin(&mut self, beginning: u64) -> HistoryRequest {
        self.state = State::loading();
        self.version += 1;
        self.beginning = beginning;
        self.want(None)
    }

    fn want(&self, to: Option<Time>) -> HistoryRequest {
        HistoryRequest {
            key: self.key.clone(),
            to,
            beginning: self.beginning,
        }
    }

    /// The request for older bars, unless it was sent already, or there are
    /// none.
    pub(super) fn want_older(&mut self) -> Option<HistoryRequest> {
        let State::Ready {
            asking, complete, ..
        } = &mut self.state
        else {
            return None;
        };
        if *complete || self.bars.len() >= BARS_MAX || std::mem::replace(asking, true) {
            return None;
        }
        let first = Time::from_micros(self.bars.first()?.time as i64);
        Some(self.want(Some(first)))
    }

    /// Whether the series still waits for this request.
    pub(super) fn waits_for(&self, want: &HistoryRequest) -> bool {
        self.key == want.key
            && self.beginning == want.beginning
            && match &self.state {
                State::Loading { .. } => want.to.is_none(),
                State::Ready { asking, .. } => *asking && want.to.is_some(),
            }
    }

    /// Applies the answer to a request. Returns another request if too many
    /// trades have arrived since.
    pub(super) fn answer(
        &mut self,
        want: &HistoryRequest,
        answer: &CandlesAnswer,
    ) -> Option<HistoryRequest> {
        self.fault = None;
        self.version += 1;
        self.add_breaks(&answer.breaks);
        if want.to.is_some() {
            self.prepend(&answer.candles);
            return None;
        }
        let State::Loading {
            waiting,
            overflowed,
        } = std::mem::replace(&mut self.state, State::loading())
        else {
            return None;
        };
        if overflowed {
            return Some(self.begin(self.beginning));
        }
        self.bars = answer.candles.iter().map(bar_of).collect();
        self.newest = Candles::new(self.key.interval, 1);
        if let Some(newest) = answer.candles.last() {
            self.newest.resume(newest.clone());
        }
        let joined = answer.cursor.seq;
        self.state = State::Ready {
            joined,
            asking: false,
            complete: answer.candles.is_empty(),
        };
        for (_, time, price, qty) in waiting.into_iter().filter(|tick| tick.0 > joined) {
            self.trade(time, price, qty);
        }
        None
    }

    fn add_breaks(&mut self, breaks: &[Break]) {
        let new = breaks
            .iter()
            .map(|found| (found.since.micros() as f64, found.until.micros() as f64));
        for found in new {
            if !self.breaks.contains(&found) {
                self.breaks.push(found);
            }
        }
        self.breaks.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    }

    fn prepend(&mut self, candles: &[Candle]) {
        let State::Ready {
            asking, complete, ..
        } = &mut self.state
        else {
            return;
        };
        (*asking, *complete) = (false, candles.is_empty());
        let first = self.bars.first().map_or(f64::INFINITY, |bar| bar.time);
        let older = candles.iter().map(bar_of).filter(|bar| bar.time < first);
        self.bars.splice(0..0, older.collect::<Vec<_>>());
    }

    /// The request failed, and will be sent again.
    pub(super) fn fail(&mut self, fault: CallError) {
        self.fault = Some(fault);
        self.version += 1;
    }

    /// Applies a trade of this symbol.
    pub(super) fn apply(&mut self, trade: &Trade) {
        match &mut self.state {
            State::Loading {
                waiting,
                overflowed,
            } => {
                if waiting.len() < WAITING_MAX {
                    waiting.push((trade.seq, trade.time, trade.price, trade.qty));
                } else {
                    *overflowed = true;
                }
            }
            State::Ready { joined, .. } if trade.seq > *joined => {
                self.trade(trade.time, trade.price, trade.qty);
            }
            State::Ready { .. } => {}
        }
    }

    fn trade(&mut self, time: Time, price: Decimal, qty: Decimal) {
        let change = self.newest.trade(time, price, qty);
        let Some(bar) = self.newest.newest().map(bar_of) else {
            return;
        };
        match (change, self.bars.last_mut()) {
            (Change::Late, _) => return,
            (Change::Extended, Some(last)) => *last = bar,
            _ => {
                if self.bars.len() >= BARS_MAX {
                    self.bars.drain(..BARS_MAX / 8);
                }
                self.bars.push(bar);
            }
        }
        self.version += 1;
    }
}

impl State {
    fn loading() -> Self {
        Self::Loading {
            waiting: Vec::new(),
            overflowed: false,
        }
    }
}

/// The candle for drawing.
fn bar_of(candle: &Candle) -> Bar {
    let number = Decimal::to_f64;
    Bar {
        time: candle.time.micros() as f64,
        open: number(candle.open),
        high: number(candle.high),
        low: number(candle.low),
        close: number(candle.close),
        volume: number(candle.volume),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Interval, Span};

    fn trade(seq: u64, price: i64) -> Trade {
        Trade {
            seq,
            symbol: "A".to_owned(),
            time: Time::from_micros(seq as i64 * Span::SECOND.micros() / 2),
            at: None,
            id: None,
            price: price.into(),
            qty: 1.into(),
            side: None,
            bid: None,
            ask: None,
        }
    }

    /// The server's answer after these trades.
    fn answer(ticks: &[Trade], range: std::ops::Range<Time>) -> CandlesAnswer {
        let mut candles = Candles::new(Interval::S1, 1_000);
        for tick in ticks {
            candles.apply(tick);
        }
        CandlesAnswer {
            symbol: "A".to_owned(),
            interval: "1s".to_owned(),
            cursor: format!("e-{}", ticks.len()).parse().unwrap(),
            candles: candles.range(range.start, range.end, 3),
            breaks: Vec::new(),
        }
    }

    fn series() -> Series {
        Series::new(SeriesKey {
            symbol: "A".to_owned(),
            interval: Interval::S1,
        })
    }

    /// Each trade counts once, whenever the answer arrives and whatever it
    /// contains.
    #[test]
    fn history_and_ticks_join_once() {
        let ticks: Vec<Trade> = (1..=20)
            .zip([5, 3, 8, 8, 2].into_iter().cycle())
            .map(|(s, p)| trade(s, p))
            .collect();
        let whole = answer(&ticks, Time::EPOCH..Time::MAX).candles;
        for known in 8..20 {
            for asked in 0..=known {
                for answered in asked..20 {
                    let mut series = series();
                    let want = series.begin(1);
                    ticks[asked..answered]
                        .iter()
                        .for_each(|tick| series.apply(tick));
                    let early = answer(&ticks[..known], Time::EPOCH..Time::MAX);
                    // The stream can be ahead of the answer, or behind it.
                    assert_eq!(series.answer(&want, &early), None);
                    ticks[answered..].iter().for_each(|tick| series.apply(tick));
                    let newest = &series.bars[series.bars.len() - 3..];
                    let expect: Vec<Bar> = whole.iter().map(bar_of).collect();
                    assert_eq!(newest, expect, "{asked} {known} {answered}");
                }
            }
        }
    }

    #[test]
    fn older_bars_come_in_front_until_there_are_none() {
        let ticks: Vec<Trade> = (1..=20).map(|s| trade(s, 5)).collect();
        let mut series = series();
        let want = series.begin(1);
        assert!(
            series.want_older().is_none(),
            "not before the newest are there"
        );
        series.answer(&want, &answer(&ticks, Time::EPOCH..Time::MAX));
        let mut asked = 0;
        while let Some(want) = series.want_older() {
            assert!(series.want_older().is_none(), "asked for once");
            assert!(series.waits_for(&want));
            series.answer(&want, &answer(&ticks, Time::EPOCH..want.to.unwrap()));
            asked += 1;
        }
        assert_eq!(asked, 4);
        assert_eq!(series.bars.len(), 11);
        assert!(series.bars.windows(2).all(|w| w[0].time < w[1].time));
    }

    #[test]
    fn memory_is_bounded() {
        let mut series = series();
        let want = series.begin(1);
        (1..=WAITING_MAX as u64 + 5).for_each(|seq| series.apply(&trade(seq, 1)));
        let again = series.answer(&want, &answer(&[], Time::EPOCH..Time::MAX));
        let again = again.expect("too much came meanwhile");
        assert!(series.waits_for(&again));
        series.answer(&again, &answer(&[], Time::EPOCH..Time::MAX));
        (1..=2 * BARS_MAX as u64 + 10).for_each(|seq| series.apply(&trade(2 * seq, 1)));
        assert!(series.bars.len() <= BARS_MAX);
    }
}
