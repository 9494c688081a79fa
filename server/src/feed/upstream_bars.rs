//! The candles that the server has of before whose log is shown here.

use std::sync::Arc;

use axum::http::Request;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use shared::{Candle, CandlesAnswer, Checkpoint, Interval, Time, routes};

use super::older::Pages;
use super::{OlderError, Upstream};

/// So many candles are asked for at once.
const PAGE_BARS: usize = 1_000;

/// The candles that another server has of before the first that are known here.
#[derive(Debug)]
pub(crate) struct UpstreamBars {
    upstream: Arc<dyn Upstream>,
    symbols: Vec<String>,
}

impl UpstreamBars {
    /// Of a server that begins at this checkpoint; without one, there are none of before.
    pub(crate) fn new(upstream: Arc<dyn Upstream>, checkpoint: Option<&Checkpoint>) -> Self {
        let symbols = checkpoint.iter().flat_map(|at| &at.instruments);
        Self {
            upstream,
            symbols: symbols.map(|known| known.symbol.clone()).collect(),
        }
    }

    async fn ask(&self, query: &str) -> Result<CandlesAnswer, String> {
        let request = Request::get(format!("/{}?{query}", routes::CANDLES));
        let request = request
            .body(Bytes::new())
            .map_err(|error| error.to_string())?;
        let answer = self.upstream.pass(request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("it answered {}", answer.status()));
        }
        serde_json::from_slice(answer.body()).map_err(|error| error.to_string())
    }
}

impl Pages for Arc<UpstreamBars> {
    fn end(&self, _: usize, _: Interval) -> Option<Time> {
        // Those in memory follow without a gap: whoever asks says where they begin.
        Some(Time::MAX)
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
            let mut candles = self.ask(&query).await.map_err(OlderError)?.candles;
            candles.retain(|bar| bar.time < before);
            Ok(candles)
        })
    }
}
