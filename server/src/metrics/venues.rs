//! The exchanges that prices come from.

use std::sync::atomic::Ordering;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use shared::{FeedState, VenueStatus};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    venue: String,
}

/// The state of exchanges.
#[derive(Debug, Default)]
pub(super) struct VenueMetrics {
    live: Family<Labels, Gauge>,
    missed: Family<Labels, Counter>,
    filled: Family<Labels, Counter>,
    unread: Family<Labels, Counter>,
}

impl VenueMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let own = Self::default();
        let help = "1 while an exchange's prices arrive";
        registry.register("venue_live", help, own.live.clone());
        let help = "Trades of an exchange that were missing and could not be found";
        registry.register("venue_missed", help, own.missed.clone());
        let help = "Trades of an exchange that were missing, and were asked for and found";
        registry.register("venue_filled", help, own.filled.clone());
        let help = "Messages of an exchange that could not be read";
        registry.register("venue_unread", help, own.unread.clone());
        own
    }

    pub(super) fn set(&self, status: &VenueStatus) {
        let labels = Labels {
            venue: status.venue.clone(),
        };
        let is_live = status.state == FeedState::Live;
        self.live.get_or_create(&labels).set(is_live.into());
        // Counted elsewhere, and only copied here.
        for (family, count) in [
            (&self.missed, status.missed),
            (&self.filled, status.filled),
            (&self.unread, status.unread),
        ] {
            family
                .get_or_create(&labels)
                .inner()
                .store(count, Ordering::Relaxed);
        }
    }
}
