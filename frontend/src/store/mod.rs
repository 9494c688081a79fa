//! The page's view of the market. Wire messages are applied to plain state, and
//! at the next flush what has changed is written to signals; nothing else
//! writes those.

mod alerts;
mod apply;
mod history;
mod last_days;
mod price_alerts;
mod replay;
mod row;
mod series;
mod spark;
mod table;
mod venues;

use std::cell::{Cell, RefCell};

use futures_channel::mpsc;
use leptos::prelude::*;
use shared::{FeedState, FeedStatus, Found, Lookup, ReplayStatus, StoreStatus, SymbolState, Time};

use row::Row;
use table::Table;

use crate::clock::now_ms;
use crate::faults::UnknownSymbol;
use crate::requests::{AlertCommand, HistoryRequest};
pub use alerts::Alerts;
pub use price_alerts::PriceAlert;
pub use row::{Field, Flash, Number, TAPE_LENGTH, Trade};
pub use series::Series;
pub use spark::Spark;
pub use table::{Arrangement, Listing, Slot, SortKey};

/// Everything the page knows of the market.
pub struct Store {
    market: RefCell<Market>,
    table: RefCell<Table>,
    series: RefCell<Vec<Series>>,
    /// The candles that charts show while the store is held.
    held: RefCell<Option<Vec<Series>>>,
    /// How many times a series has been started.
    beginnings: Cell<u64>,
    /// Bounded by one request for each series.
    requests: mpsc::UnboundedSender<HistoryRequest>,
    /// Asks for the last day of these symbols.
    sparks: mpsc::UnboundedSender<Vec<String>>,
    /// Increases when there are other symbols.
    pub catalogue: RwSignal<u32>,
    /// How many symbols there are, and how many of them were found.
    pub counts: RwSignal<(usize, usize)>,
    /// The slots of the watchlist that are in view, from the top.
    pub slots: RwSignal<Vec<Slot>>,
    /// The symbol of the headline.
    pub shown: RwSignal<Option<String>>,
    /// The numbers of the headline.
    pub headline: Slot,
    /// The last trades of the headline's symbol, newest first.
    pub tape: RwSignal<Vec<Trade>>,
    /// The replay, as the server told it last, if prices are replayed.
    pub replay: RwSignal<Option<(FeedState, ReplayStatus)>>,
    /// The time of the newest price of the replay.
    pub replayed_to: RwSignal<Option<Time>>,
    /// What the feed is doing.
    pub feed: RefCell<Option<FeedStatus>>,
    /// What the server's store reported last, since the last snapshot.
    pub worry: RefCell<Option<StoreStatus>>,
    /// Alerts.
    pub alerts: Alerts,
    /// When the server took in the newest tick.
    newest_at: Cell<Option<Time>>,
    /// The source's time of the newest tick.
    newest: Cell<Option<Time>>,
}

/// What the store asks for.
#[derive(Debug)]
pub struct Asked {
    /// Candles.
    pub history: mpsc::UnboundedReceiver<HistoryRequest>,
    /// The last day of symbols.
    pub last_days: mpsc::UnboundedReceiver<Vec<String>>,
    /// What is to be done with alerts.
    pub commands: mpsc::UnboundedReceiver<AlertCommand>,
}

#[derive(Default)]
struct Market {
    rows: Vec<Row>,
    index: Lookup,
    /// The rows that have changed since they were shown, each once.
    dirty: Vec<usize>,
    /// What is shown instead of `rows` while the store is held.
    held: Option<Vec<Row>>,
}

impl Market {
    /// The rows that are to be shown.
    fn shown(&mut self) -> &mut Vec<Row> {
        self.held.as_mut().unwrap_or(&mut self.rows)
    }
}

impl Store {
    /// An empty store, with the receivers of what it asks for.
    pub fn new() -> (Self, Asked) {
        let (requests, history) = mpsc::unbounded();
        let (sparks, last_days) = mpsc::unbounded();
        let (alerts, commands) = Alerts::new();
        let store = Self {
            market: RefCell::default(),
            table: RefCell::default(),
            series: RefCell::default(),
            held: RefCell::default(),
            beginnings: Cell::new(0),
            requests,
            sparks,
            catalogue: RwSignal::new(0),
            counts: RwSignal::new((0, 0)),
            slots: RwSignal::new(Vec::new()),
            shown: RwSignal::new(None),
            headline: Slot::new(),
            tape: RwSignal::new(Vec::new()),
            replay: RwSignal::new(None),
            replayed_to: RwSignal::new(None),
            feed: RefCell::default(),
            worry: RefCell::default(),
            alerts,
            newest_at: Cell::new(None),
            newest: Cell::new(None),
        };
        let asked = Asked {
            history,
            last_days,
            commands,
        };
        (store, asked)
    }

    /// Whether anything was applied that the signals do not show yet.
    pub fn has_news(&self) -> bool {
        !self.market.borrow().dirty.is_empty()
    }

