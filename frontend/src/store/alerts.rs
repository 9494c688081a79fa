//! The page's alerts: those on a price, which charts show, and what fires.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_channel::mpsc;
use leptos::prelude::*;
use shared::{Alert, AlertChanges, Decimal, Firing};

use super::price_alerts::{PriceAlert, PriceAlerts};
use crate::clock::now_ms;
use crate::faults::AlertFault;
use crate::requests::{AlertAnswer, AlertCommand};

/// The shortest time between two lists of the alerts, however often they
/// change.
const LIST_INTERVAL_MS: f64 = 1_000.0;
/// How many firings are remembered by name.
const NAMES_MAX: usize = 2_000;

/// The name of a firing: the alert's number, and how often it has fired.
type Name = (u64, u64);

fn name(firing: &Firing) -> Name {
    (firing.id, firing.count)
}

/// A callback for an event.
type Listener<T> = Box<dyn Fn(&T)>;

/// The alerts as the page knows them.
pub struct Alerts {
    all: RefCell<PriceAlerts>,
    /// Increases with every change of the alerts.
    pub changed: RwSignal<u32>,
    /// Bounded: at most one command to list alerts, and those that a person
    /// gives.
    commands: mpsc::UnboundedSender<AlertCommand>,
    /// Whether a command to list the alerts has not been started yet.
    is_listing: Cell<bool>,
    listed_ms: Cell<f64>,
    /// What fired before the page was opened, or was reported since; `None` as
    /// long as the page does not know.
    known: RefCell<Option<Vec<Name>>>,
    /// Firings that were reported because the server's list had them. They may
    /// also arrive as messages.
    caught_up: RefCell<Vec<Name>>,
    fired: RefCell<Vec<Listener<[Firing]>>>,
    failed: RefCell<Vec<Listener<AlertFault>>>,
}

impl Alerts {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<AlertCommand>) {
        let (commands, commanded) = mpsc::unbounded();
        let alerts = Self {
            all: RefCell::default(),
            changed: RwSignal::new(0),
            commands,
            is_listing: Cell::new(false),
            listed_ms: Cell::new(f64::NEG_INFINITY),
            known: RefCell::default(),
            caught_up: RefCell::default(),
            fired: RefCell::default(),
            failed: RefCell::default(),
        };
        (alerts, commanded)
    }

    /// Calls `listener` with what fires from now on. Each call has all that
    /// fired at the same time.
    pub fn on_fired(&self, listener: impl Fn(&[Firing]) + 'static) {
        self.fired.borrow_mut().push(Box::new(listener));
    }

    /// Calls `listener` with the reason whenever a command that a person gave
    /// has failed.
    pub fn on_failed(&self, listener: impl Fn(&AlertFault) + 'static) {
        self.failed.borrow_mut().push(Box::new(listener));
    }

    /// Applies firings from a message.
    pub(super) fn fire(&self, firings: &[Firing]) {
        let is_new = |firing: &&Firing| !self.caught_up.borrow().contains(&name(firing));
        let new: Vec<_> = firings.iter().filter(is_new).cloned().collect();
        self.tell(&new);
        if self.all.borrow_mut().fire(firings) {
            self.show();
        }
    }

    /// Applies changes that people made.
    pub(super) fn change(&self, changes: &AlertChanges) {
        if changes.more {
            self.list();
            return;
        }
        self.all.borrow_mut().change(changes);
        self.show();
    }

    fn show(&self) {
        self.changed.update(|changed| *changed += 1);
    }

    fn tell(&self, firings: &[Firing]) {
        if let Some(known) = &mut *self.known.borrow_mut() {
            known.extend(firings.iter().map(name));
            let old = known.len().saturating_sub(NAMES_MAX);
            known.drain(..old);
        }
        self.call(firings);
    }

    fn call(&self, firings: &[Firing]) {
        if !firings.is_empty() {
            self.fired
                .borrow()
                .iter()
                .for_each(|listen| listen(firings));
        }
    }

    /// The page or the server has started: what fired before is not reported.
    pub(super) fn begin(&self) {
        self.known.take();
        self.catch_up();
    }

    /// The page was away for longer than the log goes back: asks for what
    /// fired, and for all alerts.
    pub(super) fn catch_up(&self) {
        self.command(AlertCommand::Fired);
        self.list();
    }

    /// Reports the firings in the server's list that are not known yet.
    fn take_up(&self, mut fired: Vec<Firing>) {
        fired.reverse();
        let known = self.known.replace(Some(fired.iter().map(name).collect()));
        let Some(known) = known else {
            return;
        };
        fired.retain(|firing| !known.contains(&name(firing)));
        self.caught_up.replace(fired.iter().map(name).collect());
        self.call(&fired);
    }

    /// Asks for all alerts again, unless that is pending already.
    pub(super) fn list(&self) {
        if self.is_listing.replace(true) {
            return;
        }
        let rest_ms = (self.listed_ms.get() + LIST_INTERVAL_MS - now_ms()).max(0.0);
        self.listed_ms.set(now_ms() + rest_ms);
        if rest_ms > 0.0 {
            self.command_after(AlertCommand::List, rest_ms);
        } else {
            self.command(AlertCommand::List);
        }
    }

    fn command(&self, command: AlertCommand) {
        // The receiver of commands lives as long as the page.
        let _ = self.commands.unbounded_send(command);
    }

    fn command_after(&self, command: AlertCommand, ms: f64) {
        let commands = self.commands.clone();
        let send = move || _ = commands.unbounded_send(command);
        set_timeout(send, Duration::from_millis(ms as u64));
    }

    /// Applies the outcome of a command.
    pub fn answer(&self, answer: AlertAnswer) {
        use AlertAnswer::{Again, All, Begun, Changed, Failed, Fired};
        if let Fired(_) | Again(_) | Failed { .. } = answer {
            self.all.borrow_mut().stop_asking();
        }
        match answer {
            Begun { is_list } => {
                if is_list {
                    self.is_listing.set(false);
                }
                self.all.borrow_mut().ask();
            }
            All(all) => {
                self.all.borrow_mut().list(all);
                self.show();
            }
            Fired(fired) => self.take_up(fired),
            Changed(alert) => {
                self.all.borrow_mut().answer(alert);
                self.show();
            }
            Again(AlertCommand::List) => self.list(),
            Again(command) => self.command_after(command, LIST_INTERVAL_MS),
            Failed { alert, error } => {
                self.fail(&AlertFault::Call(error));
                if let Some(id) = alert {
                    self.all.borrow_mut().refuse(id);
                }
                self.show();
            }
        }
    }

    /// Reports that a command has failed, and why.
    pub fn fail(&self, why: &AlertFault) {
        self.failed.borrow().iter().for_each(|tell| tell(why));
    }

    /// What `make` returns for each alert on the price of a symbol.
    pub fn of<T>(&self, symbol: &str, make: impl FnMut(PriceAlert) -> T) -> Vec<T> {
        self.all.borrow().of(symbol, make)
    }

    /// Whether the alert is still as it was when this was read.
    pub fn is_current(&self, alert: &Rc<Alert>) -> bool {
        self.all.borrow().is_current(alert)
    }

    /// Moves an alert to another price.
    pub fn move_to(&self, alert: Rc<Alert>, level: Decimal) {
        self.command(AlertCommand::Move(alert, level));
    }

    /// Adds an alert that fires when the symbol crosses this price.
    pub fn add(&self, symbol: String, level: Decimal) {
        self.command(AlertCommand::Add(symbol, level));
    }
}
