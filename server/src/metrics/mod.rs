//! The server's counters. A leaf module: every part may count, and it depends
//! on none.

mod cpu;
mod nodes;
mod receivers;
mod refusal;
mod venues;
mod work;

use self::nodes::NodeMetrics;
use self::receivers::WebhookMetrics;
pub(crate) use self::refusal::Refusal;
use self::venues::VenueMetrics;
pub use self::work::Work;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::standing::NodeStatus;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use shared::{Channel, StatsAnswer, StoreStatus, TransportStats, VenueStatus, WebhookStatus};

pub use cpu::{Meter, Stopwatch};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    /// The name in `GET /api/stats`.
    transport: &'static str,
    encoding: &'static str,
}

/// What is looked up when somebody asks for the metrics.
#[derive(Debug)]
pub(crate) struct Present<'a> {
    /// The number of the newest entry of the log.
    pub head: u64,
    /// For how long nothing has come from the feed.
    pub silence: Duration,
    /// The status of the store, if there is one.
    pub store: Option<&'a StoreStatus>,
    /// The status of each receiver of webhooks.
    pub webhooks: &'a [WebhookStatus],
    /// The status of each exchange.
    pub venues: &'a [VenueStatus],
    /// How the server stands among those that share its log, if it is shared.
    pub(crate) node: Option<&'a NodeStatus>,
}

/// The counters of one server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    started: Instant,
    channels: [ChannelMetrics; Channel::ALL.len()],
    /// The newest entry of the log.
    head: Gauge,
    store_failing: Gauge,
    store_lost: Gauge,
    store_lost_firings: Gauge,
    webhooks: WebhookMetrics,
    venues: VenueMetrics,
    nodes: NodeMetrics,
    refused: [Counter; Refusal::ALL.len()],
    work: Work,
    /// For how long no price has come, in seconds.
    silence: Gauge<f64, AtomicU64>,
    tasks: Gauge,
    /// In seconds.
    process_cpu: Counter<f64, AtomicU64>,
}

/// The cost so far of one transport in one encoding. Clones share the same
/// counters.
#[derive(Clone, Debug)]
pub struct ChannelMetrics {
    channel: Channel,
    open: Gauge<i64, AtomicI64>,
    requests: Counter,
    empty: Counter,
    messages: Counter,
    ticks: Counter,
    bytes: Counter,
    /// In seconds.
    cpu: Counter<f64, AtomicU64>,
}

