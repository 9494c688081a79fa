//! Polling and long polling: the same request, asked at an interval, or with
//! leave to wait for the answer.

use gloo_timers::future::TimeoutFuture;
use shared::{ServerMessage, TicksAnswer};

use super::http::get;
use super::session::{Session, Timing, now_ms};

/// How long the server may keep a long poll.
pub(super) const WAIT_MS: u32 = 25_000;
/// How much longer than it may the server takes, and the way there and back.
const PATIENCE_MS: u32 = 10_000;
/// The most ticks in one answer; one that is full is asked on at once.
const LIMIT: usize = 20_000;

/// Asks every `interval_ms` until a request fails; says why.
pub(super) async fn run_polling(session: &Session, interval_ms: u32) -> String {
    loop {
        let asked_ms = now_ms();
        let full = match ask(session, 0).await {
            Ok(full) => full,
            Err(reason) => return reason,
        };
        // From request to request, however long the answer took.
        let left_ms = f64::from(interval_ms) - (now_ms() - asked_ms);
        if !full && left_ms > 0.0 {
            TimeoutFuture::new(left_ms as u32).await;
        }
    }
}

/// Asks, waits for the answer and asks again, until a request fails; says why.
pub(super) async fn run_long_polling(session: &Session) -> String {
    loop {
        if let Err(reason) = ask(session, WAIT_MS).await {
            return reason;
        }
    }
}

/// What a request asks for.
pub(super) fn path(session: &Session, wait_ms: u32) -> String {
    let query = session.query();
    format!("/api/ticks{query}&wait_ms={wait_ms}&limit={LIMIT}")
}

/// One request; whether its answer was full.
async fn ask(session: &Session, wait_ms: u32) -> Result<bool, String> {
    let url = path(session, wait_ms);
    session.may_ask().await;
    session.count(|counters| counters.requests += 1);
    let begun_ms = now_ms();
    session.linger().await;
    let body = get(&url, wait_ms + PATIENCE_MS).await?;
    session.linger().await;
    session.count(|counters| counters.bytes += body.len() as u64);
    let answer: TicksAnswer = serde_json_wasm::from_slice(&body)
        .map_err(|error| format!("an answer could not be read: {error}"))?;
    session.receive_answer(&answer, Timing::since(begun_ms));
    let ticks = answer.events.iter().map(|event| match event {
        ServerMessage::Ticks { ticks, .. } => ticks.len(),
        _ => 0,
    });
    Ok(ticks.sum::<usize>() >= LIMIT)
}
