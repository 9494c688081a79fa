//! Alerts that another server judges: they are known here, and not checked.

use std::sync::Arc;

use shared::{Alert, Firing};

use super::super::limits::AlertId;
use super::{Engine, Entry, StoredAlert};

impl Engine {
    /// Takes note of an alert as it is now.
    pub(in super::super) fn put_known(&mut self, alert: Alert) {
        let id = alert.id;
        let kept = StoredAlert {
            alert: Arc::new(alert),
            armed: true,
        };
        self.all.insert(id, Entry::new(kept, None));
        self.newest_id = self.newest_id.max(id);
        self.record.touch(id);
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
        if let Some(entry) = self.all.get_mut(&firing.id)
            && entry.kept.alert.fired < firing.count
        {
            Arc::make_mut(&mut entry.kept.alert).apply(firing);
        }
        if !self.record.has(firing) {
            self.record.fire(Arc::clone(firing));
        }
    }
}
