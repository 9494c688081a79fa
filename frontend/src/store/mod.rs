//! The page's picture of the market. Wire messages come in, and at the next
//! flush what changed goes out through signals; nothing else writes those.

mod alerts;
mod price_alerts;
mod row;
mod series;
mod spark;
mod table;

use std::cell::{Cell, RefCell};

use futures_channel::mpsc;
use leptos::prelude::*;
use shared::{
    CandlesAnswer, FeedStatus, Found, Lookup, ServerMessage, SnapshotReason, StoreStatus,
    SymbolState, Tick, Time, Verdict,
};

use row::Row;
use table::Table;

use crate::client::alerts::AlertCommand;
use crate::client::now_ms;
pub use alerts::Alerts;
pub use price_alerts::PriceAlert;
pub use row::{Field, Flash, Number, Trade};
pub use series::{HistoryRequest, Series, SeriesKey};
pub use spark::Spark;
pub use table::{Arrangement, Listing, Slot, SortKey};

/// Everything the page knows of the market.
pub struct Store {
    market: RefCell<Market>,
    table: RefCell<Table>,
    series: RefCell<Vec<Series>>,
    /// What charts show instead, while it is held.
    held: RefCell<Option<Vec<Series>>>,
    /// How often a series was begun.
    beginnings: Cell<u64>,
    /// Bounded by one for each series.
    wants: mpsc::UnboundedSender<HistoryRequest>,
    /// Goes up when there are other symbols.
    pub catalogue: RwSignal<u32>,
    /// How many symbols there are, and how many of them were found.
    pub counts: RwSignal<(usize, usize)>,
    /// The watchlist's places in view, from the top.
    pub slots: RwSignal<Vec<Slot>>,
    /// The symbol that is shown large.
    pub shown: RwSignal<Option<String>>,
    /// Its numbers.
    pub headline: Slot,
    /// Its last trades, newest first.
    pub tape: RwSignal<Vec<Trade>>,
    /// What the feed is doing.
    pub feed: RefCell<Option<FeedStatus>>,
    /// What there is to worry about in the server's store; else empty.
    pub worry: RefCell<String>,
    /// Alerts.
    pub alerts: Alerts,
    /// When the server took in the newest tick.
    newest_at: Cell<Option<Time>>,
}

#[derive(Default)]
struct Market {
    rows: Vec<Row>,
    index: Lookup,
    /// Those with something new to show, each once.
    dirty: Vec<usize>,
    /// What is shown instead of the rows, while it is held.
    held: Option<Vec<Row>>,
}

impl Market {
    /// The rows as they are to be shown.
    fn shown(&mut self) -> &mut Vec<Row> {
        self.held.as_mut().unwrap_or(&mut self.rows)
    }
}

impl Store {
    /// An empty store, and the candles that it will want, and what it will wish
    /// of alerts.
    pub fn new() -> (
        Self,
        mpsc::UnboundedReceiver<HistoryRequest>,
        mpsc::UnboundedReceiver<AlertCommand>,
    ) {
        let (wants, wanted) = mpsc::unbounded();
        let (alerts, wished) = Alerts::new();
        let store = Self {
            market: RefCell::default(),
            table: RefCell::default(),
            series: RefCell::default(),
            held: RefCell::default(),
            beginnings: Cell::new(0),
            wants,
            catalogue: RwSignal::new(0),
            counts: RwSignal::new((0, 0)),
            slots: RwSignal::new(Vec::new()),
            shown: RwSignal::new(None),
            headline: Slot::new(),
            tape: RwSignal::new(Vec::new()),
            feed: RefCell::default(),
            worry: RefCell::default(),
            alerts,
            newest_at: Cell::new(None),
        };
        (store, wanted, wished)
    }

