//! The receivers of webhooks.

use std::sync::atomic::Ordering;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use shared::WebhookStatus;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReceiverLabels {
    receiver: String,
}

/// The state of the receivers of webhooks.
#[derive(Debug, Default)]
pub(super) struct WebhookMetrics {
    waiting: Family<ReceiverLabels, Gauge>,
    failing: Family<ReceiverLabels, Gauge>,
    taken: Family<ReceiverLabels, Counter>,
    given_up: Family<ReceiverLabels, Counter>,
}

impl WebhookMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let own = Self::default();
        let help = "Alerts that a webhook has still to be told";
        registry.register("webhook_waiting", help, own.waiting.clone());
        let help = "1 while a webhook takes no alerts";
        registry.register("webhook_failing", help, own.failing.clone());
        let help = "Alerts that a webhook took";
        registry.register("webhook_taken", help, own.taken.clone());
        let help = "Alerts that a webhook will never be told";
        registry.register("webhook_given_up", help, own.given_up.clone());
        own
    }

    pub(super) fn set(&self, status: &WebhookStatus) {
        let labels = ReceiverLabels {
            receiver: status.receiver.clone(),
        };
        let waiting = i64::try_from(status.waiting).unwrap_or(i64::MAX);
        self.waiting.get_or_create(&labels).set(waiting);
        let is_failing = status.failing_since.is_some();
        self.failing.get_or_create(&labels).set(is_failing.into());
        // Counted elsewhere, and only copied here.
        for (family, count) in [
            (&self.taken, status.taken),
            (&self.given_up, status.given_up),
        ] {
            family
                .get_or_create(&labels)
                .inner()
                .store(count, Ordering::Relaxed);
        }
    }
}
