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
pub mod config;
mod deliveries;
pub mod encoding;
pub mod feed;
mod http;
mod limits;
pub mod market;
pub mod metrics;
mod serve;
pub mod store;
mod tasks;
mod transports;
pub mod webhook;
mod wire;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use shared::{Epoch, Span};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::access::Access;
use self::alerts::AlertBook;
use self::api::Page;
use self::app::App;
use self::catalogue::Catalogue;
use self::config::{Config, ConfigError, TlsConfig};
use self::deliveries::Deliveries;
use self::feed::{CHANNEL_BATCHES, Feed};
use self::limits::Bounds;
use self::market::{Market, Notice, Observer};
use self::metrics::{Metrics, Work};
use self::store::{Archive, Keeper, Restored, Store, StoredFeed};
use self::tasks::Tasks;
use self::transports::ws::push::{Push, Pusher};
use self::webhook::Webhooks;
use self::wire::Certificates;

pub use self::tasks::Stopped;

/// How long connections have to end at shutdown. Together with the close frames
/// before that, the process ends within two seconds.
const DRAIN: Duration = Duration::from_millis(1_200);
const _: () = assert!(DRAIN.as_millis() < 2_000);

/// How often the server's time is corrected by the wall clock; see
/// [`clock::follow`].
const CLOCK_PERIOD: Duration = Duration::from_secs(1);

/// The sockets that a server listens at.
#[derive(Debug, Default)]
pub struct Listeners {
    /// For everybody.
    pub public: Vec<TcpListener>,
    /// For those who watch over the server. If there are any, the others have
    /// neither metrics nor the description of the API.
    pub admin: Vec<TcpListener>,
}

/// The opened parts of a server: what it reads from and writes into.
#[derive(Debug)]
pub struct Opened {
    catalogue: Catalogue,
    feed: Feed,
    store: Option<Store>,
    restored: Restored,
    webhooks: Webhooks,
    certificates: Option<Certificates>,
}

/// Opens the store and the webhooks that the configuration names, for this
/// feed.
///
/// # Errors
///
/// A file cannot be used, or this machine cannot send requests.
pub fn open(
    (catalogue, mut feed): (Catalogue, Feed),
    config: &Config,
) -> Result<Opened, ConfigError> {
    let source = StoredFeed {
        feed: feed.about().name,
        instruments: catalogue.instruments(),
        goes_on: feed.about().goes_on,
    };
    let (store, restored) = config.open_store(source)?.unzip();
    let restored = restored.unwrap_or_default();
    let last_prices: Vec<_> = restored.market.last_prices().collect();
    feed.go_on_from(&last_prices);
    let webhooks = config.open_webhooks()?;
    let certificates = config.tls.as_ref().map(TlsConfig::open).transpose()?;
    if let Some(store) = &store {
        config.resume_deliveries(store, &webhooks)?;
    }
    Ok(Opened {
        catalogue,
        feed,
        store,
        restored,
        webhooks,
        certificates,
    })
}

/// Serves on `listeners` until `shutdown` completes, the connections have ended
/// and everything is stored.
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
    // Boxed, so that the server is compiled once, and not for each caller.
    serve_until(listeners, opened, page, config, Box::pin(shutdown)).await
}

async fn serve_until(
    listeners: Listeners,
    opened: Opened,
    page: Page,
    config: &Config,
    shutdown: Pin<Box<dyn Future<Output = ()> + Send>>,
) -> Result<(), Stopped> {
    let certificates = opened.certificates.clone();
    let (app, parts) = assemble(opened, page, config);
    let stop = app.shutdown.clone();
    let (stopping, closing) = (stop.clone(), Arc::clone(&app.market));
    tokio::spawn(async move {
        tokio::select! {
            () = shutdown => stopping.cancel(),
            () = stopping.cancelled() => {}
        }
        closing.close();
    });
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
    cause.or(stopped).map_or(Ok(()), Err)
}

/// The parts of the server that run all the time.
struct Parts {
    certificates: Option<Certificates>,
    feed: Feed,
    keeper: Option<Keeper>,
    pushers: Vec<Pusher>,
    webhooks: Webhooks,
}

/// Connects the parts: the state that all handlers share, and what has to run.
fn assemble(opened: Opened, page: Page, config: &Config) -> (App, Parts) {
    let Opened {
        catalogue,
        feed,
        store,
        restored,
        webhooks,
        certificates,
    } = opened;
    let catalogue = Arc::new(catalogue);
    let alerts = AlertBook::new(
        restored.alerts,
        Arc::clone(&catalogue),
        restored.market.last_prices(),
        store.is_some(),
    )
    .with_room_for(config.limits.alerts);
    let alerts = Arc::new(alerts);
    let observer = Arc::clone(&alerts) as Arc<dyn Observer>;
    let (past, capacity) = (restored.market, config.log_capacity);
    let metrics: Arc<Metrics> = Arc::default();
    let work = metrics.work();
    let market = Market::new(
        new_epoch(),
        feed.status(),
        catalogue,
        past,
        capacity,
        observer,
        work.clone(),
    );
    let receivers = webhooks.deliveries();
    let (keeper, archive) = keep(store, &market, &alerts, receivers, work.clone());
    let (push, pushers) = Push::new(&market, &metrics);
    let bounds = Bounds::new(config.limits.clone(), Arc::clone(&metrics));
    let app = App {
        push: Arc::new(push),
        market,
        alerts,
        archive,
        store: keeper.as_ref().map(Keeper::health),
        metrics,
        webhooks: webhooks.deliveries().into(),
        shutdown: CancellationToken::new(),
        connections: TaskTracker::new(),
        silence_max: feed.longest_silence(),
        access: Access::new(config.access.clone()),
        bounds,
        page,
        base_path: config.base_path.as_str().into(),
    };
    let parts = Parts {
        certificates,
        feed,
        keeper,
        pushers,
        webhooks,
    };
    (app, parts)
}

