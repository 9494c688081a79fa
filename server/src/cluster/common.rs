//! What the parts of a node share: what all servers know, and how this one says how it
//! stands.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::{FeedState, FeedStatus, Firing};

use super::Seat;
use super::log::Turns;
use super::older::MemberOlder;
use super::record::Record;
use super::saved::{Heritage, Saved};
use super::seen::Seen;
use crate::alerts::{FIRED_MAX, PastAlerts, StoredAlert};
use crate::deliveries::{Deliveries, Delivery};
use crate::entries::{Entries, Placed};
use crate::flow::FlowParts;
use crate::market::Batch;

/// What the parts of a node share.
pub(super) struct Shared {
    pub(super) seat: Seat,
    pub(super) parts: FlowParts,
    pub(super) older: Arc<MemberOlder>,
    known: Mutex<Known>,
}

/// What all servers know, as of the newest message that this one shows.
#[derive(Debug, Default)]
pub(super) struct Known {
    alerts: BTreeMap<u64, StoredAlert>,
    /// The highest number of an alert that there ever was.
    newest_alert: u64,
    /// The newest last.
    fired: VecDeque<Arc<Firing>>,
    /// Of each instrument.
    pub(super) seen: Vec<Seen>,
    /// What the feed has to know to make the same past again.
    pub(super) origin: Option<String>,
    /// The name of the newest message.
    pub(super) newest: Option<String>,
}

impl Known {
    /// As a past says, and of so many instruments no trades.
    pub(super) fn new(past: PastAlerts, instruments: usize) -> Self {
        let alerts = past.alerts.into_iter();
        Self {
            alerts: alerts.map(|kept| (kept.alert.id, kept)).collect(),
            newest_alert: past.newest_id,
            fired: past.fired.into_iter().map(Arc::new).collect(),
            seen: vec![Seen::default(); instruments],
            origin: None,
            newest: None,
        }
    }

    pub(super) fn put_alerts(&mut self, alerts: impl Iterator<Item = (u64, Option<StoredAlert>)>) {
        for (id, kept) in alerts {
            self.newest_alert = self.newest_alert.max(id);
            match kept {
                Some(kept) => _ = self.alerts.insert(id, kept),
                None => _ = self.alerts.remove(&id),
            }
        }
    }

    pub(super) fn note(&mut self, entries: &Entries) {
        match entries {
            Entries::Ticks(ticks) => {
                for (place, tick) in ticks {
                    if let (Some(trade), Some(seen)) = (tick.trade(), self.seen.get_mut(*place)) {
                        seen.note(trade);
                    }
                }
            }
            Entries::Firings(fired) => {
                for (_, firing) in fired {
                    // What else of the alert changed may be in a record of its own.
                    if let Some(kept) = self.alerts.get_mut(&firing.id) {
                        kept.note(firing);
                    }
                    if self.fired.len() == FIRED_MAX {
                        self.fired.pop_front();
                    }
                    self.fired.push_back(Arc::clone(firing));
                }
            }
            _ => {}
        }
    }

    pub(super) fn past_alerts(&self) -> PastAlerts {
        PastAlerts {
            alerts: self.alerts.values().cloned().collect(),
            fired: self.fired.iter().map(|one| Firing::clone(one)).collect(),
            newest_id: self.newest_alert,
        }
    }
}

impl Shared {
    pub(super) fn new(seat: Seat, parts: FlowParts, older: Arc<MemberOlder>, known: Known) -> Self {
        Self {
            seat,
            parts,
            older,
            known: Mutex::new(known),
        }
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        // Each change is one step, so a poisoned lock is safe to use.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record of these batches, which this server wrote, is in the stream.
    pub(super) fn took(&self, record: Record, batches: &[Batch]) {
        let mut known = self.known();
        known.newest = Some(record.head.name);
        let alerts = record.beside.alerts.into_iter();
        known.put_alerts(alerts.map(|(id, kept)| (id, kept.map(Into::into))));
        for batch in batches {
            known.note(batch.entries());
            if let Entries::Firings(fired) = batch.entries() {
                deliver(&self.parts.receivers, fired);
            }
        }
    }

    /// For each receiver, the firings that are still to be delivered.
    fn waiting(&self) -> Vec<(String, Vec<Firing>)> {
        let waiting = |receiver: &Arc<Deliveries>| {
            let waiting = receiver.waiting();
            let waiting = waiting.iter().map(|firing| Firing::clone(firing));
            (receiver.id().to_owned(), waiting.collect())
        };
        self.parts.receivers.iter().map(waiting).collect()
    }

    /// What goes on in another run, as of this message of this stream.
    pub(super) fn heritage(&self, made: Option<i64>, message: u64) -> Heritage {
        Heritage {
            made,
            message,
            alerts: self.known().past_alerts(),
            waiting: self.waiting(),
        }
    }

    /// Says why there are no prices; `None` if there are.
    pub(super) fn stand(&self, why: Option<&str>) {
        let market = &self.parts.market;
        market.stand(why.map(|why| FeedStatus {
            state: FeedState::Reconnecting,
            detail: format!("no prices: {why}"),
            retry_ms: None,
            ..market.feed_status()
        }));
    }

    /// Where the log stands, with everything that servers share.
    pub(super) async fn save(&self, turns: &Turns) -> Result<(), String> {
        let extent = self.seat.bus.extent().await;
        let made = extent.map_err(|error| error.to_string())?.made;
        // From here on nothing is waited for, so nothing is shown meanwhile.
        let message = turns.shown();
        let parts = &self.parts;
        let mut checkpoint = parts.market.checkpoint(parts.silence_max_ms);
        let saved = {
            let known = self.known();
            checkpoint.fired = known.fired.iter().map(|one| Firing::clone(one)).collect();
            Saved {
                checkpoint,
                made,
                message,
                alerts: known.alerts.values().cloned().map(Into::into).collect(),
                waiting: self.waiting(),
                newest_alert: known.newest_alert,
                seen: known.seen.clone(),
                origin: known.origin.clone(),
                newest: known.newest.clone(),
                trades_per_second: parts.trades_per_second,
                goes_on: parts.goes_on,
            }
        };
        // In a thread of its own: many alerts take a while to pack.
        let packed = tokio::task::spawn_blocking(move || saved.write()).await;
        let packed = packed.map_err(|error| error.to_string())?;
        let bytes = packed.map_err(|error| error.to_string())?;
        let kept = self.seat.bus.keep_checkpoint(&bytes).await;
        kept.map_err(|error| error.to_string())
    }
}

/// Queues firings for all receivers, if this server should have to deliver them.
pub(super) fn deliver(receivers: &[Arc<Deliveries>], fired: &[Placed]) {
    for receiver in receivers {
        let firings = fired.iter().map(|(_, firing)| firing);
        receiver.extend(firings.map(|firing| Delivery::new(Arc::clone(firing), firing.at())));
    }
}

/// Gives receivers what they wait for.
pub(super) fn wait_for(receivers: &[Arc<Deliveries>], waiting: Vec<(String, Vec<Firing>)>) {
    for (id, firings) in waiting {
        let theirs = receivers.iter().filter(|receiver| receiver.id() == id);
        let deliveries = firings.into_iter().map(|firing| {
            let made = firing.at();
            Delivery::new(Arc::new(firing), made)
        });
        let deliveries: Vec<_> = deliveries.collect();
        theirs.for_each(|receiver| receiver.extend(deliveries.iter().cloned()));
    }
}
