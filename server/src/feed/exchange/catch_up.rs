//! What a venue is asked for: the past of a market until now, and trades that are
//! missing.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use shared::{Candle, Interval, Span, Time};

use super::join::joined;
use super::rest::{CallError, Calls};
use crate::clock;
use crate::feed::older::Pages;
use crate::feed::{OlderError, PastCandles};
use tokio::time::sleep;
use venues::{Listed, Malformed, Paging, TradePage, Venue, VenueTrade, Wanted};

/// At most so many pages of trades are asked for at once.
const PAGES_MAX: usize = 60;
/// At most so many pages of bars are asked for, to close what is missing since an
/// earlier run.
const BAR_PAGES_MAX: usize = 20;
/// A venue's times of one trade may differ by so much from call to message.
const MARGIN: Span = Span::from_micros(2_000_000);

/// Whom to ask about what.
#[derive(Debug)]
pub(super) struct Ask {
    calls: Arc<Calls>,
    market: Listed,
    /// Whether it was asked about this market before.
    has_asked: AtomicBool,
}

/// Whom to ask about each instrument.
#[derive(Debug)]
pub(super) struct Asks(pub(super) Vec<Ask>);

impl Pages for Asks {
    fn end(&self, _: usize, _: Interval) -> Option<Time> {
        // Later ones are here, or not closed yet.
        Some(clock::now())
    }

    fn page(
        &self,
        instrument: usize,
        interval: Interval,
        before: Time,
    ) -> BoxFuture<'_, Result<Vec<Candle>, OlderError>> {
        Box::pin(async move {
            let Some(ask) = self.0.get(instrument) else {
                return Ok(Vec::new());
            };
            let bars = ask.bars(interval, before).await;
            bars.map_err(|error| OlderError(error.to_string()))
        })
    }
}

/// The past of a market, and the trades that follow it without a gap.
#[derive(Clone, Debug, Default)]
pub(super) struct Beginning {
    pub(super) candles: PastCandles,
    /// Oldest first; the newest is the newest that there was.
    pub(super) trades: Vec<VenueTrade>,
    /// The identifier that follows the past; `None` if nothing was ever traded.
    pub(super) next: Option<u64>,
}

/// Trades that were asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// Oldest first.
    pub(super) trades: Vec<VenueTrade>,
    /// Whether the venue gave all that it has from the first to the last: what is
    /// missing here does not exist.
    pub(super) is_all: bool,
}

impl Ask {
    pub(super) fn new(calls: Arc<Calls>, market: Listed) -> Self {
        Self {
            calls,
            market,
            has_asked: AtomicBool::new(false),
        }
    }

    /// The market's past. Bars are the venue's own up to one that may be incomplete;
    /// from there on they are made of trades, so that no volume counts twice. Trades
    /// that are older than `since` are in the bars only.
    pub(super) async fn beginning(&self, since: Option<Time>) -> Result<Beginning, CallError> {
        let newest = self.page(&Wanted::Newest).await?;
        let Some(last) = newest.trades.last().cloned() else {
            return Ok(Beginning::default());
        };
        let end = Interval::M1.start_of(last.time) + Interval::M1.span();
        let mut minutes = self.bars_since(Interval::M1, end, since).await?;
        // The newest may be behind, and incomplete.
        let open = minutes.last().map(|bar| bar.time);
        let start = open.map_or(last.time, |open| open.min(last.time));
        let start = Interval::M1.start_of(start);
        minutes.retain(|bar| bar.time < start);
        let hours = self.bars_since(Interval::H1, end, since).await?;
        let days = self.bars_since(Interval::D1, end, None).await?;
        let mut trades = self.since(start, newest).await?;
        trades.retain(|trade| trade.time >= start);
        let since = since.unwrap_or(start);
        let shown = trades.partition_point(|trade| trade.time < since);
        let in_bars: Vec<_> = trades.drain(..shown).collect();
        let first = trades.first().map(|trade| *trade.ids.start());
        Ok(Beginning {
            candles: joined([minutes, hours, days], start, &in_bars),
            next: Some(first.unwrap_or_else(|| last.ids.end().saturating_add(1))),
            trades,
        })
    }

    /// All trades from this time to the newest page.
    async fn since(&self, start: Time, newest: TradePage) -> Result<Vec<VenueTrade>, CallError> {
        let (mut mark, mut trades) = (newest.mark, newest.trades);
        for _ in 0..PAGES_MAX {
            let Some(first) = trades.first().cloned() else {
                break;
            };
            if first.time < start - MARGIN || *first.ids.start() == 0 {
                return Ok(trades);
            }
            let older = match self.venue().paging() {
                Paging::Forwards => {
                    let before = first.ids.start() - 1;
                    let found = self.forwards(start - MARGIN, &(0..=before)).await?;
                    let last = found.trades.last();
                    if last.is_none_or(|last| *last.ids.end() < before) {
                        break;
                    }
                    return Ok(merged(found.trades, trades));
                }
                Paging::Backwards => match mark {
                    Some(mark) => self.page(&Wanted::Before(mark)).await?,
                    None => return Ok(trades),
                },
            };
            if older.trades.is_empty() {
                return Ok(trades);
            }
            mark = older.mark;
            trades = merged(older.trades, trades);
        }
        Err(CallError::Incomplete)
    }

