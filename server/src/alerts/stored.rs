//! Alerts as they are kept from one run to the next, and as they are listed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use shared::{Alert, Firing};

use super::limits::AlertId;
use super::record::UNSAVED_FIRINGS_MAX;

/// An alert, and whether it waits for its condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAlert {
    /// As people see it.
    pub alert: Arc<Alert>,
    /// Whether it will fire when its condition holds. One that fired is not
    /// armed until the condition no longer holds.
    pub armed: bool,
}

/// What happened to alerts since the last time that somebody asked.
#[derive(Clone, Debug, Default)]
pub struct Unsaved {
    /// Number of the newest change in it.
    pub change: u64,
    /// Those that are new or other than before; `None` for one that is gone.
    pub alerts: BTreeMap<AlertId, Option<StoredAlert>>,
    /// What fired, oldest first.
    pub firings: VecDeque<Arc<Firing>>,
    /// How many firings are in none of these, because nobody asked for too
    /// long.
    pub lost: u64,
}

impl Unsaved {
    /// Adds what happened after it. Of too many firings the oldest are lost.
    pub fn extend(&mut self, later: Self) {
        self.change = later.change;
        self.alerts.extend(later.alerts);
        self.firings.extend(later.firings);
        let over = self.firings.len().saturating_sub(UNSAVED_FIRINGS_MAX);
        self.firings.drain(..over);
        self.lost += later.lost + over as u64;
    }
}

/// Some of the alerts, by number.
#[derive(Clone, Debug)]
pub struct AlertsPage {
    /// At most as many as were asked for.
    pub alerts: Vec<Arc<Alert>>,
    /// Whether there are more after these.
    pub has_more: bool,
    /// Goes up with every change of any alert.
    pub change: u64,
}

/// The alerts of the past.
#[derive(Clone, Debug, Default)]
pub struct PastAlerts {
    /// All of them.
    pub alerts: Vec<StoredAlert>,
    /// What fired, oldest first.
    pub fired: Vec<Firing>,
    /// The highest number that was ever given.
    pub newest_id: AlertId,
}
