//! Deliveries of several servers with one log: one of them delivers, the others know.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use shared::Firing;

use super::{Deliveries, Delivery, FiringName, forget_oldest};

/// So many names are told at once.
const NAMES_MAX: usize = 2_000;

impl Deliveries {
    /// Delivers from now on, or leaves that to another server.
    pub(crate) fn set_idle(&self, is_idle: bool) {
        let mut state = self.state();
        state.is_idle = is_idle;
        state.unshared = (!is_idle).then(VecDeque::new);
        drop(state);
        self.changed.notify_waiters();
    }

    /// What was delivered or given up since the last call, for other servers: the oldest
    /// of it, if that is much.
    pub(crate) fn take_unshared(&self) -> Vec<FiringName> {
        let mut state = self.state();
        let Some(unshared) = &mut state.unshared else {
            return Vec::new();
        };
        let count = unshared.len().min(NAMES_MAX);
        unshared.drain(..count).collect()
    }

    /// Whether other servers have to be told of something.
    pub(crate) fn has_unshared(&self) -> bool {
        self.state()
            .unshared
            .as_ref()
            .is_some_and(|unshared| !unshared.is_empty())
    }

    /// Takes note that another server has delivered these, or given them up.
    pub(crate) fn drop_settled(&self, names: &[FiringName]) {
        let mut state = self.state();
        let settled: HashSet<_> = names.iter().copied().collect();
        let is_named = |delivery: &Delivery| settled.contains(&delivery.name());
        let places: Vec<_> = state
            .waiting
            .iter()
            .filter(|(_, (_, delivery))| is_named(delivery))
            .map(|(place, _)| *place)
            .collect();
        for place in places {
            state.remove(place);
        }
        if let Some(settled) = &mut state.settled {
            settled.extend(names);
            forget_oldest(settled);
        }
    }

    /// All firings that are still to be delivered, or are on their way.
    pub(crate) fn waiting(&self) -> Vec<Arc<Firing>> {
        let state = self.state();
        let waiting = state.waiting.values();
        let waiting = waiting.map(|(_, delivery)| &delivery.firing);
        let all = state.in_flight.values().chain(waiting);
        all.cloned().collect()
    }
}
