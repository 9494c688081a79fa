//! Candles from before the page was opened.

use std::rc::Rc;

use futures_channel::mpsc;
use futures_util::StreamExt;
use gloo_timers::future::TimeoutFuture;
use leptos::task::spawn_local;
use shared::{CandlesAnswer, routes};

use super::backoff::Backoff;
use super::http::get;
use crate::store::HistoryRequest;

/// How many candles are asked for at once: those of two screens.
const LIMIT: usize = 600;
/// How long an answer may take.
const PATIENCE_MS: u32 = 10_000;

/// Whether a request is still waited for.
pub(crate) type Waits = Rc<dyn Fn(&HistoryRequest) -> bool>;
/// Where the answers go, or the reasons why there are none.
pub(crate) type Answer = Rc<dyn Fn(&HistoryRequest, Result<CandlesAnswer, String>)>;

/// Serves history requests, each in a task of its own: a symbol that the server
/// does not know must not delay the others.
pub(crate) async fn serve(
    mut wants: mpsc::UnboundedReceiver<HistoryRequest>,
    waits: Waits,
    answer: Answer,
) {
    while let Some(want) = wants.next().await {
        spawn_local(fulfil(want, Rc::clone(&waits), Rc::clone(&answer)));
    }
}

/// Sends a request, and retries with growing pauses, until there is an answer
/// or nothing waits for it any more.
async fn fulfil(want: HistoryRequest, waits: Waits, answer: Answer) {
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

async fn fetch(want: &HistoryRequest) -> Result<CandlesAnswer, String> {
    let symbol = String::from(js_sys::encode_uri_component(&want.key.symbol));
    let interval = want.key.interval.name();
    let mut url = format!(
        "{}?symbol={symbol}&interval={interval}&limit={LIMIT}",
        routes::CANDLES
    );
    if let Some(to) = want.to {
        url += &format!("&to={to}");
    }
    let body = get(&url, PATIENCE_MS).await?;
    serde_json::from_slice(&body).map_err(|error| format!("the answer could not be read: {error}"))
}
