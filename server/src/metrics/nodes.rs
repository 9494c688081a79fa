//! How a server stands among those that share its log.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::standing::NodeStatus;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    node: String,
}

#[derive(Debug, Default)]
pub(super) struct NodeMetrics {
    leads: Family<Labels, Gauge>,
    behind: Family<Labels, Gauge>,
    hop: Family<Labels, Gauge<f64, AtomicU64>>,
}

impl NodeMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let own = Self::default();
        let help = "1 while this server writes the shared log";
        registry.register("node_leads", help, own.leads.clone());
        let help = "Messages of the shared log that this server does not show yet";
        registry.register("node_behind", help, own.behind.clone());
        let help = "How long the newest batch took from the leader to this server";
        registry.register_with_unit("node_hop", help, Unit::Seconds, own.hop.clone());
        own
    }

    pub(super) fn set(&self, status: &NodeStatus) {
        let labels = Labels {
            node: status.node.clone(),
        };
        let behind = i64::try_from(status.behind()).unwrap_or(i64::MAX);
        self.leads
            .get_or_create(&labels)
            .set(status.is_leading().into());
        self.behind.get_or_create(&labels).set(behind);
        self.hop.get_or_create(&labels).set(status.hop().seconds());
    }
}
