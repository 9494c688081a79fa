//! The health of the store.

use std::sync::{Arc, Mutex, PoisonError};

use shared::{Span, StoreStatus, Time};

/// The health of the store, to be reported. Clones share the same state.
#[derive(Clone, Debug)]
pub struct Health(Arc<Mutex<HealthState>>);

/// The state behind it.
#[derive(Clone, Debug)]
struct HealthState {
    /// When everything was last written.
    saved: Time,
    /// Since when writes fail, and why.
    failing: Option<(Time, String)>,
    /// The numbers of lost candles and firings.
    lost: (u64, u64),
    check: Check,
}

/// What is known of the file's soundness.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Check {
    Running,
    Sound,
    /// Could not be checked, for this reason.
    Failed(String),
    /// Is damaged: nothing is written any more.
    Damaged,
}

impl Health {
    /// The health of a store that was opened at `now`.
    pub(super) fn new(now: Time) -> Self {
        Self(Arc::new(Mutex::new(HealthState {
            saved: now,
            failing: None,
            lost: (0, 0),
            check: Check::Running,
        })))
    }

    /// Records that everything up to `now` is written.
    pub(super) fn succeed(&self, now: Time, lost: (u64, u64)) {
        self.change(|facts| {
            facts.lost = lost;
            if facts.check != Check::Damaged {
                facts.saved = now;
                facts.failing = None;
            }
        });
    }

    /// Records how many candles and firings will never be written.
    pub(super) fn lose(&self, lost: (u64, u64)) {
        self.change(|facts| facts.lost = lost);
    }

    /// Records that the file is sound.
    pub(super) fn found_sound(&self) {
        self.change(|facts| facts.check = Check::Sound);
    }

    /// Records that the file could not be checked.
    pub(super) fn not_checked(&self, reason: String) {
        self.change(|facts| facts.check = Check::Failed(reason));
    }

    /// Records that the file is damaged. From now on, nothing can be saved.
    pub(super) fn found_damaged(&self, now: Time, detail: &str) {
        self.change(|facts| {
            facts.check = Check::Damaged;
            let detail = format!("the file is damaged: {detail}; restore it from a copy");
            facts.failing = Some((now, detail));
        });
    }

    /// Whether the file was found to be damaged.
    pub(super) fn is_damaged(&self) -> bool {
        self.change(|facts| facts.check == Check::Damaged)
    }

    /// Records that a write failed; `lost` candles and firings will never be
    /// written.
    pub(super) fn fail(&self, now: Time, lost: (u64, u64), detail: String) {
        self.change(|facts| {
            facts.lost = lost;
            if facts.check != Check::Damaged {
                let since = facts.failing.take().map_or(now, |(since, _)| since);
                facts.failing = Some((since, detail));
            }
        });
    }

    /// The status that is sent to clients.
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

    /// The line for the readiness check, at `now`.
    pub fn line(&self, now: Time) -> String {
        let seconds_since = |time: Time| (now - time).max(Span::ZERO).seconds();
        self.change(|facts| {
            let lost = match facts.lost {
                (candles, 0) => format!("{candles} candles lost"),
                (candles, firings) => format!("{candles} candles and {firings} firings lost"),
            };
            let check = match &facts.check {
                Check::Running => "the file is being checked".to_owned(),
                Check::Sound => "the file is sound".to_owned(),
                Check::Failed(reason) => format!("the file could not be checked ({reason})"),
                Check::Damaged => String::new(),
            };
            match &facts.failing {
                None => format!(
                    "store: saved {:.1} s ago, {lost}; {check}",
                    seconds_since(facts.saved)
                ),
                Some((since, detail)) if facts.check == Check::Damaged => format!(
                    "store: cannot save for {:.1} s ({detail}), {lost}",
                    seconds_since(*since)
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
        // Consistent after every change, so a poisoned lock is safe to use.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
