//! Alerts: what users want to be notified of. The book holds them; the engine
//! checks them against every tick.

mod engine;
mod levels;
mod limits;
mod record;
mod sharing;
mod stored;
mod watched;
mod window;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::{Alert, AlertChanges, AlertSpec, Decimal, Firing, Span, Tick, Time};
use tokio::sync::{Notify, mpsc, watch};

use self::engine::Engine;
use crate::catalogue::{Catalogue, UnknownSymbol};
use crate::clock;
use crate::entries::{Entries, Notice, Placed};
use crate::market::Observer;

pub use self::limits::{ALERTS_MAX, AlertError};
pub use self::record::FIRED_MAX;
pub use self::sharing::Elsewhere;
use self::sharing::Judge;
pub use self::stored::{AlertsPage, PastAlerts, StoredAlert, Unsaved};

/// If more alerts than this changed, they are not sent one by one.
const CHANGES_MAX: usize = 256;

/// Alerts that fired together, in order.
pub type Firings = Arc<[Placed]>;

/// Why an alert was not made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlertFault {
    /// Its symbol is not in the catalogue.
    #[error(transparent)]
    UnknownSymbol(#[from] UnknownSymbol),
    /// Another reason.
    #[error(transparent)]
    Alert(#[from] AlertError),
    /// Another server judges alerts.
    #[error(transparent)]
    Elsewhere(#[from] Elsewhere),
}

/// All alerts of a server, shared by its parts.
#[derive(Debug)]
pub struct AlertBook {
    catalogue: Arc<Catalogue>,
    /// A std lock, held for each batch while its ticks are checked, and for
    /// each query and change; never across an await.
    engine: Mutex<Engine>,
    /// Alerts that users changed, not yet announced.
    changes: Mutex<Changes>,
    /// Wakes the market to announce them.
    changed: Notify,
    /// Receivers of firings.
    listeners: Mutex<Vec<mpsc::UnboundedSender<Firings>>>,
    /// Alerts are saved up to this change.
    saved: watch::Sender<u64>,
    /// Wakes the task that saves them.
    unsaved: Notify,
    judge: watch::Sender<Judge>,
}

/// Alerts that users changed.
#[derive(Debug, Default)]
struct Changes {
    /// At most [`CHANGES_MAX`].
    ids: BTreeSet<u64>,
    /// Whether there are more.
    more: bool,
}

impl AlertBook {
    /// The alerts of an earlier run, on instruments with these last prices.
    /// Changes are recorded to be saved if `is_stored`.
    pub fn new(
        past: PastAlerts,
        catalogue: Arc<Catalogue>,
        last_prices: impl IntoIterator<Item = Option<Decimal>>,
        is_stored: bool,
    ) -> Self {
        let count = catalogue.instruments().len();
        let unknown = std::iter::repeat(None);
        let prices = last_prices.into_iter().chain(unknown).take(count);
        let place = |symbol: &str| catalogue.place(symbol);
        let engine = Engine::new(past, prices, place, is_stored, clock::now());
        Self {
            engine: Mutex::new(engine),
            catalogue,
            changes: Mutex::default(),
            changed: Notify::new(),
            listeners: Mutex::default(),
            saved: watch::Sender::new(0),
            unsaved: Notify::new(),
            judge: watch::Sender::new(Judge::Alone),
        }
    }

    /// So many alerts may be made.
    #[must_use]
    pub fn with_room_for(self, alerts: usize) -> Self {
        self.engine().most = alerts;
        self
    }

    /// The first `limit` alerts after the number `after`, by number.
    pub fn page(&self, after: u64, limit: usize) -> AlertsPage {
        self.engine().page(after, limit)
    }

    /// The alert with this number.
    ///
    /// # Errors
    ///
    /// There is no such alert.
    pub fn get(&self, id: u64) -> Result<Arc<Alert>, AlertError> {
        self.engine().get(id).cloned()
    }

    /// The newest `limit` firings, newest first.
    pub fn fired(&self, limit: usize) -> Vec<Arc<Firing>> {
        self.engine().fired(limit)
    }

    /// All alerts as they are now, for a book that goes on with them.
    pub(crate) fn past(&self) -> PastAlerts {
        self.engine().past()
    }

    /// Receives what fires from now on, in groups that fire together. The
    /// channel is not bounded: the receiver has to read it without delay, and
    /// put the firings into something bounded.
    pub(crate) fn listen(&self) -> mpsc::UnboundedReceiver<Firings> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.listeners().push(sender);
        receiver
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<mpsc::UnboundedSender<Firings>>> {
        // Consistent after every step, so a poisoned lock is safe to use.
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an alert.
    ///
    /// # Errors
    ///
    /// There is no such symbol, or there are too many alerts.
    pub fn create(&self, mut spec: AlertSpec) -> Result<Arc<Alert>, AlertFault> {
        let place = self.catalogue.find(&spec.symbol)?;
        self.write_symbol(&mut spec, place);
        let mut engine = self.engine();
        self.check_judge()?;
        let alert = engine.create(spec, place, clock::now())?;
        drop(engine);
        self.note_change(alert.id);
        Ok(alert)
    }

    /// Replaces an alert's settings.
    ///
    /// # Errors
    ///
    /// There is no such alert, its version is not among `expected`, or its new
    /// symbol is not in the catalogue. An alert on a symbol of another feed may
    /// keep that symbol.
    pub fn replace(
        &self,
        id: u64,
        expected: Option<&[u64]>,
        mut spec: AlertSpec,
    ) -> Result<Arc<Alert>, AlertFault> {
        // Done before the lock: a search through thousands of names must not
        // block the market.
        let found = self.catalogue.find(&spec.symbol);
        let mut engine = self.engine();
        self.check_judge()?;
        let keeps_symbol = engine.get(id)?.spec.symbol == spec.symbol;
        let place = match found {
            Ok(place) => {
                self.write_symbol(&mut spec, place);
                Some(place)
            }
            Err(_) if keeps_symbol => None,
            Err(unknown) => return Err(unknown.into()),
        };
        let alert = engine.replace(id, expected, spec, place, clock::now())?;
        drop(engine);
        self.note_change(id);
        Ok(alert)
    }

    /// Writes the symbol as the catalogue does.
    fn write_symbol(&self, spec: &mut AlertSpec, place: usize) {
        let symbol = &self.catalogue.instruments()[place].symbol;
        symbol.clone_into(&mut spec.symbol);
    }

    /// Deletes an alert.
    ///
    /// # Errors
    ///
    /// There is no such alert, or its version is not among `expected`.
    pub fn delete(&self, id: u64, expected: Option<&[u64]>) -> Result<(), AlertFault> {
        let mut engine = self.engine();
        self.check_judge()?;
        engine.delete(id, expected)?;
        drop(engine);
        self.note_change(id);
        Ok(())
    }

    /// Follows the wall clock. If it was set, timers in the engine are moved so
    /// that they do not become shorter. Returns what was done to the server's
    /// time.
    pub(crate) fn follow_clock(&self) -> Option<clock::Step> {
        // The lock is held so that no one reads the alerts between the jump and
        // its effect on them.
        let mut engine = self.engine();
        let step = clock::follow()?;
        if step.jump > Span::ZERO {
            engine.jump(step.jump);
        }
        Some(step)
    }

    fn note_change(&self, id: u64) {
        let mut changes = self.changes();
        changes.ids.insert(id);
        // Beyond this number, the alerts are not listed.
        if changes.ids.len() > CHANGES_MAX {
            changes.ids.pop_last();
            changes.more = true;
        }
        drop(changes);
        self.changed.notify_one();
        self.unsaved.notify_one();
    }

    /// Completes when all changes to alerts until now are saved; at once where
    /// nothing is stored.
    pub async fn until_saved(&self) {
        let Some(change) = self.engine().change_to_save() else {
            return;
        };
        let mut saved = self.saved.subscribe();
        // Cannot fail: the sender lives in this book.
        let _ = saved.wait_for(|saved| *saved >= change).await;
    }

    /// Completes when there may be something to save.
    pub async fn until_unsaved(&self) {
        self.unsaved.notified().await;
    }

    /// The unsaved changes since the last call. The caller has to keep them
    /// until they are saved.
    pub fn take_unsaved(&self) -> Unsaved {
        self.engine().take_unsaved()
    }

    /// Records that everything up to this change is saved.
    pub fn save(&self, change: u64) {
        self.engine().save(change);
        self.saved.send_replace(change);
    }

    fn engine(&self) -> MutexGuard<'_, Engine> {
        // The engine is consistent after every step, so a poisoned lock is safe
        // to use.
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        // As above.
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for AlertBook {
    fn observe(&self, ticks: &[(usize, Tick)]) -> Vec<Placed> {
        let mut fired = Vec::new();
        let mut engine = self.engine();
        for (place, tick) in ticks {
            engine.apply(*place, tick, &mut fired);
        }
        fired
    }

    fn begin_anew(&self, prices: &[Option<Decimal>]) {
        self.engine().begin_anew(prices, clock::now());
        self.unsaved.notify_one();
    }

    fn follow(&self, entries: &Entries) {
        let mut engine = self.engine();
        match entries {
            Entries::Firings(fired) => {
                fired.iter().for_each(|(_, firing)| engine.note(firing));
            }
            Entries::Notice(Notice::AlertsChanged(changes)) => {
                changes.deleted.iter().for_each(|id| engine.drop_known(*id));
                for alert in &changes.changed {
                    engine.put_known(alert.clone());
                }
            }
            _ => {}
        }
    }

    fn follow_all(&self, alerts: Vec<Alert>) {
        let mut engine = self.engine();
        engine.drop_all();
        for alert in alerts {
            engine.put_known(alert);
        }
    }

    fn due(&self) -> Option<Time> {
        self.engine().next_timer()
    }

    fn wake(&self) -> Vec<Placed> {
        let mut fired = Vec::new();
        let mut engine = self.engine();
        // Read under the lock, while the clock cannot be set.
        engine.wake(clock::now(), &mut fired);
        fired
    }

    fn published(&self, fired: &[Placed]) {
        self.unsaved.notify_one();
        let firings = Firings::from(fired);
        // Receivers that are gone are removed.
        self.listeners()
            .retain(|listener| listener.send(Arc::clone(&firings)).is_ok());
    }

    fn changed(&self) -> &Notify {
        &self.changed
    }

    fn has_changes(&self) -> bool {
        !self.changes().ids.is_empty()
    }

    fn take_changes(&self) -> Option<AlertChanges> {
        let Changes { ids, more } = std::mem::take(&mut *self.changes());
        if ids.is_empty() {
            return None;
        }
        let mut changes = AlertChanges {
            more,
            ..AlertChanges::default()
        };
        if more {
            return Some(changes);
        }
        let mut changed = Vec::new();
        let engine = self.engine();
        for id in ids {
            match engine.get(id) {
                Ok(alert) => changed.push(Arc::clone(alert)),
                Err(_) => changes.deleted.push(id),
            }
        }
        drop(engine);
        changes.changed = changed.iter().map(|alert| Alert::clone(alert)).collect();
        Some(changes)
    }
}
