//! Alerts of several servers with one log: one of them judges, the others know.

use shared::Decimal;

use super::{AlertBook, Changes, PastAlerts, StoredAlert};
use crate::clock;

/// Another server judges alerts, by now: a change that was made here does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another server leads by now; look whether the change was made, and try again")]
pub struct Elsewhere;

/// Who judges alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judge {
    /// This server, for itself.
    Alone,
    /// This server, for several: since it last began to, and others know changes up to
    /// this one.
    Here { begun: u64, known: u64 },
    /// Another server.
    Elsewhere,
}

impl AlertBook {
    /// Judges all alerts from now on, in a market with these prices, by instrument;
    /// other servers have to be told of all changes.
    pub(crate) fn judge(&self, prices: Vec<Option<Decimal>>) {
        let place = |symbol: &str| self.catalogue.place(symbol);
        let mut engine = self.engine();
        engine.judge(prices, place, clock::now());
        let known = engine.change();
        self.judge.send_replace(Judge::Here {
            begun: known,
            known,
        });
    }

    /// Another server judges.
    pub(crate) fn leave_to_others(&self) {
        self.judge.send_replace(Judge::Elsewhere);
    }

    /// Whether alerts can be changed here; to be asked while the engine is locked.
    pub(super) fn check_judge(&self) -> Result<(), Elsewhere> {
        match *self.judge.borrow() {
            Judge::Elsewhere => Err(Elsewhere),
            Judge::Alone | Judge::Here { .. } => Ok(()),
        }
    }

    /// Judges no more, or not yet: another server does. These are the alerts as all
    /// servers know them.
    pub(crate) fn judge_no_more(&self, past: PastAlerts) {
        let mut engine = self.engine();
        self.leave_to_others();
        engine.judge_no_more(past);
        *self.changes() = Changes::default();
        drop(engine);
        self.unsaved.notify_one();
    }

    /// Whether other servers have to be told of something.
    pub(crate) fn has_unshared(&self) -> bool {
        self.engine().has_unshared()
    }

    /// What other servers have to be told, since the last call, and the change up to
    /// which it is.
    pub(crate) fn take_unshared(&self) -> (u64, Vec<(u64, Option<StoredAlert>)>) {
        let mut engine = self.engine();
        let unshared = engine.take_unshared();
        (engine.change(), unshared)
    }

    /// Records that other servers know everything up to this change.
    pub(crate) fn share(&self, change: u64) {
        self.judge.send_modify(|judge| {
            if let Judge::Here { known, .. } = judge {
                *known = change;
            }
        });
    }

    /// Takes note of alerts as another server has them; `None` for a deleted one.
    pub(crate) fn put_kept(&self, alerts: Vec<(u64, Option<StoredAlert>)>) {
        let mut engine = self.engine();
        for (id, kept) in alerts {
            engine.put_kept(id, kept);
        }
        drop(engine);
        self.unsaved.notify_one();
    }

    /// Completes when other servers know all changes until now; at once if there are
    /// none.
    ///
    /// # Errors
    ///
    /// Another server judges by now.
    pub(crate) async fn until_shared(&self) -> Result<(), Elsewhere> {
        let change = self.engine().change();
        let mut judge = self.judge.subscribe();
        let Judge::Here { begun: before, .. } = *judge.borrow() else {
            return self.check_judge();
        };
        let is_over = |judge: &Judge| match judge {
            Judge::Here { begun, known } => *begun != before || *known >= change,
            Judge::Alone | Judge::Elsewhere => true,
        };
        let judge = judge.wait_for(is_over).await;
        // Cannot fail: the sender lives in this book.
        let judge = judge.map_or(Judge::Elsewhere, |judge| *judge);
        match judge {
            Judge::Here { begun, .. } if begun == before => Ok(()),
            _ => Err(Elsewhere),
        }
    }
}
