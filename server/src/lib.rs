//! Tickwire's server: a feed's prices, one log, four transports.
//!
//! Data flows one way: [`feed`] → [`market`] → [`transports`]. [`run`] joins
//! them and nothing else does.

mod clock;
pub mod config;
pub mod feed;
pub mod market;
pub mod metrics;
mod serve;
pub mod transports;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use shared::Epoch;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::config::Config;
use self::feed::{CHANNEL_BATCHES, Feed};
use self::market::Market;
use self::transports::App;

/// How long connections have to end once the server shuts down. With the
/// closing frames before it, the process ends within two seconds.
const DRAIN: Duration = Duration::from_millis(1_200);
const _: () = assert!(DRAIN.as_millis() < 2_000);

/// Serves `feed` on `listener` until `shutdown` completes and the connections
/// have ended.
pub async fn run(
    listener: TcpListener,
    feed: Feed,
    config: &Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    // Six base-36 digits, the first of them not 0.
    let epoch = rand::rng().random_range(36u32.pow(5)..36u32.pow(6));
    let epoch = Epoch::from_number(epoch);
    let market = Market::new(epoch, feed.name(), feed.instruments(), config.log_capacity);
    let app = App {
        market: Arc::clone(&market),
        metrics: Arc::default(),
        shutdown: CancellationToken::new(),
        connections: TaskTracker::new(),
    };

    let stop = app.shutdown.clone();
    let stopping = stop.clone();
    tokio::spawn(async move {
        shutdown.await;
        stopping.cancel();
    });
    let (sender, receiver) = mpsc::channel(CHANNEL_BATCHES);
    let flush = config.flush;
    // The market ends when the feed does, and the feed with the server.
    tokio::spawn(stop.clone().run_until_cancelled_owned(feed.run(sender)));
    tokio::spawn(async move { market.run(receiver, flush).await });

    let connections = app.connections.clone();
    serve::serve(listener, app).await;
    connections.close();
    // Who has not ended by now never will: a stream to someone who takes
    // nothing cannot be told.
    if timeout(DRAIN, connections.wait()).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
}