    /// Takes in one message; nothing is drawn until [`Self::flush`].
    pub fn apply(&self, message: &ServerMessage, verdict: Verdict) {
        match message {
            ServerMessage::Snapshot {
                symbols, reason, ..
            } => {
                self.apply_snapshot(symbols);
                // If there is something, it comes after this.
                self.worry.take();
                match reason {
                    SnapshotReason::Lagged => self.alerts.catch_up(),
                    SnapshotReason::Start | SnapshotReason::Restarted => self.alerts.begin(),
                }
            }
            ServerMessage::Ticks { ticks, .. } => self.apply_ticks(verdict.fresh(ticks)),
            ServerMessage::Alerts { firings, .. } if verdict == Verdict::Apply => {
                self.alerts.fire(firings);
            }
            ServerMessage::AlertsChanged { changes, .. } if verdict == Verdict::Apply => {
                self.alerts.change(changes);
            }
            ServerMessage::Store { status, .. } => _ = self.worry.replace(worry(status)),
            ServerMessage::Status { status, .. } => _ = self.feed.replace(Some(status.clone())),
            _ => {}
        }
    }

    fn apply_snapshot(&self, symbols: &[SymbolState]) {
        let mut market = self.market.borrow_mut();
        let Market {
            rows,
            index,
            dirty,
            held,
        } = &mut *market;
        let known = rows.iter().zip(symbols);
        let same = rows.len() == symbols.len() && known.into_iter().all(|(row, s)| row.is_of(s));
        if same {
            for (row, state) in rows.iter_mut().zip(symbols) {
                row.replace(state);
            }
        } else {
            *rows = symbols.iter().map(Row::new).collect();
            *index = Lookup::new(symbols.iter().map(|s| s.symbol.as_str()));
            // Other symbols cannot be held as they were.
            held.take();
            self.table.borrow_mut().invalidate();
            self.catalogue.update(|catalogue| *catalogue += 1);
        }
        *dirty = (0..symbols.len()).collect();
        // What happened in between is only in the server's candles.
        for series in self.series.borrow_mut().iter_mut() {
            self.begin(series);
        }
    }