    /// The newest trades.
    pub(super) async fn newest(&self) -> Result<Vec<VenueTrade>, CallError> {
        Ok(self.page(&Wanted::Newest).await?.trades)
    }

    /// The trades of these identifiers, not before `from`.
    pub(super) async fn trades(
        &self,
        from: Time,
        ids: &RangeInclusive<u64>,
    ) -> Result<Found, CallError> {
        let mut found = match self.venue().paging() {
            Paging::Forwards => self.forwards(from - MARGIN, ids).await?,
            Paging::Backwards => self.backwards(ids).await?,
        };
        found
            .trades
            .retain(|trade| trade.ids.end() >= ids.start() && trade.ids.start() <= ids.end());
        Ok(found)
    }

    async fn forwards(&self, from: Time, ids: &RangeInclusive<u64>) -> Result<Found, CallError> {
        let (mut from, mut found) = (from, Found::default());
        for _ in 0..PAGES_MAX {
            let page = self.page(&Wanted::After(from)).await?;
            let (Some(first), Some(last)) = (page.trades.first(), page.trades.last()) else {
                break;
            };
            let begins = found.trades.first().unwrap_or(first).ids.start() <= ids.start();
            let reaches = last.ids.end() >= ids.end();
            let is_same = last.time == from;
            from = last.time;
            found.is_all = begins && reaches;
            found.trades = merged(found.trades, page.trades);
            if reaches || is_same {
                break;
            }
        }
        Ok(found)
    }

    async fn backwards(&self, ids: &RangeInclusive<u64>) -> Result<Found, CallError> {
        let (mut wanted, mut found) = (Wanted::UpTo(*ids.end()), Found::default());
        for _ in 0..PAGES_MAX {
            let page = self.page(&wanted).await?;
            let first = page.trades.first();
            // If there is none, there is nothing older.
            let begins = first.is_none_or(|first| first.ids.start() <= ids.start());
            found.trades = merged(page.trades, found.trades);
            let last = found.trades.last();
            let reaches = last.is_some_and(|last| last.ids.end() >= ids.end());
            found.is_all = begins && reaches;
            match page.mark {
                Some(mark) if !begins => wanted = Wanted::Before(mark),
                _ => break,
            }
        }
        Ok(found)
    }

    async fn page(&self, wanted: &Wanted) -> Result<TradePage, CallError> {
        let path = self.venue().trades(&self.market, wanted);
        self.call(&path, |venue, body| venue.parse_trades(body))
            .await
    }

    /// The venue's bars before `end`, at least one page of them, and as far back as
    /// `since` if that is given.
    async fn bars_since(
        &self,
        interval: Interval,
        end: Time,
        since: Option<Time>,
    ) -> Result<Vec<Candle>, CallError> {
        let mut bars = self.bars(interval, end).await?;
        for _ in 1..BAR_PAGES_MAX {
            let first = bars.first().map(|first| first.time);
            let Some(first) = first.filter(|first| since.is_some_and(|since| *first > since))
            else {
                break;
            };
            let mut older = self.bars(interval, first).await?;
            if older.is_empty() {
                break;
            }
            older.append(&mut bars);
            bars = older;
        }
        Ok(bars)
    }

    /// The venue's newest bars that begin before a time, oldest first; none if it has
    /// none of this length. The newest may be open.
    pub(super) async fn bars(
        &self,
        interval: Interval,
        before: Time,
    ) -> Result<Vec<Candle>, CallError> {
        let Some(path) = self.venue().candles(&self.market, interval, Some(before)) else {
            return Ok(Vec::new());
        };
        let bars = self.call(&path, |venue, body| venue.parse_candles(body));
        let mut bars = bars.await?;
        bars.retain(|bar| bar.time < before);
        Ok(bars)
    }

    fn venue(&self) -> &'static dyn Venue {
        self.calls.venue()
    }

    async fn call<T>(
        &self,
        path: &str,
        parse: impl FnOnce(&dyn Venue, &str) -> Result<T, Malformed>,
    ) -> Result<T, CallError> {
        if self.has_asked.swap(true, Ordering::Relaxed) {
            sleep(self.venue().market_gap()).await;
        }
        self.calls.ask(path, parse).await
    }
}

/// Pages of trades as one: they may overlap.
fn merged(older: Vec<VenueTrade>, newer: Vec<VenueTrade>) -> Vec<VenueTrade> {
    let mut all = older;
    all.extend(newer);
    all.sort_by_key(|trade| *trade.ids.start());
    all.dedup_by_key(|trade| *trade.ids.start());
    all
}
