//! The parts of the server, and what connects them.

use std::sync::Arc;
use std::time::Duration;

use shared::Span;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::alerts::AlertBook;
use crate::api::{self, Page};
use crate::app::App;
use crate::clock;
use crate::config::Config;
use crate::deliveries::Deliveries;
use crate::feed::{Feed, Older};
use crate::flow::{Flow, FlowParts};
use crate::intake::Intake;
use crate::limits::Bounds;
use crate::market::{Market, Notice, Observer, Start};
use crate::metrics::{Metrics, Work};
use crate::recording::Recorder;
use crate::store::{Archive, Keeper, Store};
use crate::successor::Successor;
use crate::tasks::Tasks;
use crate::transports::ws::push::{Push, Pusher};
use crate::uploads::Uploads;
use crate::webhook::Webhooks;
use crate::wire::Certificates;
use crate::{Around, Opened};

/// How often the server's time is corrected by the wall clock; see
/// [`clock::follow`].
const CLOCK_PERIOD: Duration = Duration::from_secs(1);

/// The parts of the server that run all the time.
pub(crate) struct Parts {
    certificates: Option<Certificates>,
    recorder: Option<Recorder>,
    intake: Intake,
    keeper: Option<Keeper>,
    pushers: Vec<Pusher>,
    webhooks: Webhooks,
}

/// Connects the parts: the state that all handlers share, and what has to run.
pub(crate) fn assemble(opened: Opened, page: Page, config: &Config) -> (App, Parts) {
    let Opened {
        catalogue,
        intake,
        found,
        certificates,
    } = opened;
    let Around {
        store,
        restored,
        webhooks,
        recorder,
    } = found;
    let metrics: Arc<Metrics> = Arc::default();
    let work = metrics.work();
    let catalogue = Arc::new(catalogue);
    let alerts = AlertBook::new(
        restored.alerts,
        Arc::clone(&catalogue),
        restored.market.last_prices(),
        store.is_some(),
    );
    let alerts = Arc::new(alerts.with_room_for(config.limits.alerts));
    let market = Market::new(
        intake.start(),
        intake.status(),
        catalogue,
        restored.market,
        config.log_capacity,
        Arc::clone(&alerts) as Arc<dyn Observer>,
        work.clone(),
    );
    let (older, receivers) = (intake.older(), webhooks.deliveries());
    let node = intake.node();
    let (keeper, archive) = keep(
        store,
        &market,
        older,
        &alerts,
        receivers,
        node.is_some(),
        work.clone(),
    );
    if intake.is_of_others() {
        alerts.leave_to_others();
        if let Some(past) = intake.past_alerts() {
            alerts.judge_no_more(past);
        }
        let receivers = webhooks.deliveries();
        receivers
            .iter()
            .for_each(|receiver| receiver.set_idle(true));
    }
    let (push, pushers) = Push::new(&market, &metrics);
    let successor: Arc<Successor> = Arc::default();
    let uploads = config.upload.clone();
    let app = App {
        push: Arc::new(push),
        market,
        alerts,
        archive,
        store: keeper.as_ref().map(Keeper::health),
        bounds: Bounds::new(config.limits.clone(), Arc::clone(&metrics)),
        metrics,
        webhooks: webhooks.deliveries().into(),
        shutdown: CancellationToken::new(),
        connections: TaskTracker::new(),
        silence_max: intake.about().longest_silence(),
        replay: intake.own().and_then(Feed::remote),
        uploads: uploads.map(|uploads| Uploads::new(uploads, Arc::clone(&successor))),
        upstream: intake.upstream(),
        start: Start::anew().cursor.epoch,
        node,
        successor,
        access: Access::new(config.access.clone()),
        page,
        base_path: config.base_path.as_str().into(),
    };
    let parts = Parts {
        certificates,
        recorder,
        intake,
        keeper,
        pushers,
        webhooks,
    };
    (app, parts)
}

/// Connects the store, if there is one, with the market and the alerts.
fn keep(
    store: Option<Store>,
    market: &Arc<Market>,
    older: Option<Arc<dyn Older>>,
    alerts: &Arc<AlertBook>,
    receivers: Vec<Arc<Deliveries>>,
    is_shared: bool,
    work: Work,
) -> (Option<Keeper>, Archive) {
    let Some(store) = store else {
        return (None, Archive::of_memory(Arc::clone(market)).before(older));
    };
    let announcer = Arc::clone(market);
    let report = Box::new(move |status| {
        // A shared log says nothing of the disk of one server.
        if !is_shared {
            announcer.announce(Notice::Store(status));
        }
    });
    let (market, alerts) = (Arc::clone(market), Arc::clone(alerts));
    let (keeper, archive) = store.keep(market, alerts, receivers, report, work);
    (Some(keeper), archive.before(older))
}

impl Parts {
    /// Starts them. At shutdown the feed ends first, then the market, and then
    /// the store, so that everything that was sent is stored.
    pub(crate) fn start(self, app: &App, flush: Duration) -> Tasks {
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
        // Servers that share a log queue what the log says.
        let firings = match app.node {
            None => app.alerts.listen(),
            Some(_) => unbounded_channel().1,
        };
        let stop_sending = stop.clone();
        let webhooks = self.webhooks;
        tasks.spawn("the webhooks", async move {
            webhooks.run(firings, stop_sending).await;
            Ok(())
        });
        let kept = self.keeper.as_ref().map(Keeper::kept);
        let flow_parts = FlowParts {
            market: Arc::clone(&app.market),
            alerts: Arc::clone(&app.alerts),
            receivers: app.webhooks.to_vec(),
            router: api::router_of_members(app.clone()),
            kept: kept.clone(),
            successor: Arc::clone(&app.successor),
            flush,
            silence_max_ms: u64::try_from(app.silence_max.as_millis()).unwrap_or(u64::MAX),
            trades_per_second: self.intake.about().trades_per_second,
            goes_on: self.intake.about().goes_on,
            stop: stop.clone(),
        };
        let Flow { feed, market } = self.intake.run(flow_parts);
        if let Some(feed) = feed {
            let feed = stop.clone().run_until_cancelled_owned(feed);
            tasks.spawn("the feed", async move {
                // The market checks whether it reported its end.
                _ = feed.await;
                Ok(())
            });
        }
        let ended = CancellationToken::new();
        let has_ended = ended.clone().drop_guard();
        tasks.spawn("the market", async move {
            let _has_ended = has_ended;
            market.await
        });
        if let Some(recorder) = self.recorder {
            let (market, ended) = (Arc::clone(&app.market), ended.clone());
            tasks.spawn("the recorder", recorder.run(market, ended));
        }
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
