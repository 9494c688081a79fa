//! Candles from before the page was opened.

use futures_channel::mpsc;
use futures_util::StreamExt;
use gloo_timers::future::TimeoutFuture;
use shared::CandlesAnswer;

use super::backoff::Backoff;
use super::http::get;
use crate::store::Want;

/// How many candles are asked for at once: two screens of them.
const LIMIT: usize = 600;
/// How long an answer may take.
const PATIENCE_MS: u32 = 10_000;

/// Fetches what is wanted, one after the other, as long as someone `waits` for
/// it, and gives it to `answer`. A request that fails is made again.
pub(crate) async fn serve(
    mut wants: mpsc::UnboundedReceiver<Want>,
    waits: impl Fn(&Want) -> bool,
    answer: impl Fn(&Want, Result<CandlesAnswer, String>),
) {
    while let Some(want) = wants.next().await {
        let mut backoff = Backoff::default();
        while waits(&want) {
            let result = fetch(&want).await;
            let failed = result.is_err();
            answer(&want, result);
            if !failed {
                break;
            }
            TimeoutFuture::new(backoff.next_ms(js_sys::Math::random())).await;
        }
    }
}

async fn fetch(want: &Want) -> Result<CandlesAnswer, String> {
    let symbol = String::from(js_sys::encode_uri_component(&want.key.symbol));
    let interval = want.key.interval.name();
    let mut url = format!("/api/candles?symbol={symbol}&interval={interval}&limit={LIMIT}");
    if let Some(to) = want.to {
        url += &format!("&to={to}");
    }
    let body = get(&url, PATIENCE_MS).await?;
    serde_json_wasm::from_slice(&body)
        .map_err(|error| format!("the answer could not be read: {error}"))
}
