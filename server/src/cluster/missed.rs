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
/// So many newest candles are taken over of a series of which there are none.
const FIRST_BARS: usize = 1_000;

/// What a server that joins has missed.
pub(crate) struct Missed {
    /// The leader's candles.
    pub(super) older: Arc<dyn Older>,
    /// Of which series the newest ones are taken over if this server has none.
    pub(super) new: Vec<Interval>,
}

impl Missed {
    /// Adds to each series, which ends where the log is gone on with, the candles between
    /// that and what is stored; of one that is not stored, the newest ones. The newest
    /// stored one is replaced: it may have been open when this server ended. Returns
    /// whether all are there.
    pub(crate) async fn fill(self, stored: &[NewestTimes], all: &mut [PastCandles]) -> bool {
        let filling = fill(&*self.older, stored, &self.new, all);
        let late = |_| Err(OlderError("they take too long".to_owned()));
        let filled = timeout(PATIENCE, filling).await.unwrap_or_else(late);
        if let Err(why) = &filled {
            tracing::warn!("candles of while this server was away are missing: {why}");
        }
        filled.is_ok()
    }
}

async fn fill(
    older: &dyn Older,
    stored: &[NewestTimes],
    new: &[Interval],
    all: &mut [PastCandles],
) -> Result<(), OlderError> {
    let room = candle_room(all.len());
    let mut is_whole = true;
    for (instrument, candles) in all.iter_mut().enumerate() {
        let stored = stored.get(instrument).copied().unwrap_or_default();
        for (interval, bars) in Interval::ALL.into_iter().zip(candles) {
            let Some(end) = bars.last().map(|bar| bar.time) else {
                continue;
            };
            let newest = stored[interval as usize];
            let count = match newest {
                Some(newest) => between(interval, newest, end),
                None if new.contains(&interval) => FIRST_BARS,
                None => continue,
            };
            // The first stored one and the newest have a place already.
            let limit = count.min(room.saturating_sub(bars.len()));
            let series = (instrument, interval);
            let found = before(older, series, newest, end, limit).await?;
            if let Some(newest) = newest {
                let reaches_it = found.first().is_none_or(|bar| bar.time <= newest);
                is_whole &= limit == count || reaches_it;
            }
            put(bars, found);
        }
    }
    let more = || OlderError("there are more than memory has room for".to_owned());
    is_whole.then_some(()).ok_or_else(more)
}

/// How many candles there can be from one time to another.
fn between(interval: Interval, from: Time, to: Time) -> usize {
    usize::try_from((to - from).micros() / interval.span().micros()).unwrap_or(0)
}

/// The newest `limit` candles of a series that begin before `end`, oldest first; not
/// before `from`, if that is given.
async fn before(
    older: &dyn Older,
    (instrument, interval): (usize, Interval),
    from: Option<Time>,
    end: Time,
    limit: usize,
) -> Result<Vec<Candle>, OlderError> {
    let mut found: Vec<Candle> = Vec::new();
    while found.len() < limit {
        let first = found.first().map_or(end, |bar| bar.time);
        let left = limit - found.len();
        let mut more = older.before(instrument, interval, first, left).await?;
        let is_last = more.first().is_none_or(|bar| Some(bar.time) <= from);
        more.retain(|bar| Some(bar.time) >= from && bar.time < first);
        found.splice(0..0, more);
        if is_last {
            break;
        }
    }
    Ok(found)
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
            // It gives two at once.
            let skip = all.len().saturating_sub(limit.min(2));
            async move { Ok(all.into_iter().skip(skip).collect()) }.boxed()
        }
    }

    fn filled(stored: Option<i64>, bars: &[i64], new: &[Interval]) -> Vec<(i64, i64)> {
        let mut past = PastCandles::default();
        past[0] = bars.iter().map(|second| bar(*second, 1)).collect();
        let mut until = NewestTimes::default();
        until[0] = stored.map(|second| bar(second, 1).time);
        let mut all = [past];
        let stored = [until];
        let filling = fill(&Another, &stored, new, &mut all);
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
        assert_eq!(filled(Some(1), &[1, 6], &[]), between);
        // The stored one is in the file, and its place is there all the same.
        assert_eq!(filled(Some(5), &[5, 6], &[]), [(5, 7), (6, 1)]);
        // It was not away.
        assert_eq!(filled(Some(6), &[6], &[Interval::S1]), [(6, 1)]);
        assert_eq!(filled(Some(8), &[6], &[Interval::S1]), [(6, 1)]);
        // Nothing is stored.
        assert_eq!(
            filled(None, &[3], &[Interval::S1]),
            [(0, 7), (1, 7), (2, 7), (3, 1)]
        );
        assert_eq!(filled(None, &[6], &[Interval::M1]), [(6, 1)]);
        assert_eq!(filled(None, &[], &[Interval::S1]), []);
    }
}