/// The name of a run: six base-36 digits, the first of them not 0.
fn new_epoch() -> Epoch {
    Epoch::from_number(rand::rng().random_range(36u32.pow(5)..36u32.pow(6)))
}

/// Connects the store, if there is one, with the market and the alerts.
fn keep(
    store: Option<Store>,
    market: &Arc<Market>,
    alerts: &Arc<AlertBook>,
    receivers: Vec<Arc<Deliveries>>,
    work: Work,
) -> (Option<Keeper>, Archive) {
    let Some(store) = store else {
        return (None, Archive::of_memory(Arc::clone(market)));
    };
    let announcer = Arc::clone(market);
    let report = Box::new(move |status| announcer.announce(Notice::Store(status)));
    let (market, alerts) = (Arc::clone(market), Arc::clone(alerts));
    let (keeper, archive) = store.keep(market, alerts, receivers, report, work);
    (Some(keeper), archive)
}

impl Parts {
    /// Starts them. At shutdown the feed ends first, then the market, and then
    /// the store, so that everything that was sent is stored.
    fn start(self, app: &App, flush: Duration) -> Tasks {
        let stop = &app.shutdown;
        let mut tasks = Tasks::default();
        let follower = Follower {
            market: Arc::clone(&app.market),
            alerts: Arc::clone(&app.alerts),
            receivers: self.webhooks.deliveries(),
        };
        tasks.spawn("the clock", follower.follow(stop.clone()));
        if let Some(certificates) = self.certificates {
            let stop = stop.clone();
            tasks.spawn("the certificates", async move {
                certificates.follow(stop).await;
                Ok(())
            });
        }
        for pusher in self.pushers {
            tasks.spawn("a pusher", async move {
                pusher.run().await;
                Ok(())
            });
        }
        let (firings, stop_sending) = (app.alerts.listen(), stop.clone());
        let webhooks = self.webhooks;
        tasks.spawn("the webhooks", async move {
            webhooks.run(firings, stop_sending).await;
            Ok(())
        });
        let (sender, receiver) = mpsc::channel(CHANNEL_BATCHES);
        let feed = stop
            .clone()
            .run_until_cancelled_owned(self.feed.run(sender));
        tasks.spawn("the feed", async move {
            // The market checks whether it reported its end.
            _ = feed.await;
            Ok(())
        });
        let ended = CancellationToken::new();
        let has_ended = ended.clone().drop_guard();
        let (market, stop_writing) = (Arc::clone(&app.market), stop.clone());
        tasks.spawn("the market", async move {
            let _has_ended = has_ended;
            market.run(receiver, flush, stop_writing).await
        });
        if let Some(keeper) = self.keeper {
            tasks.spawn("the store", keeper.run(ended));
        }
        tasks
    }
}

/// The parts that follow the server's clock.
struct Follower {
    market: Arc<Market>,
    alerts: Arc<AlertBook>,
    receivers: Vec<Arc<Deliveries>>,
}

impl Follower {
    /// Follows the wall clock until the server stops, and reports when it was
    /// set.
    async fn follow(self, stop: CancellationToken) -> Result<(), String> {
        let mut looks = tokio::time::interval(CLOCK_PERIOD);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let following = async {
            loop {
                looks.tick().await;
                self.market.forget_snapshots();
                if let Some(step) = self.alerts.follow_clock() {
                    self.market.announce_clock(step.ahead);
                    let receivers = self.receivers.iter();
                    receivers.for_each(|receiver| receiver.jump(step.jump));
                    log_step(step);
                }
            }
        };
        stop.run_until_cancelled(following).await;
        Ok(())
    }
}

fn log_step(clock::Step { jump, ahead }: clock::Step) {
    let (jump_s, ahead_s) = (jump.seconds(), ahead.seconds());
    match (jump > Span::ZERO, ahead > Span::ZERO) {
        (true, _) => tracing::warn!(jump_s, "the clock was set ahead; times follow"),
        (false, true) => tracing::warn!(
            ahead_s,
            "the clock was set back; times go on from before, a little slower, until it is there again"
        ),
        (false, false) => tracing::info!("times are those of the clock again"),
    }
}