    /// Updates the signals. While the store is held, the numbers stay as they
    /// are, but the order of the rows still follows the settings.
    pub fn flush(&self) {
        let now_ms = now_ms();
        let mut market = self.market.borrow_mut();
        let mut table = self.table.borrow_mut();
        let Market {
            rows,
            index,
            dirty,
            held,
        } = &mut *market;
        let place_shown = self.place_shown(index);
        let news = if held.is_none() { dirty.len() } else { 0 };
        let rows = held.as_mut().unwrap_or(rows);
        for place in dirty.drain(..news) {
            let Some(row) = rows.get_mut(place) else {
                continue;
            };
            if place_shown == Some(place) {
                self.headline.show(row, now_ms);
                self.tape.set(row.tape());
            }
            table.show(place, row, now_ms);
        }
        if table.sort(rows, now_ms) {
            let counts = (rows.len(), table.order().len());
            if self.counts.get_untracked() != counts {
                self.counts.set(counts);
            }
        }
        self.ask_last_days(&table, rows);
        self.show_replayed();
    }

    fn place_shown(&self, index: &Lookup) -> Option<usize> {
        index.exact(&self.shown.get_untracked()?)
    }

    /// Shows another symbol in the headline.
    pub fn show(&self, symbol: &str) {
        self.shown.set(Some(symbol.to_owned()));
        let mut market = self.market.borrow_mut();
        let place = market.index.exact(symbol);
        let row = place.and_then(|place| market.shown().get_mut(place));
        match row {
            Some(row) => {
                let listing = Listing {
                    symbol: row.state.symbol.clone(),
                    name: row.state.name.clone(),
                    favourite: false,
                    position: 0,
                    is_lost: self.table.borrow().is_lost(row),
                };
                self.headline.listing.set(Some(listing));
                self.headline.show(row, now_ms());
                self.tape.set(row.tape());
            }
            None => {
                self.headline.listing.set(None);
                self.tape.set(Vec::new());
            }
        }
    }

    /// Changes which rows the watchlist shows, and their order.
    pub fn arrange(&self, arrangement: Arrangement) {
        self.table.borrow_mut().arrange(arrangement);
        self.flush();
    }

    /// Sets the part of the watchlist that is in view: `count` rows from
    /// `first` on.
    pub fn look(&self, first: usize, count: usize) {
        let mut market = self.market.borrow_mut();
        let mut table = self.table.borrow_mut();
        if let Some(slots) = table.look(first, count, market.shown(), now_ms()) {
            self.slots.set(slots);
        }
        self.ask_last_days(&table, market.shown());
    }

    /// The symbol at a position of the watchlist.
    pub fn symbol_at(&self, position: usize) -> Option<String> {
        let market = self.market.borrow();
        let place = *self.table.borrow().order().get(position)?;
        Some(market.rows.get(place)?.state.symbol.clone())
    }

    /// The symbol at an index of the catalogue.
    pub fn catalogued(&self, place: usize) -> Option<String> {
        let market = self.market.borrow();
        Some(market.rows.get(place)?.state.symbol.clone())
    }

    /// The symbol that a person means who types this.
    ///
    /// # Errors
    ///
    /// No symbol matches, or more than one.
    pub fn find(&self, written: &str) -> Result<String, UnknownSymbol> {
        let market = self.market.borrow();
        let symbol = |place: usize| {
            let row = market.rows.get(place);
            row.map(|row| row.state.symbol.clone()).unwrap_or_default()
        };
        let written = || written.to_owned();
        match market.index.find(&written()) {
            Found::One(place) => Ok(symbol(place)),
            Found::Several(one, other) => Err(UnknownSymbol::Several(
                written(),
                symbol(one),
                symbol(other),
            )),
            Found::None => Err(UnknownSymbol::None(written())),
        }
    }

    /// The position of a symbol in the watchlist.
    pub fn position_of(&self, symbol: &str) -> Option<usize> {
        let place = self.market.borrow().index.exact(symbol)?;
        let table = self.table.borrow();
        table.order().iter().position(|found| *found == place)
    }

    /// Reads a symbol's state, if there is such a symbol.
    pub fn state<T>(&self, symbol: &str, read: impl FnOnce(&SymbolState) -> T) -> Option<T> {
        self.with_row(symbol, |row| read(&row.state))
    }

    /// Reads the symbol's prices of the last day.
    pub fn with_spark<T>(&self, symbol: &str, read: impl FnOnce(&Spark) -> T) -> Option<T> {
        self.with_row(symbol, |row| read(&row.spark))
    }

    fn with_row<T>(&self, symbol: &str, read: impl FnOnce(&Row) -> T) -> Option<T> {
        let mut market = self.market.borrow_mut();
        let place = market.index.exact(symbol)?;
        market.shown().get(place).map(read)
    }

    /// When the server took in the newest tick.
    pub fn newest_at(&self) -> Option<Time> {
        self.newest_at.get()
    }

    /// Holds what is shown as it is now, or releases it. Messages are applied
    /// in either case.
    pub fn hold(&self, hold: bool) {
        *self.held.borrow_mut() = hold.then(|| self.series.borrow().clone());
        let mut market = self.market.borrow_mut();
        market.held = hold.then(|| market.rows.clone());
    }

    /// Whether the store holds what is shown.
    pub fn is_held(&self) -> bool {
        self.held.borrow().is_some()
    }
}
