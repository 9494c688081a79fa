//! The page's side of the four transports: one interface, one supervisor that
//! reconnects and switches, one cursor that outlives every connection.

pub(crate) mod alerts;
pub(crate) mod api;
mod backoff;
mod choice;
mod counters;
pub(crate) mod history;
pub(crate) mod http;
mod ladder;
pub(crate) mod last_days;
mod link;
mod loss;
mod poll;
mod session;
mod sse;
mod supervisor;
pub(crate) mod timekeeper;
mod upload;
mod ws;

use shared::Transport;

pub use choice::Choice;
pub use counters::Counters;
pub use link::Link;
pub use loss::{Detour, Loss, TransportFault};
pub use session::Session;
pub use supervisor::{LinkState, Phase};

/// The path that a transport requests next, as it is sent.
pub(crate) fn path(session: &Session, transport: Transport) -> String {
    http::sent_path(&match transport {
        Transport::WebSocket => ws::path(session),
        Transport::Sse => sse::path(session),
        Transport::LongPoll => poll::path(session, poll::WAIT_MS),
        Transport::Poll => poll::path(session, 0),
    })
}
