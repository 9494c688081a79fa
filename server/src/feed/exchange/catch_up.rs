//! What a venue is asked for: the past of a market until now, and trades that are
//! missing.

use std::ops::RangeInclusive;
use std::sync::Arc;

use shared::{Candle, Candles, Interval, Span, Time};

use super::rest::{CallError, Calls};
use crate::feed::PastCandles;
use venues::{Listed, Malformed, Paging, Venue, VenueTrade, Wanted};

/// At most so many pages of trades are asked for at once.
const PAGES_MAX: usize = 60;
/// Bars are asked for of these lengths; the others are sums of them.
const ASKED: [Interval; 3] = [Interval::M1, Interval::H1, Interval::D1];

/// Whom to ask about what.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) venue: &'static dyn Venue,
    pub(super) calls: Arc<Calls>,
    pub(super) market: Listed,
}

/// The past of a market, and the trades that follow it without a gap.
#[derive(Clone, Debug, Default)]
pub(super) struct Beginning {
    pub(super) candles: PastCandles,
    /// Oldest first; the newest is the newest that there was.
    pub(super) trades: Vec<VenueTrade>,
}

/// Trades that were asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    /// Oldest first.
    pub(super) trades: Vec<VenueTrade>,
    /// Whether the venue knows later ones, too: what is missing here does not exist.
    pub(super) is_all: bool,
}

impl Ask {
    /// The market's past. Bars are the venue's own up to the minute of the newest
    /// trade; from there on they are made of trades, so that no volume counts twice.
    /// Of that minute, trades that are older than `since` are in the bars only.
    pub(super) async fn beginning(&self, since: Option<Time>) -> Result<Beginning, CallError> {
        let mut trades = self.page(&Wanted::Newest).await?;
        let Some((first, last)) = trades.first().zip(trades.last()) else {
            return Ok(Beginning::default());
        };
        let minute = Interval::M1.start_of(last.time);
        if let Some(before) = first.ids.start().checked_sub(1)
            && first.time >= minute
        {
            let older = self.trades(minute, &(0..=before)).await?.trades;
            trades.splice(0..0, older);
        }
        trades.retain(|trade| trade.time >= minute);
        let mut bars = [Vec::new(), Vec::new(), Vec::new()];
        for (interval, bars) in ASKED.into_iter().zip(&mut bars) {
            *bars = self.bars(interval, None).await?;
            bars.retain(|bar| bar.time < interval.start_of(minute));
        }
        let since = since.unwrap_or(minute);
        let shown = trades.partition_point(|trade| trade.time < since);
        let in_bars: Vec<_> = trades.drain(..shown).collect();
        let candles = joined(bars, minute, &in_bars);
        Ok(Beginning { candles, trades })
    }

    /// The newest trades.
    pub(super) async fn newest(&self) -> Result<Page, CallError> {
        let trades = self.page(&Wanted::Newest).await?;
        Ok(Page {
            trades,
            is_all: true,
        })
    }

    /// The trades of these identifiers, not before `from`.
    pub(super) async fn trades(
        &self,
        from: Time,
        ids: &RangeInclusive<u64>,
    ) -> Result<Page, CallError> {
        let (mut from, mut end) = (from, *ids.end());
        let (mut trades, mut reaches, mut is_all) = (Vec::new(), false, false);
        for _ in 0..PAGES_MAX {
            let wanted = Wanted::Range(from, *ids.start()..=end);
            let page = self.page(&wanted).await?;
            let Some((first, last)) = page.first().zip(page.last()) else {
                // Going backwards, there is nothing older.
                is_all = reaches;
                break;
            };
            reaches |= last.ids.end() >= ids.end();
            let is_over = match self.venue.paging() {
                Paging::Forwards => {
                    let is_same = last.time == from;
                    from = last.time;
                    reaches || is_same
                }
                Paging::Backwards => {
                    end = first.ids.start().saturating_sub(1);
                    first.ids.start() <= ids.start() || first.time < from
                }
            };
            let is_asked = |trade: &VenueTrade| {
                trade.ids.end() >= ids.start() && trade.ids.start() <= ids.end()
            };
            trades.extend(page.into_iter().filter(is_asked));
            if is_over {
                is_all = reaches;
                break;
            }
        }
        // Pages overlap, and may go backwards.
        trades.sort_by_key(|trade| *trade.ids.start());
        trades.dedup_by_key(|trade| *trade.ids.start());
        Ok(Page { trades, is_all })
    }

    async fn page(&self, wanted: &Wanted) -> Result<Vec<VenueTrade>, CallError> {
        let body = self
            .calls
            .get(&self.venue.trades(&self.market, wanted))
            .await?;
        self.parsed(self.venue.parse_trades(&body))
    }

    /// The venue's bars before a time, or its newest, oldest first; none if it has
    /// none of this length. The newest may be open.
    pub(super) async fn bars(
        &self,
        interval: Interval,
        before: Option<Time>,
    ) -> Result<Vec<Candle>, CallError> {
        let Some(path) = self.venue.candles(&self.market, interval, before) else {
            return Ok(Vec::new());
        };
        let body = self.calls.get(&path).await?;
        let mut bars = self.parsed(self.venue.parse_candles(&body))?;
        bars.retain(|bar| before.is_none_or(|before| bar.time < before));
        Ok(bars)
    }

