//! Asks the server for its time again and again: either clock may be set at any
//! moment, and both drift.

use std::rc::Rc;

use gloo_timers::future::TimeoutFuture;
use shared::{ClientCommand, Time, TimeAnswer, routes};

use super::http::get;
use super::session::{Session, Timing, now_ms};

/// The first exchanges follow each other quickly, so that one of them has a
/// short round trip.
const FIRST: usize = 5;
const SOON_MS: u32 = 200;
/// Later exchanges come once in a heartbeat.
const PERIOD_MS: u32 = 5_000;
/// An answer that takes longer is ignored.
const PATIENCE_MS: u32 = 5_000;

/// Keeps the session's clock offset up to date, as long as the page lives.
pub(crate) async fn keep(session: Rc<Session>) {
    for count in 0.. {
        exchange(&session).await;
        let wait_ms = if count < FIRST { SOON_MS } else { PERIOD_MS };
        TimeoutFuture::new(wait_ms).await;
    }
}

/// One exchange: over the connection, if that carries commands, otherwise by a
/// request. If it fails, the next exchange replaces it.
async fn exchange(session: &Session) {
    let sent_ms = now_ms();
    let ping = ClientCommand::Ping {
        req: None,
        client_time: Time::from_millis(sent_ms),
    };
    if session.command(&ping) {
        return;
    }
    let Ok(body) = get(routes::TIME, PATIENCE_MS).await else {
        return;
    };
    let timing = Timing::since(sent_ms);
    if let Ok(TimeAnswer { server_time }) = serde_json::from_slice(&body) {
        session.observe_clock(timing, server_time);
    }
}
