//! Tickwire's server: a feed's prices, one log, four transports.
//!
//! Data flows one way: [`feed`] → [`market`] → `transports`, and from the
//! market into the [`store`]. Only [`open`] and [`run`] connect them.

pub mod access;
pub mod alerts;
pub mod api;
mod app;
mod attention;
pub mod catalogue;
mod clock;
pub mod cluster;
pub mod config;
mod deliveries;
pub mod encoding;
pub mod entries;
pub mod feed;
mod flow;
mod http;
mod intake;
mod kept;
mod limits;
pub mod market;
pub mod metrics;
mod parts;
mod recording;
mod serve;
mod standing;
pub mod store;
mod successor;
mod tasks;
mod transports;
mod uploads;
pub mod webhook;
mod wire;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::alerts::PastAlerts;
use self::api::Page;
use self::app::App;
use self::catalogue::Catalogue;
use self::config::{Config, ConfigError, TlsConfig};
use self::feed::FeedError;
use self::parts::assemble;

use self::recording::Recorder;
use self::store::{Restored, Store, StoredFeed};
use self::webhook::Webhooks;
use self::wire::Certificates;

pub use self::intake::Intake;
pub use self::tasks::Stopped;

/// How long connections have to end at shutdown. Together with the close frames
/// before that, the process ends within two seconds.
const DRAIN: Duration = Duration::from_millis(1_200);
const _: () = assert!(DRAIN.as_millis() < 2_000);

/// The sockets that a server listens at.
#[derive(Clone, Debug, Default)]
pub struct Listeners {
    /// For everybody.
    pub public: Vec<Arc<TcpListener>>,
    /// For those who watch over the server. If there are any, the others have
    /// neither metrics nor the description of the API.
    pub admin: Vec<Arc<TcpListener>>,
}

/// The opened parts of a server: what it reads from and writes into.
#[derive(Debug)]
pub struct Opened {
    catalogue: Catalogue,
    intake: Intake,
    found: Around,
    certificates: Option<Certificates>,
}

/// What a feed is written into, and what was there.
#[derive(Debug)]
struct Around {
    store: Option<Store>,
    restored: Restored,
    webhooks: Webhooks,
    recorder: Option<Recorder>,
}

/// Opens what prices come from: a feed, or the log that several servers share.
///
/// # Errors
///
/// It cannot be used.
pub async fn open_intake(config: &Config) -> Result<(Catalogue, Intake), FeedError> {
    let Some(log) = &config.log else {
        let (catalogue, feed) = feed::open(&config.feed).await?;
        return Ok((catalogue, feed.into()));
    };
    let joined = Box::pin(cluster::join(log, &config.node, &config.feed)).await;
    joined.map(|(catalogue, member)| (catalogue, member.into()))
}

/// Opens the store and the webhooks that the configuration names, for what comes in
/// here.
///
/// # Errors
///
/// A file cannot be used, or this machine cannot send requests.
pub async fn open(
    (catalogue, mut intake): (Catalogue, Intake),
    config: &Config,
) -> Result<Opened, ConfigError> {
    let found = around(&catalogue, &mut intake, config).await?;
    let certificates = config.tls.as_ref().map(TlsConfig::open).transpose()?;
    Ok(Opened {
        catalogue,
        intake,
        found,
        certificates,
    })
}

/// Opens what is written to, and finds what is there.
async fn around(
    catalogue: &Catalogue,
    intake: &mut Intake,
    config: &Config,
) -> Result<Around, ConfigError> {
    let source = StoredFeed {
        feed: &intake.about().name,
        instruments: catalogue.instruments(),
        goes_on: intake.about().goes_on,
        is_alone: !intake.is_of_others(),
    };
    let (mut store, restored) = config.open_store(source)?.unzip();
    let mut restored = restored.unwrap_or_default();
    let stored = restored.market.newest_times();
    if let Some(checkpoint) = intake.checkpoint() {
        restored.market.go_on_from(checkpoint);
    }
    if let Some(missed) = intake.missed() {
        let is_whole = missed.fill(&stored, &mut restored.market.candles).await;
        if let Some(store) = &mut store {
            store.go_on_with(&restored.market.candles);
            if !is_whole {
                config.note_break(store)?;
            }
        }
    }
    let mut origin = intake.origin().or_else(|| restored.origin.clone());
    if let Some(feed) = intake.own_mut() {
        let known: Vec<_> = restored.market.known_prices().collect();
        feed.go_on_from(&known);
        if let Some(origin) = &origin {
            feed.set_origin(origin);
        }
        origin = feed.origin();
        let new = restored.market.without(catalogue.instruments().len());
        restored.market.put(&new, feed.past(&new));
    }
    if let (Some(store), Some(origin)) = (&mut store, &origin) {
        config.keep_origin(store, origin)?;
    }
    let webhooks = config.open_webhooks()?;
    let recorder = config.open_recorder()?;
    if let Some(store) = store.as_ref().filter(|_| intake.past_alerts().is_none()) {
        config.resume_deliveries(store, &webhooks)?;
    }
    Ok(Around {
        store,
        restored,
        webhooks,
        recorder,
    })
}

