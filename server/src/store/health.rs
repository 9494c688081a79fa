//! How well the store does.

use std::sync::{Arc, Mutex, PoisonError};

use shared::{Span, StoreStatus, Time};

/// How the store does, for those who tell people. Clones are of the same one.
#[derive(Clone, Debug)]
pub struct Health(Arc<Mutex<HealthState>>);

/// What is known.
#[derive(Clone, Debug)]
struct HealthState {
    /// When all that there was had been written.
    saved: Time,
    /// Since when that fails, and why.
    failing: Option<(Time, String)>,
    /// Candles and firings.
    lost: (u64, u64),
}

impl Health {
    /// Of a store that was opened at `now`.
    pub(super) fn new(now: Time) -> Self {
        Self(Arc::new(Mutex::new(HealthState {
            saved: now,
            failing: None,
            lost: (0, 0),
        })))
    }

    /// All that there was at `now` is written.
    pub(super) fn succeed(&self, now: Time, lost: (u64, u64)) {
        self.change(|facts| {
            *facts = HealthState {
                saved: now,
                failing: None,
                lost,
            }
        });
    }

    /// It could not be written; `lost` candles and firings never will be.
    pub(super) fn fail(&self, now: Time, lost: (u64, u64), detail: String) {
        self.change(|facts| {
            let since = facts.failing.take().map_or(now, |(since, _)| since);
            facts.failing = Some((since, detail));
            facts.lost = lost;
        });
    }

    /// As it is told to clients.
    pub fn status(&self) -> StoreStatus {
        self.change(|facts| {
            let failing = facts.failing.as_ref();
            StoreStatus {
                saving: failing.is_none(),
                detail: failing.map_or(String::new(), |(_, detail)| detail.clone()),
                lost: facts.lost.0,
                lost_firings: facts.lost.1,
            }
        })
    }

    /// As it is told to whoever asks whether the server is ready, at `now`.
    pub fn line(&self, now: Time) -> String {
        let seconds_since = |time: Time| (now - time).max(Span::ZERO).seconds();
        self.change(|facts| {
            let lost = match facts.lost {
                (candles, 0) => format!("{candles} candles lost"),
                (candles, firings) => format!("{candles} candles and {firings} firings lost"),
            };
            match &facts.failing {
                None => format!(
                    "store: saved {:.1} s ago, {lost}",
                    seconds_since(facts.saved)
                ),
                Some((since, detail)) => format!(
                    "store: cannot save for {:.1} s ({detail}), {lost}; \
                     it is tried again every few seconds",
                    seconds_since(*since)
                ),
            }
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut HealthState) -> T) -> T {
        // HealthState are whole after every change; a panic elsewhere spoils nothing.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
