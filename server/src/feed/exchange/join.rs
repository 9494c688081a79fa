//! Joins a venue's bars and trades, so that no volume is missing and none counts twice.

use shared::{Candle, Candles, Interval, Time};
use venues::VenueTrade;

use crate::feed::PastCandles;

/// The past of all intervals: the venue's bars of a minute that begin before `start`,
/// of an hour and of a day, and the trades from `start` on. Wherever shorter bars are
/// there for the whole of a longer one, it is their sum: venues are behind with some.
pub(super) fn joined(
    [minutes, hours, days]: [Vec<Candle>; 3],
    start: Time,
    trades: &[VenueTrade],
) -> PastCandles {
    let whole = |bars: &[Candle], interval| whole(bars, interval, start);
    let hours = with_sums(
        hours,
        Interval::H1.start_of(start),
        whole(&minutes, Interval::H1),
    );
    let days = with_sums(
        days,
        Interval::D1.start_of(start),
        whole(&hours, Interval::D1),
    );
    let past = [
        Vec::new(),
        Vec::new(),
        minutes.clone(),
        whole(&minutes, Interval::M5),
        whole(&minutes, Interval::M15),
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

/// Bars, and in place of that which is `running`, those of the same time and all later
/// ones, sums.
fn with_sums(mut bars: Vec<Candle>, running: Time, sums: Vec<Candle>) -> Vec<Candle> {
    let first = sums
        .first()
        .map_or(running, |first| first.time.min(running));
    bars.retain(|bar| bar.time < first);
    bars.extend(sums);
    bars
}

/// The sums of shorter bars, from the first of which all parts may be there. Of that
/// which runs at `now` all are there: a page of shorter bars is longer than that.
fn whole(bars: &[Candle], interval: Interval, now: Time) -> Vec<Candle> {
    let Some(first) = bars.first() else {
        return Vec::new();
    };
    let start = interval.start_of(first.time);
    let from = match start == first.time {
        true => start,
        false => start + interval.span(),
    };
    sums(bars, interval, from.min(interval.start_of(now)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Decimal, Side, Span};

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
        // The venue is behind with the newest hour, and with the day.
        let hour = |hour: i64| bar(60 * hour, 1);
        let hours = vec![hour(21), hour(22), hour(25)];
        let days = vec![bar(-24 * 60, 7), bar(0, 7)];
        let minute = Time::EPOCH + Interval::M1.span() * now;
        let trade = |second: i64, price: i64| VenueTrade {
            ids: 1..=1,
            time: minute + Span::SECOND * second,
            price: price.into(),
            qty: Decimal::TWO,
            side: Side::Buy,
        };
        let trades = [trade(0, 9_000), trade(1, 3), trade(1, 4)];
        let past = joined([minutes, hours, days], minute, &trades);
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
        let volumes = past[Interval::H1 as usize].iter().map(|bar| bar.volume);
        let expect = [1, 1, 60, 60, 60, 9].map(Decimal::from);
        assert!(volumes.eq(expect));
        // The first five minutes are not whole.
        assert_eq!(past[Interval::M5 as usize][0].time, bar(23 * 60, 0).time);
        assert_eq!(past[Interval::M15 as usize].len(), 13);
    }
}
