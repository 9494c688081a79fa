//! The market's alerts, for those outside of it.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};

use shared::{Alert, AlertChanges, AlertSpec, Firing};
use tokio::sync::mpsc;

use super::super::{Firings, Market, UnknownSymbol};
use super::{AlertError, Alerts, AlertsPage, Unsaved};
use crate::clock;

/// So many alerts that changed are told one by one.
const CHANGES_MAX: usize = 256;

/// Why an alert was not made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlertFault {
    /// The catalogue does not have its symbol.
    #[error(transparent)]
    UnknownSymbol(#[from] UnknownSymbol),
    /// For another reason.
    #[error(transparent)]
    Alert(#[from] AlertError),
}

impl Market {
    /// The first `limit` alerts after the number `after`, by number.
    pub fn alerts(&self, after: u64, limit: usize) -> AlertsPage {
        self.book().page(after, limit)
    }

    /// The alert with this number.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn alert(&self, id: u64) -> Result<Arc<Alert>, AlertError> {
        self.book().get(id).cloned()
    }

    /// The newest `limit` firings, the newest first.
    pub fn fired(&self, limit: usize) -> Vec<Arc<Firing>> {
        self.book().fired(limit)
    }

    /// What fires from now on, together with what fires at the same time. It is
    /// kept until it is taken: whoever listens does nothing else, and puts it
    /// where there is a bound.
    pub(crate) fn listen(&self) -> mpsc::UnboundedReceiver<Firings> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.listeners().push(sender);
        receiver
    }

    pub(in super::super) fn listeners(
        &self,
    ) -> MutexGuard<'_, Vec<mpsc::UnboundedSender<Firings>>> {
        // Whole after every step.
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an alert.
    ///
    /// # Errors
    ///
    /// There is no such symbol, or there are too many alerts.
    pub fn create_alert(&self, mut spec: AlertSpec) -> Result<Arc<Alert>, AlertFault> {
        let place = self.find(&spec.symbol)?;
        self.instruments[place].symbol.clone_into(&mut spec.symbol);
        let alert = self.book().create(spec, place, clock::now())?;
        self.alert_changed(alert.id);
        Ok(alert)
    }

    /// Sets an alert anew.
    ///
    /// # Errors
    ///
    /// There is no such alert, or it is at none of the versions `expected`, or
    /// the catalogue does not have its new symbol. What had a symbol of another
    /// feed may keep it.
    pub fn replace_alert(
        &self,
        id: u64,
        expected: Option<&[u64]>,
        mut spec: AlertSpec,
    ) -> Result<Arc<Alert>, AlertFault> {
        // A search through thousands of names is not to hold up the market.
        let found = self.find(&spec.symbol);
        let mut book = self.book();
        let keeps_symbol = book.get(id)?.spec.symbol == spec.symbol;
        let place = match found {
            Ok(place) => {
                self.instruments[place].symbol.clone_into(&mut spec.symbol);
                Some(place)
            }
            Err(_) if keeps_symbol => None,
            Err(unknown) => return Err(unknown.into()),
        };
        let alert = book.replace(id, expected, spec, place, clock::now())?;
        drop(book);
        self.alert_changed(id);
        Ok(alert)
    }

    /// Deletes an alert.
    ///
    /// # Errors
    ///
    /// There is no such alert, or it is at none of the versions `expected`.
    pub fn delete_alert(&self, id: u64, expected: Option<&[u64]>) -> Result<(), AlertError> {
        self.book().delete(id, expected)?;
        self.alert_changed(id);
        Ok(())
    }

    /// Follows the clock on the wall; if that was set, tells people, and lets
    /// what waits go on waiting. Says what was done.
    pub(crate) fn follow_clock(&self) -> Option<clock::Step> {
        // Nobody looks at the alerts between the jump and what they make of it.
        let mut book = self.book();
        let step = clock::follow()?;
        if step.jump > 0 {
            book.jump(step.jump);
        }
        drop(book);
        self.tell(|told| told.clock = Some(step.ahead));
        Some(step)
    }

    /// Tells all readers and whoever saves alerts that there is something new.
    fn alert_changed(&self, id: u64) {
        self.tell(|told| {
            told.alerts.insert(id);
            // Beyond that, which ones is not said.
            if told.alerts.len() > CHANGES_MAX {
                told.alerts.pop_last();
                told.more_alerts = true;
            }
        });
        self.unsaved.notify_one();
    }

    /// What these alerts are now, to be told.
    pub(in super::super) fn changes(&self, ids: BTreeSet<u64>, more: bool) -> AlertChanges {
        let mut changes = AlertChanges {
            more,
            ..AlertChanges::default()
        };
        if more {
            return changes;
        }
        let mut changed = Vec::new();
        let book = self.book();
        for id in ids {
            match book.get(id) {
                Ok(alert) => changed.push(Arc::clone(alert)),
                Err(_) => changes.deleted.push(id),
            }
        }
        drop(book);
        changes.changed = changed.iter().map(|alert| Alert::clone(alert)).collect();
        changes
    }

    /// Completes when everything that was done to alerts until now is saved; at
    /// once where nothing is stored.
    pub async fn alerts_saved(&self) {
        let Some(change) = self.book().change_to_save() else {
            return;
        };
        let mut saved = self.saved.subscribe();
        // The sender lives in the market.
        let _ = saved.wait_for(|saved| *saved >= change).await;
    }

    /// Completes when there may be something to save.
    pub async fn alerts_to_save(&self) {
        self.unsaved.notified().await;
    }

    /// What there is to save since the last time. Whoever asks has to keep it
    /// until it is saved.
    pub fn take_unsaved_alerts(&self) -> Unsaved {
        self.book().take_unsaved()
    }

    /// Everything up to this change is saved.
    pub fn save_alerts(&self, change: u64) {
        self.book().save(change);
        self.saved.send_replace(change);
    }

    pub(in super::super) fn book(&self) -> MutexGuard<'_, Alerts> {
        // The book is whole after every step that could panic: none does.
        self.alerts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
