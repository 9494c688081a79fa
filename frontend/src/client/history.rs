//! Candles from before the page was opened.

use std::rc::Rc;

use futures_channel::mpsc;
use futures_util::StreamExt;
use leptos::task::spawn_local;
use shared::CandlesAnswer;

use super::api;
use super::backoff::Backoff;
use crate::clock::{BrowserClock, Clock};
use crate::faults::CallError;
use crate::requests::HistoryRequest;

/// Whether a request is still waited for.
pub(crate) type Waits = Rc<dyn Fn(&HistoryRequest) -> bool>;
/// Where the answers go, or the reasons why there are none.
pub(crate) type Answer = Rc<dyn Fn(&HistoryRequest, Result<CandlesAnswer, CallError>)>;

/// Serves history requests, each in a task of its own: a symbol that the server
/// does not know must not delay the others.
pub(crate) async fn serve(
    mut requests: mpsc::UnboundedReceiver<HistoryRequest>,
    waits: Waits,
    answer: Answer,
) {
    while let Some(request) = requests.next().await {
        spawn_local(fulfil(request, Rc::clone(&waits), Rc::clone(&answer)));
    }
}

/// Sends a request, and retries with growing pauses, until there is an answer
/// or nothing waits for it any more.
async fn fulfil(request: HistoryRequest, waits: Waits, answer: Answer) {
    let mut backoff = Backoff::default();
    while waits(&request) {
        let result = api::candles(&request).await;
        let failed = result.is_err();
        answer(&request, result);
        if !failed {
            break;
        }
        let wait_ms = backoff.next_ms(BrowserClock.chance());
        BrowserClock.sleep(wait_ms).await;
    }
}
