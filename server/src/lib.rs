//! Tickwire's server: a feed's prices, one log, four transports.
//!
//! Data flows one way: [`feed`] → [`market`] → [`transports`], and from the
//! market into the [`store`]. [`open`] and [`run`] join them and nothing else
//! does.

mod clock;
pub mod config;
pub mod feed;
pub mod market;
pub mod metrics;
mod serve;
pub mod store;
pub mod transports;
mod webhook;

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

use self::config::{Config, ConfigError};
use self::feed::{CHANNEL_BATCHES, Feed};
use self::market::{Market, Past};
use self::store::{Archive, Source, Store};
use self::transports::App;
use self::webhook::Webhook;

/// How long connections have to end once the server shuts down. With the
/// closing frames before it, the process ends within two seconds.
const DRAIN: Duration = Duration::from_millis(1_200);
const _: () = assert!(DRAIN.as_millis() < 2_000);

/// What a server reads from and writes into, opened.
#[derive(Debug)]
pub struct Opened {
    feed: Feed,
    store: Option<Store>,
    past: Past,
    webhook: Option<Webhook>,
}

/// Opens what the configuration names to keep and tell what a feed brings.
///
/// # Errors
///
/// A file that cannot be used, or a machine that can send no requests.
pub fn open(mut feed: Feed, config: &Config) -> Result<Opened, ConfigError> {
    let source = Source {
        feed: feed.name(),
        instruments: &feed.instruments(),
        goes_on: feed.goes_on(),
    };
    let (store, past) = match config.open_store(source)? {
        Some((store, past)) => (Some(store), past),
        None => (None, Past::default()),
    };
    feed.go_on_from(past.last_prices());
    let webhook = config.open_webhook()?;
    Ok(Opened {
        feed,
        store,
        past,
        webhook,
    })
}

/// Serves what was opened on `listener` until `shutdown` completes, the
/// connections have ended and what happened is stored.
pub async fn run(
    listener: TcpListener,
    opened: Opened,
    config: &Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let Opened {
        feed,
        store,
        past,
        webhook,
    } = opened;
    // Six base-36 digits, the first of them not 0.
    let epoch = rand::rng().random_range(36u32.pow(5)..36u32.pow(6));
    let epoch = Epoch::from_number(epoch);
    let (name, instruments) = (feed.name(), feed.instruments());
    let market = Market::new(epoch, name, instruments, past, config.log_capacity);
    let (keeper, archive) = match store.map(|store| store.keep(Arc::clone(&market))) {
        Some((keeper, archive)) => (Some(keeper), archive),
        None => (None, Archive::of_memory(Arc::clone(&market))),
    };
    let app = App {
        market: Arc::clone(&market),
        archive,
        store: keeper.as_ref().map(store::Keeper::health),
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
    if let Some(webhook) = webhook {
        tokio::spawn(webhook.run(market.listen(), stop.clone()));
    }
    let (sender, receiver) = mpsc::channel(CHANNEL_BATCHES);
    let flush = config.flush;
    // The feed ends with the server, the market after the feed, and the store
    // after the market: what was sent is stored.
    tokio::spawn(stop.clone().run_until_cancelled_owned(feed.run(sender)));
    let ended = CancellationToken::new();
    let has_ended = ended.clone().drop_guard();
    tokio::spawn(async move {
        market.run(receiver, flush, stop).await;
        drop(has_ended);
    });
    let kept = keeper.map(|keeper| tokio::spawn(keeper.run(ended)));

    let connections = app.connections.clone();
    serve::serve(listener, app).await;
    connections.close();
    // Who has not ended by now never will: a stream to someone who takes
    // nothing cannot be told.
    if timeout(DRAIN, connections.wait()).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
    if let Some(kept) = kept {
        // A write waits for nobody longer than a moment.
        let _ = kept.await;
    }
}
