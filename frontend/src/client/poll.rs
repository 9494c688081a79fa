//! Polling and long polling: the same request, sent at an interval, or held by
//! the server until there is something new.

use shared::{ServerMessage, routes};

use super::loss::Loss;
use super::session::Session;
use crate::faults::CallError;

/// How long the server may hold a long poll. Together with [`PATIENCE_MS`], one
/// that hangs is given up after two heartbeats, like a stream.
pub(super) const WAIT_MS: u32 = 5_000;
/// How long an answer may take beyond that.
const PATIENCE_MS: u32 = 5_000;
/// How long the server may hold a long poll that only tries the transport.
const TRIAL_MS: u32 = 1_000;
/// The most ticks in one answer. After a full one the next request follows at
/// once.
const LIMIT: usize = 20_000;

/// Polls every `interval_ms`, or less often if the session's pace says so, until
/// a request fails; returns the reason. `get` makes a request: its path, and how
/// long its answer may take, in ms.
pub(super) async fn run_polling(
    session: &Session,
    get: &impl AsyncFn(String, u32) -> Result<Vec<u8>, CallError>,
    interval_ms: u32,
) -> Loss {
    let clock = session.clock();
    loop {
        let asked_ms = clock.now_ms();
        let is_full = match ask(session, get, 0).await {
            Ok(is_full) => is_full,
            Err(reason) => return reason,
        };
        // The interval is from request to request, however long the answer
        // took.
        let interval_ms = interval_ms.max(session.pace().every_ms);
        let left_ms = f64::from(interval_ms) - (clock.now_ms() - asked_ms);
        if !is_full && left_ms > 0.0 {
            clock.sleep(left_ms as u32).await;
        }
    }
}

/// Sends the next request after each answer, until one fails; returns the
/// reason.
pub(super) async fn run_long_polling(
    session: &Session,
    get: &impl AsyncFn(String, u32) -> Result<Vec<u8>, CallError>,
) -> Loss {
    loop {
        if let Err(reason) = ask(session, get, WAIT_MS).await {
            return reason;
        }
    }
}

/// Whether the server holds a long poll for a moment and then answers it.
pub(super) async fn waits(
    session: &Session,
    get: &impl AsyncFn(String, u32) -> Result<Vec<u8>, CallError>,
) -> bool {
    let answer = get(path(session, TRIAL_MS), TRIAL_MS + PATIENCE_MS).await;
    answer.is_ok()
}

/// The path that a request asks for.
pub(super) fn path(session: &Session, wait_ms: u32) -> String {
    let query = session.query();
    let encoding = session.format();
    format!(
        "{}{query}&encoding={encoding}&wait_ms={wait_ms}&limit={LIMIT}",
        routes::TICKS
    )
}

/// Sends one request; returns whether its answer was full.
async fn ask(
    session: &Session,
    get: &impl AsyncFn(String, u32) -> Result<Vec<u8>, CallError>,
    wait_ms: u32,
) -> Result<bool, Loss> {
    let url = path(session, wait_ms);
    session.may_ask().await;
    session.count(|counters| counters.requests += 1);
    let begun_ms = session.clock().now_ms();
    session.linger().await;
    let body = get(url, wait_ms + PATIENCE_MS).await.map_err(Loss::Call)?;
    session.linger().await;
    session.count(|counters| counters.bytes += body.len() as u64);
    let answer = session.read_answer(&body)?;
    session.receive_answer(&answer, session.since(begun_ms));
    let ticks = answer.events.iter().map(|event| match event {
        ServerMessage::Ticks { ticks, .. } => ticks.len(),
        _ => 0,
    });
    Ok(ticks.sum::<usize>() >= LIMIT)
}

#[cfg(test)]
mod tests;
