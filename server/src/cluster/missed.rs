//! Candles that came while a server was away, and that the leader has.

use std::sync::Arc;
use std::time::Duration;

use shared::{Candle, Interval, Time};
use tokio::time::timeout;

use crate::feed::{Older, OlderError, PastCandles};
use crate::kept::candle_room;
use crate::market::NewestTimes;

/// What has not come after this time is left out.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a server that joins has missed.
pub(crate) struct Missed {
    /// The leader's candles.
    pub(super) older: Arc<dyn Older>,
    /// How many are taken over of a series of which this server has none.
    pub(super) first: usize,
}

impl Missed {
    /// Adds to each series, which ends where the log is gone on with, the candles between
    /// that and what is stored; of one that is not stored, the newest ones. The newest
    /// stored one is replaced: it may have been open when this server ended.
    pub(crate) async fn fill(self, stored: &[NewestTimes], all: &mut [PastCandles]) {
        let filling = fill(&*self.older, stored, self.first, all);
        let late = |_| Err(OlderError("they take too long".to_owned()));
        if let Err(why) = timeout(PATIENCE, filling).await.unwrap_or_else(late) {
            tracing::warn!("candles of while this server was away are missing: {why}");
        }
    }
}

async fn fill(
    older: &dyn Older,
    stored: &[NewestTimes],
    first: usize,
    all: &mut [PastCandles],
) -> Result<(), OlderError> {
    let room = candle_room(all.len());
    for (instrument, candles) in all.iter_mut().enumerate() {
        let stored = stored.get(instrument).copied().unwrap_or_default();
        for (interval, bars) in Interval::ALL.into_iter().zip(candles) {
            let Some((from, count)) = wanted(interval, bars, stored[interval as usize], first)
            else {
                continue;
            };
            // The first stored one and the newest have a place already.
            let limit = count.min(room.saturating_sub(bars.len()));
            let end = bars.last().map_or(Time::MAX, |bar| bar.time);
            let mut found = older.before(instrument, interval, end, limit).await?;
            found.retain(|bar| (from..end).contains(&bar.time));
            put(bars, found);
        }
    }
    Ok(())
}

/// From when on candles are wanted, and how many there can be.
fn wanted(
    interval: Interval,
    bars: &[Candle],
    stored: Option<Time>,
    first: usize,
) -> Option<(Time, usize)> {
    let end = bars.last()?.time;
    let Some(stored) = stored else {
        return (first > 0).then_some((Time::MIN, first));
    };
    let spans = (end - stored).micros() / interval.span().micros();
    let count = usize::try_from(spans).ok().filter(|count| *count > 0)?;
    Some((stored, count))
}

/// Puts candles before the newest one, instead of those of the same time.
fn put(bars: &mut Vec<Candle>, found: Vec<Candle>) {
    let (Some(first), Some(newest)) = (found.first(), bars.len().checked_sub(1)) else {
        return;
    };
    let begin = bars[..newest].partition_point(|bar| bar.time < first.time);
    bars.splice(begin..newest, found);
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;
    use shared::{Decimal, Span};

    use super::*;

    /// Has a candle for each second but the third, whose volumes say so.
    #[derive(Debug)]
    struct Another;

    fn bar(second: i64, volume: i64) -> Candle {
        let time = Time::EPOCH + Span::from_seconds(second);
        Candle::open(time, Decimal::ONE, volume.into())
    }

    impl Older for Another {
        fn until(&self) -> Time {
            Time::MIN
        }

        fn before(
            &self,
            _: usize,
            interval: Interval,
            first: Time,
            limit: usize,
        ) -> BoxFuture<'_, Result<Vec<Candle>, OlderError>> {
            let end = (first - Time::EPOCH).whole_seconds();
            let has = |second: &i64| *second != 3 && interval == Interval::S1;
            let all: Vec<_> = (0..end).filter(has).map(|second| bar(second, 7)).collect();
            let skip = all.len().saturating_sub(limit);
            async move { Ok(all.into_iter().skip(skip).collect()) }.boxed()
        }
    }

    fn filled(stored: Option<i64>, bars: &[i64], first: usize) -> Vec<(i64, i64)> {
        let mut past = PastCandles::default();
        past[0] = bars.iter().map(|second| bar(*second, 1)).collect();
        let mut until = NewestTimes::default();
        until[0] = stored.map(|second| bar(second, 1).time);
        let mut all = [past];
        let stored = [until];
        let filling = fill(&Another, &stored, first, &mut all);
        filling.now_or_never().unwrap().unwrap();
        let seconds = |bar: &Candle| {
            let volume = bar.volume.to_string().parse().unwrap();
            ((bar.time - Time::EPOCH).whole_seconds(), volume)
        };
        all[0][0].iter().map(seconds).collect()
    }

    #[tokio::test]
    async fn what_came_while_it_was_away_is_between_what_is_stored_and_where_it_goes_on() {
        let between = [(1, 7), (2, 7), (4, 7), (5, 7), (6, 1)];
        assert_eq!(filled(Some(1), &[1, 6], 0), between);
        // The stored one is in the file, and its place is there all the same.
        assert_eq!(filled(Some(5), &[5, 6], 0), [(5, 7), (6, 1)]);
        // It was not away.
        assert_eq!(filled(Some(6), &[6], 9), [(6, 1)]);
        assert_eq!(filled(Some(8), &[6], 9), [(6, 1)]);
        // Nothing is stored.
        assert_eq!(filled(None, &[6], 2), [(4, 7), (5, 7), (6, 1)]);
        assert_eq!(filled(None, &[6], 0), [(6, 1)]);
        assert_eq!(filled(None, &[], 2), []);
    }
}
