//! Asks the server for its time again and again: either clock may be set at any
//! moment, and both drift.

use std::rc::Rc;

use shared::{ClientCommand, Time};

use super::api;
use super::session::Session;

/// The first exchanges follow each other quickly, so that one of them has a
/// short round trip.
const FIRST: usize = 5;
const SOON_MS: u32 = 200;
/// Later exchanges come once in a heartbeat.
const PERIOD_MS: u32 = 5_000;

/// Keeps the session's clock offset up to date, as long as the page lives.
pub(crate) async fn keep(session: Rc<Session>) {
    for count in 0.. {
        exchange(&session).await;
        let wait_ms = if count < FIRST { SOON_MS } else { PERIOD_MS };
        session.clock().sleep(wait_ms).await;
    }
}

/// One exchange: over the connection, if that carries commands, otherwise by a
/// request. If it fails, the next exchange replaces it.
async fn exchange(session: &Session) {
    let sent_ms = session.clock().now_ms();
    let ping = ClientCommand::Ping {
        req: None,
        client_time: Time::from_millis(sent_ms),
    };
    if session.command(&ping) {
        return;
    }
    if let Ok(server_time) = api::time().await {
        session.observe_clock(session.since(sent_ms), server_time);
    }
}
