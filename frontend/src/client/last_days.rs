//! The last day of symbols, for sparklines.

use futures_channel::mpsc;
use futures_util::StreamExt;
use shared::{SPARKS_MAX, SparksAnswer};

use super::api;
use super::backoff::Backoff;
use crate::clock::{BrowserClock, Clock};
use crate::faults::CallError;

/// Rows that come into view one after the other are asked for together.
const GATHER_MS: u32 = 100;

/// Serves requests one after the other, each until there is an answer. A server
/// that refuses one has no answer, and is not asked again.
pub(crate) async fn serve(
    mut requests: mpsc::UnboundedReceiver<Vec<String>>,
    fill: impl Fn(&SparksAnswer),
) {
    while let Some(mut symbols) = requests.next().await {
        BrowserClock.sleep(GATHER_MS).await;
        while let Ok(more) = requests.try_recv() {
            symbols.extend(more);
        }
        for some in symbols.chunks(SPARKS_MAX) {
            if let Some(answer) = last_days(some).await {
                fill(&answer);
            }
        }
    }
}

async fn last_days(symbols: &[String]) -> Option<SparksAnswer> {
    let mut backoff = Backoff::default();
    loop {
        match api::sparks(symbols).await {
            Ok(answer) => return Some(answer),
            Err(CallError::Refused {
                status: 400..=499, ..
            }) => return None,
            Err(_) => {}
        }
        let wait_ms = backoff.next_ms(BrowserClock.chance());
        BrowserClock.sleep(wait_ms).await;
    }
}
