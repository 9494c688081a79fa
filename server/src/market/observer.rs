//! The observer, which sees every batch and adds entries to the log.

use std::fmt::Debug;

use shared::{Alert, AlertChanges, Decimal, Tick, Time};
use tokio::sync::Notify;

use crate::entries::{Entries, Placed};

/// Sees every batch before any reader does. The market appends the firings that
/// it returns, and knows nothing else of alerts.
pub trait Observer: Debug + Send + Sync {
    /// The alerts that fire because of these ticks, in the order in which they
    /// fire. Each tick comes with the catalogue index of its instrument.
    fn observe(&self, ticks: &[(usize, Tick)]) -> Vec<Placed>;

    /// The feed was set to another time, at which these are the last prices, by
    /// instrument. Nothing that was seen before says anything of what follows.
    fn begin_anew(&self, prices: &[Option<Decimal>]);

    /// Takes in what another server has seen and done.
    fn follow(&self, entries: &Entries);

    /// Takes in all alerts as they are at another server.
    fn follow_all(&self, alerts: Vec<Alert>);

    /// When [`Self::wake`] next has something to do, by the server's clock, if
    /// that is known.
    fn due(&self) -> Option<Time>;

    /// The alerts that fire because their time has come.
    fn wake(&self) -> Vec<Placed>;

    /// Called when these firings are in the log.
    fn published(&self, fired: &[Placed]);

    /// Wakes the market when [`Self::take_changes`] has something.
    fn changed(&self) -> &Notify;

    /// Whether [`Self::take_changes`] has something.
    fn has_changes(&self) -> bool;

    /// What users changed since the last call.
    fn take_changes(&self) -> Option<AlertChanges>;
}