/// Serves on `listeners` until `shutdown` completes, the connections have ended
/// and everything is stored. When somebody brings a file to be replayed, it begins
/// again with that, on the same addresses.
///
/// # Errors
///
/// A part of the server failed, and the server stopped.
pub async fn run(
    listeners: Listeners,
    opened: Opened,
    page: Page,
    config: &Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Stopped> {
    let stop = CancellationToken::new();
    let is_over = stop.clone();
    // In a task of its own: the server is compiled once, and not for each caller.
    tokio::spawn(async move {
        shutdown.await;
        is_over.cancel();
    });
    let mut opened = opened;
    loop {
        let certificates = opened.certificates.clone();
        let next = serve_until(listeners.clone(), opened, page, config, &stop).await?;
        let Some(next) = next else {
            return Ok(());
        };
        opened = open_again(next, config, certificates).await?;
    }
}

/// What a server goes on with after a file was brought.
struct Following {
    opened: (Catalogue, Intake),
    /// The alerts of before.
    alerts: PastAlerts,
}

/// Opens everything again for a feed that somebody brought. What cannot be opened
/// any more, as a store that was found to be damaged, is left out: whoever brings a
/// file does not stop the server.
async fn open_again(
    next: Following,
    config: &Config,
    certificates: Option<Certificates>,
) -> Result<Opened, Stopped> {
    let (catalogue, mut intake) = next.opened;
    tracing::info!("{}", intake.about().headline);
    let mut found = match around(&catalogue, &mut intake, config).await {
        Ok(found) => found,
        Err(error) => {
            tracing::error!("{error}; the server goes on without a store and a recording");
            let least = Config {
                store: None,
                record: None,
                ..config.clone()
            };
            let found = around(&catalogue, &mut intake, &least).await;
            found.map_err(|error| Stopped::of("the start", &error))?
        }
    };
    if found.store.is_none() && intake.checkpoint().is_none() {
        found.restored.alerts = next.alerts;
    }
    Ok(Opened {
        catalogue,
        intake,
        found,
        certificates,
    })
}

/// Serves until `shutdown`, or until there is another feed to go on with, which it
/// returns.
async fn serve_until(
    listeners: Listeners,
    opened: Opened,
    page: Page,
    config: &Config,
    shutdown: &CancellationToken,
) -> Result<Option<Following>, Stopped> {
    let certificates = opened.certificates.clone();
    let (app, parts) = assemble(opened, page, config);
    let (stop, successor) = (app.shutdown.clone(), Arc::clone(&app.successor));
    let alerts = Arc::clone(&app.alerts);
    tokio::spawn(close(app.clone(), shutdown.clone()));
    let mut tasks = parts.start(&app, config.flush);
    let connections = app.connections.clone();
    let serving = serve::serve(listeners, app, config.keep_alive, certificates);
    let stopped = tokio::select! {
        () = serving => None,
        stopped = tasks.fault() => Some(stopped),
    };
    stop.cancel();
    connections.close();
    // A connection that has not ended by now never will: a client that takes no
    // bytes cannot be notified.
    if timeout(DRAIN, connections.wait()).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
    // Short: no write waits long.
    let late = tasks.finish().await;
    // A panic is the reason why other parts had to stop.
    let cause = late.filter(|late| stopped.is_none() || late.is_panic());
    match cause.or(stopped) {
        Some(stopped) => Err(stopped),
        None if shutdown.is_cancelled() => Ok(None),
        None => Ok(successor.take().map(|opened| Following {
            opened,
            alerts: alerts.past(),
        })),
    }
}

/// Lets everything end at shutdown, when a part has failed, or when there is
/// another feed to go on with.
async fn close(app: App, shutdown: CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = app.shutdown.cancelled() => {}
        () = app.successor.is_there() => {}
    }
    app.shutdown.cancel();
    app.market.close();
}
