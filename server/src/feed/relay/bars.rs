//! The candles that the mirrored server has of before.

use std::sync::{Arc, PoisonError, RwLock};

use futures_util::future::BoxFuture;
use shared::{Candle, Checkpoint, Interval, NewestBars, Time};

use super::calls::Calls;
use crate::feed::OlderError;
use crate::feed::older::Pages;

/// So many candles are asked for at once.
const PAGE_BARS: usize = 1_000;

/// The candles that the mirrored server has of before the first that are known here.
#[derive(Debug)]
pub(super) struct UpstreamBars {
    calls: Arc<Calls>,
    symbols: Vec<String>,
    /// The start of the first bar that is known here; of each instrument and interval.
    first: RwLock<Vec<[Option<Time>; Interval::ALL.len()]>>,
}

fn starts(bars: &NewestBars) -> [Option<Time>; Interval::ALL.len()] {
    bars.each_ref().map(|bar| bar.as_ref().map(|bar| bar.time))
}

impl UpstreamBars {
    pub(super) fn new(calls: Arc<Calls>, checkpoint: &Checkpoint) -> Self {
        let symbols = checkpoint.instruments.iter();
        Self {
            calls,
            symbols: symbols.map(|known| known.symbol.clone()).collect(),
            first: RwLock::new(checkpoint.bars.iter().map(starts).collect()),
        }
    }

    /// Of this instrument, these are the only ones that are known here now.
    pub(super) fn begin(&self, instrument: usize, bars: &NewestBars) {
        let mut first = self.first.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = first.get_mut(instrument) {
            *first = starts(bars);
        }
    }
}

impl Pages for Arc<UpstreamBars> {
    fn end(&self, instrument: usize, interval: Interval) -> Option<Time> {
        let first = self.first.read().unwrap_or_else(PoisonError::into_inner);
        first.get(instrument)?[interval as usize]
    }

    fn page(
        &self,
        instrument: usize,
        interval: Interval,
        before: Time,
    ) -> BoxFuture<'_, Result<Vec<Candle>, OlderError>> {
        Box::pin(async move {
            let Some(symbol) = self.symbols.get(instrument) else {
                return Ok(Vec::new());
            };
            let query: String = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("symbol", symbol)
                .append_pair("interval", interval.name())
                .append_pair("to", &before.micros().to_string())
                .append_pair("limit", &PAGE_BARS.to_string())
                .finish();
            let answer = self.calls.candles(&query).await;
            let answer = answer.map_err(|error| OlderError(error.to_string()))?;
            let mut candles = answer.candles;
            candles.retain(|bar| bar.time < before);
            Ok(candles)
        })
    }
}
