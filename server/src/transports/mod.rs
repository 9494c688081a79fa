//! The four ways to read the log, and the calls beside them. Every one is a
//! [`Reader`](crate::market::Reader) with a different way to carry frames.

mod alerts;
mod echo;
mod fault;
mod negotiate;
mod openapi;
mod page;
mod poll;
mod query;
mod rest;
mod sse;
mod ws;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use shared::ServerMessage;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::{self, Access};
use crate::alerts::AlertBook;
use crate::clock;
use crate::deliveries::Deliveries;
use crate::market::{Frame, Market, frame_of};
use crate::metrics::Metrics;
use crate::store::{Archive, Health};

pub(crate) use fault::Fault;
pub use page::is_embedded as is_page_embedded;

/// How often a stream shows that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// What every handler can reach. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// The log and the standings.
    pub market: Arc<Market>,
    /// What people want to be told of.
    pub alerts: Arc<AlertBook>,
    /// The candles of it, in memory and in the store.
    pub archive: Archive,
    /// How the store does, if there is one.
    pub store: Option<Health>,
    /// What those who are told of alerts have still to be told.
    pub(crate) webhooks: Arc<[Arc<Deliveries>]>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the server shuts down: streams and waits end.
    pub shutdown: CancellationToken,
    /// The open connections.
    pub connections: TaskTracker,
    /// For how long nothing may come from a feed that says that it is live.
    pub silence_max: Duration,
    /// Who may ask.
    pub access: Access,
    /// The path under which a proxy shows the server; empty for none.
    pub base_path: Arc<str>,
}

/// Every route of the server. Binds nothing.
pub fn router(app: App) -> Router {
    let (router, api) = openapi::described(&app.base_path);
    router
        .merge(openapi::documents(api))
        .fallback(page::asset)
        .method_not_allowed_fallback(fault::method_not_allowed)
        .layer(DefaultBodyLimit::max(alerts::BODY_BYTES_MAX))
        .layer(from_fn_with_state(app.access.clone(), access::guard))
        .with_state(app)
}

/// When a stream shows that it is alive. One that was held up does not make up
/// for it with a burst.
fn heartbeats() -> Interval {
    let mut heartbeats = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    heartbeats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeats
}

/// The first message of every stream.
fn hello(market: &Market) -> Option<Frame> {
    let heartbeat_ms = HEARTBEAT.as_millis() as u32;
    frame_of(&ServerMessage::hello(
        market.epoch(),
        clock::now(),
        heartbeat_ms,
    ))
}