    fn parsed<T>(&self, parsed: Result<T, Malformed>) -> Result<T, CallError> {
        parsed.map_err(|error| {
            let is_limit = self.venue.is_limit(&error.0);
            if is_limit {
                self.calls.rest_a_while();
                return CallError::Limited;
            }
            CallError::Malformed(error.0)
        })
    }
}

/// The past of all intervals: bars of a minute, an hour and a day that ended before
/// those that `minute` lies in, and trades from `minute` on.
fn joined(
    [minutes, hours, days]: [Vec<Candle>; 3],
    minute: Time,
    trades: &[VenueTrade],
) -> PastCandles {
    let all = |bars: &[Candle], interval| sums(bars, interval, Time::MIN);
    let hour = Interval::H1.start_of(minute);
    let day = Interval::D1.start_of(minute);
    let running_hour = sums(&minutes, Interval::H1, hour);
    let hours: Vec<_> = hours.into_iter().chain(running_hour).collect();
    let running_day = sums(&hours, Interval::D1, day);
    let days: Vec<_> = days.into_iter().chain(running_day).collect();
    let past = [
        Vec::new(),
        Vec::new(),
        minutes.clone(),
        whole(all(&minutes, Interval::M5), &minutes),
        whole(all(&minutes, Interval::M15), &minutes),
        hours,
        days,
    ];
    let mut past = past.into_iter().zip(Interval::ALL);
    std::array::from_fn(|_| {
        let (bars, interval) = past.next().unwrap_or((Vec::new(), Interval::S1));
        let mut candles = Candles::new(interval, bars.len() + trades.len());
        bars.into_iter().for_each(|bar| candles.resume(bar));
        for trade in trades {
            candles.trade(trade.time, trade.price, trade.qty);
        }
        candles.into_vec()
    })
}

/// The bars of this interval that these shorter ones make, from `from` on.
fn sums(bars: &[Candle], interval: Interval, from: Time) -> Vec<Candle> {
    let mut sums: Vec<Candle> = Vec::new();
    for bar in bars.iter().filter(|bar| bar.time >= from) {
        let start = interval.start_of(bar.time);
        match sums.last_mut() {
            Some(sum) if sum.time == start => sum.join(bar),
            _ => sums.push(Candle {
                time: start,
                ..bar.clone()
            }),
        }
    }
    sums
}

/// The sums without the first, if not all of its parts are there.
fn whole(mut sums: Vec<Candle>, of: &[Candle]) -> Vec<Candle> {
    if let (Some(sum), Some(part)) = (sums.first(), of.first())
        && sum.time < part.time
    {
        sums.remove(0);
    }
    sums
}

/// The time from which trades may be shown, where a bar of a second that begins at
/// this time is known.
pub(super) fn after_second(newest: Time) -> Time {
    Interval::S1.start_of(newest) + Span::SECOND
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Decimal, Side};

    fn bar(minute: i64, price: i64) -> Candle {
        Candle::open(
            Time::EPOCH + Interval::M1.span() * minute,
            price.into(),
            Decimal::ONE,
        )
    }

    #[test]
    fn bars_and_trades_meet_without_a_gap_and_count_once() {
        // From 22:58 to 02:03 of the next day, a bar of each minute.
        let first = 22 * 60 + 58;
        let now = (24 + 2) * 60 + 3;
        let minutes: Vec<_> = (first..now).map(|minute| bar(minute, minute)).collect();
        let hours = sums(&minutes[2..], Interval::H1, Time::MIN);
        let hours = hours.into_iter().take(3).collect();
        let minute = Time::EPOCH + Interval::M1.span() * now;
        let trade = |second: i64, price: i64| VenueTrade {
            ids: 1..=1,
            time: minute + Span::SECOND * second,
            price: price.into(),
            qty: Decimal::TWO,
            side: Side::Buy,
        };
        let trades = [trade(0, 9_000), trade(1, 3), trade(1, 4)];
        let past = joined([minutes, hours, Vec::new()], minute, &trades);
        let newest = |interval: Interval| past[interval as usize].last().cloned().unwrap();
        let volume = |minutes: i64| Decimal::from(minutes + 6);
        assert_eq!(newest(Interval::S1).volume, 4.into());
        assert_eq!(newest(Interval::S5).volume, 6.into());
        assert_eq!(newest(Interval::M1).volume, volume(0));
        assert_eq!(newest(Interval::M5).volume, volume(3));
        assert_eq!(newest(Interval::H1).volume, volume(3));
        let day = newest(Interval::D1);
        assert_eq!((day.volume, day.open), (volume(123), (24 * 60).into()));
        assert_eq!(
            (day.high, day.low, day.close),
            (9_000.into(), 3.into(), 4.into())
        );
        // The first five minutes are not whole.
        assert_eq!(past[Interval::M5 as usize][0].time, bar(23 * 60, 0).time);
        assert_eq!(past[Interval::M15 as usize].len(), 13);
    }
}
