//! Asks the server again and again what time it is: either side's clock may be
//! set at any moment, and both drift.

use std::rc::Rc;

use gloo_timers::future::TimeoutFuture;
use shared::{ClientCommand, Time, TimeAnswer, routes};

use super::http::get;
use super::session::{Session, Timing, now_ms};

/// The first exchanges come soon after each other: one of them will be quick.
const FIRST: usize = 5;
const SOON_MS: u32 = 200;
/// The others come once in a heartbeat.
const PERIOD_MS: u32 = 5_000;
/// An answer that takes longer says nothing.
const PATIENCE_MS: u32 = 5_000;

/// Keeps the session's offset true, as long as the page lives.
pub(crate) async fn keep(session: Rc<Session>) {
    for count in 0.. {
        exchange(&session).await;
        let wait_ms = if count < FIRST { SOON_MS } else { PERIOD_MS };
        TimeoutFuture::new(wait_ms).await;
    }
}

/// One exchange: up the connection, if it takes commands, else by a call. What
/// cannot be asked now is asked next time.
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