/// Registers what is counted for each transport in each encoding.
fn channels(registry: &mut Registry) -> [ChannelMetrics; Channel::ALL.len()] {
    let mut counters = |name: &str, help: &str| {
        let family = Family::<Labels, Counter>::default();
        registry.register(name, help, family.clone());
        family
    };
    let requests = counters("requests", "Requests; for streams, connections");
    let empty = counters("empty_answers", "Answers that had nothing new");
    let messages = counters("messages", "Messages sent to clients");
    let ticks = counters("ticks", "Ticks sent to clients");
    let bytes = counters("payload_bytes", "Bytes of messages sent to clients");
    let cpu = Family::<Labels, Counter<f64, AtomicU64>>::default();
    registry.register(
        "cpu_seconds",
        "Processor time spent on connections",
        cpu.clone(),
    );
    let open = Family::<Labels, Gauge>::default();
    let help = "Connections and requests that are open now";
    registry.register("open", help, open.clone());
    Channel::ALL.map(|channel| {
        let labels = Labels {
            transport: channel.transport.key(),
            encoding: channel.format.key(),
        };
        ChannelMetrics {
            channel,
            open: open.get_or_create(&labels).clone(),
            requests: requests.get_or_create(&labels).clone(),
            empty: empty.get_or_create(&labels).clone(),
            messages: messages.get_or_create(&labels).clone(),
            ticks: ticks.get_or_create(&labels).clone(),
            bytes: bytes.get_or_create(&labels).clone(),
            cpu: cpu.get_or_create(&labels).clone(),
        }
    })
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("tickwire");
        let channels = channels(&mut registry);
        let head = Gauge::default();
        registry.register(
            "log_head",
            "Sequence number of the newest entry",
            head.clone(),
        );
        let store_failing = Gauge::default();
        let help = "1 while history cannot be written";
        registry.register("store_failing", help, store_failing.clone());
        let store_lost = Gauge::default();
        let help = "Candles that left the memory before they could be written";
        registry.register("store_lost_candles", help, store_lost.clone());
        let store_lost_firings = Gauge::default();
        let help = "Firings of alerts that were given up before they could be written";
        registry.register("store_lost_firings", help, store_lost_firings.clone());
        let webhooks = WebhookMetrics::new(&mut registry);
        let venues = VenueMetrics::new(&mut registry);
        let nodes = NodeMetrics::new(&mut registry);
        let refused = refusal::counters(&mut registry);
        let work = Work::default();
        work.register(&mut registry);
        let silence = Gauge::default();
        let help = "For how long nothing has come from the feed";
        registry.register_with_unit("feed_silence", help, Unit::Seconds, silence.clone());
        let tasks = Gauge::default();
        let help = "Tasks that run: those of connections, and some more";
        registry.register("tasks", help, tasks.clone());
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program that runs", build);
        let process_cpu = Counter::default();
        let help = "Processor time of the whole server so far";
        registry.register("process_cpu_seconds", help, process_cpu.clone());
        Self {
            registry,
            started: Instant::now(),
            channels,
            head,
            store_failing,
            store_lost,
            store_lost_firings,
            webhooks,
            venues,
            nodes,
            refused,
            work,
            silence,
            tasks,
            process_cpu,
        }
    }

    /// The counters of one transport in one encoding.
    pub fn of(&self, channel: Channel) -> &ChannelMetrics {
        &self.channels[channel.index()]
    }

    /// What the market and the store count.
    pub fn work(&self) -> &Work {
        &self.work
    }

    /// Counts what a client was refused.
    pub(crate) fn refused(&self, what: Refusal) {
        self.refused[what as usize].inc();
    }

    /// All metrics in Prometheus' text format.
    pub(crate) fn prometheus(&self, present: &Present<'_>) -> Result<String, std::fmt::Error> {
        self.head
            .set(i64::try_from(present.head).unwrap_or(i64::MAX));
        self.silence.set(present.silence.as_secs_f64());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let tasks = runtime.metrics().num_alive_tasks();
            self.tasks.set(i64::try_from(tasks).unwrap_or(i64::MAX));
        }
        // The system counts it, and the value is only copied.
        let cpu = cpu::process_time().as_secs_f64();
        self.process_cpu
            .inner()
            .store(cpu.to_bits(), Ordering::Relaxed);
        if let Some(store) = present.store {
            self.store_failing.set((!store.saving).into());
            let lost = i64::try_from(store.lost).unwrap_or(i64::MAX);
            self.store_lost.set(lost);
            let lost_firings = i64::try_from(store.lost_firings).unwrap_or(i64::MAX);
            self.store_lost_firings.set(lost_firings);
        }
        let webhooks = present.webhooks.iter();
        webhooks.for_each(|status| self.webhooks.set(status));
        let venues = present.venues.iter();
        venues.for_each(|status| self.venues.set(status));
        if let Some(node) = present.node {
            self.nodes.set(node);
        }
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// The cost of each transport so far.
    pub fn stats(&self, cursor: shared::Cursor) -> StatsAnswer {
        StatsAnswer {
            uptime_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            cursor,
            transports: self.channels.iter().map(ChannelMetrics::stats).collect(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl ChannelMetrics {
    /// Counts a request or connection, as open until the returned guard is
    /// dropped.
    pub fn open(&self) -> OpenGuard {
        self.requests.inc();
        self.open.inc();
        OpenGuard(self.open.clone())
    }

    /// Counts a message of this many bytes and ticks.
    pub fn sent(&self, bytes: usize, ticks: usize) {
        self.messages.inc();
        self.ticks.inc_by(ticks as u64);
        self.bytes.inc_by(bytes as u64);
    }

    /// Counts a message of this many bytes and ticks that was sent to `clients`
    /// clients.
    pub fn sent_to(&self, clients: usize, bytes: usize, ticks: usize) {
        self.messages.inc_by(clients as u64);
        self.ticks.inc_by((clients * ticks) as u64);
        self.bytes.inc_by((clients * bytes) as u64);
    }

    /// Counts an answer without messages.
    pub fn empty(&self, bytes: usize) {
        self.empty.inc();
        self.bytes.inc_by(bytes as u64);
    }

    /// Counts processor time.
    pub fn spent(&self, time: Duration) {
        self.cpu.inc_by(time.as_secs_f64());
    }

    fn stats(&self) -> TransportStats {
        TransportStats {
            channel: self.channel,
            open: self.open.get(),
            requests: self.requests.get(),
            empty_answers: self.empty.get(),
            messages: self.messages.get(),
            ticks: self.ticks.get(),
            payload_bytes: self.bytes.get(),
            cpu_us: (self.cpu.get() * 1e6) as u64,
        }
    }
}

/// A connection that is counted as open while this lives.
#[derive(Debug)]
pub struct OpenGuard(Gauge<i64, AtomicI64>);

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}
