//! Alerts that another server judges: they are known here, and not checked.

use std::collections::BTreeSet;
use std::sync::Arc;

use shared::{Alert, Decimal, Firing, Time};

use super::super::limits::AlertId;
use super::super::stored::PastAlerts;
use super::super::watched::Watched;
use super::{Engine, Entry, StoredAlert};

impl Engine {
    /// Takes note of an alert as it is now.
    pub(in super::super) fn put_known(&mut self, alert: Alert) {
        let id = alert.id;
        let known = self.all.get(&id);
        let kept = StoredAlert {
            alert: Arc::new(alert),
            armed: known.is_none_or(|known| known.kept.armed),
        };
        self.all.insert(id, Entry::new(kept, None));
        self.newest_id = self.newest_id.max(id);
        self.record.touch(id);
    }

    /// Takes note of an alert and whether it is armed; `None` for a deleted one.
    pub(in super::super) fn put_kept(&mut self, id: AlertId, kept: Option<StoredAlert>) {
        match kept {
            Some(kept) => _ = self.all.insert(id, Entry::new(kept, None)),
            None => _ = self.all.remove(&id),
        }
        self.newest_id = self.newest_id.max(id);
        self.record.touch(id);
    }

    /// The alerts that changed since the last call, for other servers; `None` for a
    /// deleted one.
    pub(in super::super) fn take_unshared(&mut self) -> Vec<(AlertId, Option<StoredAlert>)> {
        let changed = self.record.take_unshared().into_iter();
        let kept = |id| Some(self.all.get(&id)?.kept.clone());
        changed.map(|id| (id, kept(id))).collect()
    }

    /// Judges all alerts from now on, in a market with these prices.
    pub(in super::super) fn judge(
        &mut self,
        prices: impl IntoIterator<Item = Option<Decimal>>,
        place_of: impl Fn(&str) -> Option<usize>,
        now: Time,
    ) {
        self.watched = prices.into_iter().map(Watched::new).collect();
        self.timers.clear();
        let ids: Vec<AlertId> = self.all.keys().copied().collect();
        for id in ids {
            if let Some(entry) = self.all.get_mut(&id) {
                entry.timer = None;
                entry.place = place_of(&entry.kept.alert.spec.symbol);
            }
            self.watch(id, now);
        }
        self.record.share();
    }

    /// Judges no more: what was not told to other servers never was.
    pub(in super::super) fn judge_no_more(&mut self, past: PastAlerts) {
        self.record.share_no_more();
        self.newest_id = self.newest_id.max(past.newest_id);
        self.record
            .set_fired(past.fired.into_iter().map(Arc::new).collect());
        let known: BTreeSet<_> = past.alerts.iter().map(|kept| kept.alert.id).collect();
        let gone: Vec<_> = self
            .all
            .keys()
            .filter(|id| !known.contains(id))
            .copied()
            .collect();
        gone.into_iter().for_each(|id| self.put_kept(id, None));
        for kept in past.alerts {
            self.put_kept(kept.alert.id, Some(kept));
        }
    }

    /// Takes note that an alert was deleted.
    pub(in super::super) fn drop_known(&mut self, id: AlertId) {
        self.all.remove(&id);
        self.record.touch(id);
    }

    /// Forgets all alerts.
    pub(in super::super) fn drop_all(&mut self) {
        self.all.clear();
    }

    /// Takes note of a firing, unless it is known already.
    pub(in super::super) fn note(&mut self, firing: &Arc<Firing>) {
        if let Some(entry) = self.all.get_mut(&firing.id) {
            entry.kept.note(firing);
        }
        if !self.record.has(firing) {
            self.record.fire(Arc::clone(firing));
        }
    }
}
