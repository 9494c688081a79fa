//! What the market and the store do, counted where it is done.

use std::time::Instant;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use shared::SnapshotReason;

/// The counters of the market and the store. Clones share them.
#[derive(Clone, Debug)]
pub struct Work {
    publishing: Histogram,
    writing: Histogram,
    lag: Histogram,
    firings: Counter,
    snapshots: Family<Reason, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

impl Work {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "How long it took to publish a batch of ticks";
        let publishing = self.publishing.clone();
        registry.register_with_unit("publish_time", help, Unit::Seconds, publishing);
        let help = "How long it took to write what was new into the store";
        let writing = self.writing.clone();
        registry.register_with_unit("store_write_time", help, Unit::Seconds, writing);
        let help = "How many entries of the log a reader was behind when it read";
        registry.register("reader_lag", help, self.lag.clone());
        let help = "Alerts that fired";
        registry.register("firings", help, self.firings.clone());
        let help = "Snapshots that readers were sent";
        registry.register("snapshots", help, self.snapshots.clone());
    }

    /// Counts a batch of ticks whose publishing began at this moment.
    pub(crate) fn published(&self, begun: Instant) {
        self.publishing.observe(begun.elapsed().as_secs_f64());
    }

    /// Counts a write of the store that began at this moment.
    pub(crate) fn wrote(&self, begun: Instant) {
        self.writing.observe(begun.elapsed().as_secs_f64());
    }

    /// Counts a reader that reads so many entries behind the log's head.
    pub(crate) fn lag(&self, entries: u64) {
        self.lag.observe(entries as f64);
    }

    /// Counts alerts that fired.
    pub(crate) fn fired(&self, count: usize) {
        self.firings.inc_by(count as u64);
    }

    /// Counts a snapshot.
    pub(crate) fn snapshot(&self, reason: SnapshotReason) {
        let reason = match reason {
            SnapshotReason::Start => "start",
            SnapshotReason::Restarted => "restarted",
            SnapshotReason::Lagged => "lagged",
            SnapshotReason::Jumped => "jumped",
        };
        self.snapshots.get_or_create(&Reason { reason }).inc();
    }
}

impl Default for Work {
    fn default() -> Self {
        // From 10 µs to 2.6 s, and from one entry to a million.
        let times = || Histogram::new(exponential_buckets(1e-5, 4.0, 10));
        Self {
            publishing: times(),
            writing: times(),
            lag: Histogram::new(exponential_buckets(1.0, 4.0, 11)),
            firings: Counter::default(),
            snapshots: Family::default(),
        }
    }
}
