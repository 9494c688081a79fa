//! Alerts as they are stored between runs, and as they are listed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use shared::{Alert, Checkpoint, Firing};

use super::limits::AlertId;
use super::record::UNSAVED_FIRINGS_MAX;

/// An alert and whether it is armed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAlert {
    /// The alert as users see it.
    pub alert: Arc<Alert>,
    /// Whether it will fire when its condition holds. One that fired is not
    /// armed until the condition no longer holds.
    pub armed: bool,
}

impl StoredAlert {
    /// Takes note of a firing, unless it is known already.
    pub(crate) fn note(&mut self, firing: &Firing) {
        if self.alert.fired < firing.count {
            Arc::make_mut(&mut self.alert).apply(firing);
        }
    }
}

/// The changes to alerts since the last call.
#[derive(Clone, Debug, Default)]
pub struct Unsaved {
    /// The number of the newest change included.
    pub change: u64,
    /// Alerts that are new or changed; `None` for a deleted one.
    pub alerts: BTreeMap<AlertId, Option<StoredAlert>>,
    /// The firings, oldest first.
    pub firings: VecDeque<Arc<Firing>>,
    /// How many firings were dropped because they waited too long.
    pub lost: u64,
}

impl Unsaved {
    /// Appends later changes. If there are too many firings, the oldest are
    /// lost.
    pub fn extend(&mut self, later: Self) {
        self.change = later.change;
        self.alerts.extend(later.alerts);
        self.firings.extend(later.firings);
        let over = self.firings.len().saturating_sub(UNSAVED_FIRINGS_MAX);
        self.firings.drain(..over);
        self.lost += later.lost + over as u64;
    }
}

/// A page of the alerts, by number.
#[derive(Clone, Debug)]
pub struct AlertsPage {
    /// At most as many as were requested.
    pub alerts: Vec<Arc<Alert>>,
    /// Whether there are more after these.
    pub has_more: bool,
    /// Increases with every change of any alert.
    pub change: u64,
}

impl PastAlerts {
    /// Those of another server, which judges them.
    pub(crate) fn of_checkpoint(checkpoint: &Checkpoint) -> Self {
        let kept = |alert: &Alert| StoredAlert {
            alert: Arc::new(alert.clone()),
            armed: true,
        };
        Self {
            alerts: checkpoint.alerts.iter().map(kept).collect(),
            fired: checkpoint.fired.clone(),
            newest_id: 0,
        }
    }
}

/// The alerts of an earlier run.
#[derive(Clone, Debug, Default)]
pub struct PastAlerts {
    /// All of them.
    pub alerts: Vec<StoredAlert>,
    /// The firings, oldest first.
    pub fired: Vec<Firing>,
    /// The highest number that was ever assigned.
    pub newest_id: AlertId,
}
