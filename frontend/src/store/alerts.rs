//! Alerts: those on a price, which charts show, and what fires.

use std::cell::{Cell, RefCell};

use futures_channel::mpsc;
use leptos::prelude::*;
use shared::Firing;

use crate::client::PriceAlert;
use crate::client::alerts::{Answer, Wish};

/// Who is called when something happens.
type Listener<T> = Box<dyn Fn(&T)>;

/// What the page knows of alerts.
pub struct Alerts {
    all: RefCell<Vec<PriceAlert>>,
    /// Goes up when they are other ones.
    pub changed: RwSignal<u32>,
    /// Bounded: one to list them, and what a person does.
    wishes: mpsc::UnboundedSender<Wish>,
    /// Whether the wish to list them is not taken up yet.
    is_listing: Cell<bool>,
    fired: RefCell<Vec<Listener<Firing>>>,
    failed: RefCell<Vec<Listener<String>>>,
}

impl Alerts {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Wish>) {
        let (wishes, wished) = mpsc::unbounded();
        let alerts = Self {
            all: RefCell::default(),
            changed: RwSignal::new(0),
            wishes,
            is_listing: Cell::new(false),
            fired: RefCell::default(),
            failed: RefCell::default(),
        };
        (alerts, wished)
    }

    /// Calls this with every alert that fires from now on.
    pub fn on_fired(&self, listener: impl Fn(&Firing) + 'static) {
        self.fired.borrow_mut().push(Box::new(listener));
    }

    /// Calls this whenever something that a person wished did not work, and
    /// why.
    pub fn on_failed(&self, listener: impl Fn(&String) + 'static) {
        self.failed.borrow_mut().push(Box::new(listener));
    }

    /// Something fired, and is off now if it was to fire once.
    pub(super) fn fire(&self, firing: &Firing) {
        self.fired.borrow().iter().for_each(|listen| listen(firing));
        self.list();
    }

    /// Asks for them anew.
    pub(super) fn list(&self) {
        if !self.is_listing.replace(true) {
            self.wish(Wish::List);
        }
    }

    fn wish(&self, wish: Wish) {
        // Whoever fulfils it lives as long as the page.
        let _ = self.wishes.unbounded_send(wish);
    }

    /// Takes in what became of a wish.
    pub fn answer(&self, answer: Answer) {
        match answer {
            Answer::Begun => self.is_listing.set(false),
            Answer::All(all) => self.set(all),
            Answer::Fault(fault) => {
                self.failed.borrow().iter().for_each(|tell| tell(&fault));
                self.changed.update(|changed| *changed += 1);
            }
        }
    }

    fn set(&self, all: Vec<PriceAlert>) {
        *self.all.borrow_mut() = all;
        self.changed.update(|changed| *changed += 1);
    }

    /// What one makes of each alert on the price of a symbol.
    pub fn of<T>(&self, symbol: &str, make: impl FnMut(&PriceAlert) -> T) -> Vec<T> {
        let all = self.all.borrow();
        let own = all.iter().filter(|alert| alert.symbol == symbol);
        own.map(make).collect()
    }

    /// Puts one at another price.
    pub fn move_to(&self, alert: PriceAlert, level: String) {
        self.wish(Wish::Move(alert, level));
    }

    /// Makes one that fires when the symbol reaches this price.
    pub fn add(&self, symbol: String, level: String) {
        self.wish(Wish::Add(symbol, level));
    }
}
