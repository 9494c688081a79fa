//! Alerts: those on a price, which charts show, and what fires.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_channel::mpsc;
use leptos::prelude::*;
use shared::{Alert, AlertChanges, Decimal, Firing};

use super::price_alerts::{PriceAlert, PriceAlerts};
use crate::client::alerts::{AlertCommand, Answer};
use crate::client::now_ms;

/// They are asked for no more often than this, however often they change.
const LIST_INTERVAL_MS: f64 = 1_000.0;
/// How many firings are remembered by name.
const NAMES_MAX: usize = 2_000;

/// What names a firing: the alert's number, and how often it had fired.
type Name = (u64, u64);

fn name(firing: &Firing) -> Name {
    (firing.id, firing.count)
}

/// Who is called when something happens.
type Listener<T> = Box<dyn Fn(&T)>;

/// What the page knows of alerts.
pub struct Alerts {
    all: RefCell<PriceAlerts>,
    /// Goes up when they are other ones.
    pub changed: RwSignal<u32>,
    /// Bounded: one to list them, and what a person does.
    wishes: mpsc::UnboundedSender<AlertCommand>,
    /// Whether the wish to list them is not taken up yet.
    is_listing: Cell<bool>,
    listed_ms: Cell<f64>,
    /// What fired before the page came, or was told since; `None` as long as
    /// the page does not know.
    known: RefCell<Option<Vec<Name>>>,
    /// What was told because the list of what fired had it. It may come as a
    /// message, too.
    caught_up: RefCell<Vec<Name>>,
    fired: RefCell<Vec<Listener<[Firing]>>>,
    failed: RefCell<Vec<Listener<str>>>,
}

impl Alerts {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<AlertCommand>) {
        let (wishes, wished) = mpsc::unbounded();
        let alerts = Self {
            all: RefCell::default(),
            changed: RwSignal::new(0),
            wishes,
            is_listing: Cell::new(false),
            listed_ms: Cell::new(f64::NEG_INFINITY),
            known: RefCell::default(),
            caught_up: RefCell::default(),
            fired: RefCell::default(),
            failed: RefCell::default(),
        };
        (alerts, wished)
    }

    /// Calls this with what fires from now on, together with what fired at the
    /// same time.
    pub fn on_fired(&self, listener: impl Fn(&[Firing]) + 'static) {
        self.fired.borrow_mut().push(Box::new(listener));
    }

    /// Calls this whenever something that a person wished did not work, and
    /// why.
    pub fn on_failed(&self, listener: impl Fn(&str) + 'static) {
        self.failed.borrow_mut().push(Box::new(listener));
    }

    /// These fired.
    pub(super) fn fire(&self, firings: &[Firing]) {
        let is_new = |firing: &&Firing| !self.caught_up.borrow().contains(&name(firing));
        let new: Vec<_> = firings.iter().filter(is_new).cloned().collect();
        self.tell(&new);
        if self.all.borrow_mut().fire(firings) {
            self.show();
        }
    }

    /// People changed these.
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

    /// The page begins, or the server does: what fired before is no news.
    pub(super) fn begin(&self) {
        self.known.take();
        self.catch_up();
    }

    /// The page was away for longer than the log goes back.
    pub(super) fn catch_up(&self) {
        self.wish(AlertCommand::Fired);
        self.list();
    }

    /// Tells what fired and is not known yet.
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

    /// Asks for them anew.
    pub(super) fn list(&self) {
        if self.is_listing.replace(true) {
            return;
        }
        let rest_ms = (self.listed_ms.get() + LIST_INTERVAL_MS - now_ms()).max(0.0);
        self.listed_ms.set(now_ms() + rest_ms);
        if rest_ms > 0.0 {
            let wishes = self.wishes.clone();
            let wish = move || _ = wishes.unbounded_send(AlertCommand::List);
            set_timeout(wish, Duration::from_millis(rest_ms as u64));
        } else {
            self.wish(AlertCommand::List);
        }
    }

    fn wish(&self, wish: AlertCommand) {
        // Whoever fulfils it lives as long as the page.
        let _ = self.wishes.unbounded_send(wish);
    }

    /// Takes in what became of a wish.
    pub fn answer(&self, answer: Answer) {
        if let Answer::Fired(_) | Answer::Again(_) | Answer::Fault { .. } = answer {
            self.all.borrow_mut().stop_asking();
        }
        match answer {
            Answer::Begun { is_list } => {
                if is_list {
                    self.is_listing.set(false);
                }
                self.all.borrow_mut().ask();
            }
            Answer::All(all) => {
                self.all.borrow_mut().list(all);
                self.show();
            }
            Answer::Fired(fired) => self.take_up(fired),
            Answer::Changed(alert) => {
                self.all.borrow_mut().answer(alert);
                self.show();
            }
            Answer::Again(AlertCommand::List) => self.list(),
            Answer::Again(wish) => {
                let wishes = self.wishes.clone();
                let wish = move || _ = wishes.unbounded_send(wish);
                set_timeout(wish, Duration::from_millis(LIST_INTERVAL_MS as u64));
            }
            Answer::Fault { alert, why } => {
                self.fail(&why);
                if let Some(id) = alert {
                    self.all.borrow_mut().refuse(id);
                }
                self.show();
            }
        }
    }

    /// Tells that something did not work, and why.
    pub fn fail(&self, why: &str) {
        self.failed.borrow().iter().for_each(|tell| tell(why));
    }

    /// What one makes of each alert on the price of a symbol.
    pub fn of<T>(&self, symbol: &str, make: impl FnMut(PriceAlert) -> T) -> Vec<T> {
        self.all.borrow().of(symbol, make)
    }

    /// Whether this is still how the alert is.
    pub fn is_current(&self, alert: &Rc<Alert>) -> bool {
        self.all.borrow().is_current(alert)
    }

    /// Puts one at another price.
    pub fn move_to(&self, alert: Rc<Alert>, level: Decimal) {
        self.wish(AlertCommand::Move(alert, level));
    }

    /// Makes one that fires when the symbol reaches this price.
    pub fn add(&self, symbol: String, level: Decimal) {
        self.wish(AlertCommand::Add(symbol, level));
    }
}
