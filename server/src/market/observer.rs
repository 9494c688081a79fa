//! Whoever looks at every batch, and what it adds to the log.

use std::fmt::Debug;
use std::sync::Arc;

use shared::{AlertChanges, Firing, Tick, Time};
use tokio::sync::Notify;

/// An alert that fired, and the place of its instrument in the catalogue.
pub type Placed = (usize, Arc<Firing>);

/// Looks at every batch before anybody else sees it. The market appends what
/// follows from it, and knows nothing else of alerts.
pub trait Observer: Debug + Send + Sync {
    /// What fires because of these ticks, each with the place of its
    /// instrument; in the order in which it fires.
    fn observe(&self, ticks: &[(usize, Tick)]) -> Vec<Placed>;

    /// When [`Self::wake`] has something to do, by the server's clock, if that
    /// is known.
    fn due(&self) -> Option<Time>;

    /// What fires because its time has come.
    fn wake(&self) -> Vec<Placed>;

    /// What fired is in the log now.
    fn published(&self, fired: &[Placed]);

    /// Wakes the market when [`Self::take_changes`] has something.
    fn changed(&self) -> &Notify;

    /// Whether [`Self::take_changes`] has something.
    fn has_changes(&self) -> bool;

    /// What people changed since the last time.
    fn take_changes(&self) -> Option<AlertChanges>;
}