    fn apply_ticks<'t>(&self, ticks: impl Iterator<Item = &'t Tick>) {
        let mut market = self.market.borrow_mut();
        let mut all_series = self.series.borrow_mut();
        let Market {
            rows, index, dirty, ..
        } = &mut *market;
        for tick in ticks {
            // The newest in the log, not the latest: clocks can be set back.
            self.newest_at.set(Some(tick.at()));
            // A symbol that no snapshot named is not of this page's set.
            let Some(place) = index.exact(tick.symbol()) else {
                continue;
            };
            if rows[place].apply(tick) {
                dirty.push(place);
            }
            if let Tick::Trade(trade) = tick {
                let own = all_series.iter_mut();
                let own = own.filter(|s| s.key.symbol == trade.symbol);
                own.for_each(|series| series.apply(trade));
            }
        }
    }

    /// Whether signals are behind what was applied.
    pub fn has_news(&self) -> bool {
        !self.market.borrow().dirty.is_empty()
    }

    /// Brings the signals up to date; what is held keeps its numbers, but is put
    /// in the order that is wanted.
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
    }

    fn place_shown(&self, index: &Lookup) -> Option<usize> {
        index.exact(&self.shown.get_untracked()?)
    }

    /// Shows another symbol large.
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

    /// Orders the watchlist in another way.
    pub fn arrange(&self, arrangement: Arrangement) {
        self.table.borrow_mut().arrange(arrangement);
        self.flush();
    }

    /// Looks at so many rows of the watchlist from a position on.
    pub fn look(&self, first: usize, count: usize) {
        let mut market = self.market.borrow_mut();
        let mut table = self.table.borrow_mut();
        if let Some(slots) = table.look(first, count, market.shown(), now_ms()) {
            self.slots.set(slots);
        }
    }

    /// The symbol at a position of the watchlist.
    pub fn symbol_at(&self, position: usize) -> Option<String> {
        let market = self.market.borrow();
        let place = *self.table.borrow().order().get(position)?;
        Some(market.rows.get(place)?.state.symbol.clone())
    }

    /// The symbol at a place of the catalogue.
    pub fn catalogued(&self, place: usize) -> Option<String> {
        let market = self.market.borrow();
        Some(market.rows.get(place)?.state.symbol.clone())
    }

    /// The symbol that somebody means who writes this.
    ///
    /// # Errors
    ///
    /// There is none, or more than one, in words.
    pub fn find(&self, written: &str) -> Result<String, String> {
        let market = self.market.borrow();
        let symbol = |place: usize| market.rows.get(place).map(|row| row.state.symbol.clone());
        match market.index.find(written) {
            Found::One(place) => symbol(place),
            Found::Several(one, other) => {
                let [one, other] = [one, other].map(|place| symbol(place).unwrap_or_default());
                return Err(format!("'{written}' may be {one} or {other}"));
            }
            Found::None => None,
        }
        .ok_or_else(|| format!("No symbol '{written}'"))
    }

    /// Where the watchlist has a symbol.
    pub fn position_of(&self, symbol: &str) -> Option<usize> {
        let place = self.market.borrow().index.exact(symbol)?;
        let table = self.table.borrow();
        table.order().iter().position(|found| *found == place)
    }

    /// Name, decimals and last price of a symbol, if there is such a one.
    pub fn state<T>(&self, symbol: &str, read: impl FnOnce(&SymbolState) -> T) -> Option<T> {
        self.with_row(symbol, |row| read(&row.state))
    }

    /// The symbol's prices since the page was opened.
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

    /// Keeps the candles of these, and of no others.
    pub fn keep_series(&self, keys: &[SeriesKey]) {
        let mut all = self.series.borrow_mut();
        all.retain(|series| keys.contains(&series.key));
        for key in keys {
            if !all.iter().any(|series| series.key == *key) {
                let mut series = Series::new(key.clone());
                self.begin(&mut series);
                all.push(series);
            }
        }
    }

    /// Holds what is shown as it now is, or lets go of it. What comes meanwhile
    /// is applied all the same.
    pub fn hold(&self, hold: bool) {
        *self.held.borrow_mut() = hold.then(|| self.series.borrow().clone());
        let mut market = self.market.borrow_mut();
        market.held = hold.then(|| market.rows.clone());
    }

    /// Whether what is shown is held.
    pub fn is_held(&self) -> bool {
        self.held.borrow().is_some()
    }

    /// The candles of these, where they are kept, as they are to be shown.
    pub fn with_series<T>(
        &self,
        keys: &[SeriesKey],
        read: impl FnOnce(&[Option<&Series>]) -> T,
    ) -> T {
        let (all, held) = (self.series.borrow(), self.held.borrow());
        // One that was begun while the others are held is shown as it is.
        let all = || held.iter().flatten().chain(&*all);
        let find = |key: &SeriesKey| all().find(|series| series.key == *key);
        let found: Vec<_> = keys.iter().map(find).collect();
        read(&found)
    }

    /// Asks for candles older than those it has.
    pub fn want_older(&self, key: &SeriesKey) {
        let mut all = self.series.borrow_mut();
        let series = all.iter_mut().find(|series| series.key == *key);
        self.want(series.and_then(Series::want_older));
    }

    fn begin(&self, series: &mut Series) {
        self.beginnings.set(self.beginnings.get() + 1);
        self.want(Some(series.begin(self.beginnings.get())));
    }

    fn want(&self, want: Option<HistoryRequest>) {
        if let Some(want) = want {
            // Whoever answers lives as long as the page.
            let _ = self.wants.unbounded_send(want);
        }
    }

    /// Whether someone still waits for these candles.
    pub fn waits_for(&self, want: &HistoryRequest) -> bool {
        self.series
            .borrow()
            .iter()
            .any(|series| series.waits_for(want))
    }

    /// Takes in candles, or why there are none.
    pub fn answer(&self, want: &HistoryRequest, answer: Result<CandlesAnswer, String>) {
        let mut all = self.series.borrow_mut();
        let Some(series) = all.iter_mut().find(|series| series.waits_for(want)) else {
            return;
        };
        match answer {
            Ok(answer) => self.want(series.answer(want, &answer)),
            Err(fault) => series.fail(fault),
        }
    }
}

/// What there is to worry about in the server's store.
fn worry(status: &StoreStatus) -> String {
    let mut worry = String::new();
    if !status.saving {
        worry = ["history is not saved (", &status.detail, ")"].concat();
    }
    for (lost, what) in [
        (status.lost, " candles were lost"),
        (status.lost_firings, " alerts that fired were lost"),
    ] {
        if lost > 0 {
            if !worry.is_empty() {
                worry += ", ";
            }
            worry += &[&lost.to_string(), what].concat();
        }
    }
    worry
}
