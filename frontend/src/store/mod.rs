//! The page's picture of the market. Wire messages come in, and once a frame
//! what changed goes out through signals; nothing else writes those.

mod history;
mod row;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use leptos::prelude::*;
use shared::{FeedStatus, Micros, ServerMessage, SymbolState, Tick, Verdict};

pub use history::History;
use row::Row;

use crate::client::now_ms;
pub use row::{Flash, RowSignals, Trade};

/// Everything the page knows of the market.
pub struct Store {
    rows: RefCell<Rows>,
    /// The rows' signals, in the server's order; set when the catalogue
    /// changes.
    pub row_signals: RwSignal<Vec<RowSignals>>,
    /// The symbol that is shown large.
    pub selected: RwSignal<Option<String>>,
    /// The last trades of that symbol, newest first.
    pub tape: RwSignal<Vec<Trade>>,
    /// What the feed is doing.
    pub feed: RwSignal<Option<FeedStatus>>,
    /// When the server took in the newest tick.
    newest_at: Cell<Option<Micros>>,
}

#[derive(Default)]
struct Rows {
    rows: Vec<Row>,
    index: HashMap<String, usize>,
    /// Those with something new for their signals, each once.
    dirty: Vec<usize>,
    /// How many catalogues there were.
    catalogue: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            rows: RefCell::default(),
            row_signals: RwSignal::new(Vec::new()),
            selected: RwSignal::new(None),
            tape: RwSignal::new(Vec::new()),
            feed: RwSignal::new(None),
            newest_at: Cell::new(None),
        }
    }
}

impl Store {
    /// Takes in one message; nothing is drawn until [`Self::flush`].
    pub fn apply(&self, message: &ServerMessage, verdict: Verdict) {
        match message {
            ServerMessage::Snapshot { symbols, .. } => self.apply_snapshot(symbols),
            ServerMessage::Ticks { ticks, .. } => {
                let seen = match verdict {
                    Verdict::Apply => 0,
                    Verdict::ApplyAfter(seen) => seen,
                };
                self.apply_ticks(ticks.iter().filter(|tick| tick.seq > seen));
            }
            ServerMessage::Status { status, .. } => self.feed.set(Some(status.clone())),
            _ => {}
        }
    }

    fn apply_snapshot(&self, symbols: &[SymbolState]) {
        let mut rows = self.rows.borrow_mut();
        let same = rows.rows.len() == symbols.len()
            && rows
                .rows
                .iter()
                .zip(symbols)
                .all(|(row, state)| row.is_of(state));
        if same {
            let dirty = 0..symbols.len();
            for (row, state) in rows.rows.iter_mut().zip(symbols) {
                row.replace(state);
            }
            rows.dirty = dirty.collect();
            return;
        }
        rows.catalogue += 1;
        let catalogue = rows.catalogue;
        rows.rows = symbols
            .iter()
            .map(|state| Row::new(state, catalogue))
            .collect();
        rows.index = symbols.iter().map(|s| s.symbol.clone()).zip(0..).collect();
        rows.dirty = (0..symbols.len()).collect();
        let signals = rows.rows.iter().map(|row| row.signals.clone()).collect();
        let known = |symbol: &String| rows.index.contains_key(symbol);
        let keep = self
            .selected
            .with_untracked(|s| s.as_ref().is_some_and(known));
        drop(rows);
        self.row_signals.set(signals);
        if !keep {
            self.selected.set(symbols.first().map(|s| s.symbol.clone()));
        }
    }

    fn apply_ticks<'t>(&self, ticks: impl Iterator<Item = &'t Tick>) {
        let mut rows = self.rows.borrow_mut();
        let Rows {
            rows, index, dirty, ..
        } = &mut *rows;
        for tick in ticks {
            self.newest_at
                .set(self.newest_at.get().max(Some(tick.at())));
            // A symbol that no snapshot named is not of this page's set.
            let Some(&place) = index.get(&tick.symbol) else {
                continue;
            };
            if rows[place].apply(tick) {
                dirty.push(place);
            }
        }
    }

    /// Whether signals are behind what was applied.
    pub fn has_news(&self) -> bool {
        !self.rows.borrow().dirty.is_empty()
    }

    /// Brings the signals up to date.
    pub fn flush(&self) {
        let mut rows = self.rows.borrow_mut();
        let Rows { rows, dirty, .. } = &mut *rows;
        let selected = self.selected.get_untracked();
        let now_ms = now_ms();
        for place in dirty.drain(..) {
            if let Some(row) = rows.get_mut(place) {
                row.flush(now_ms);
                if selected.as_deref() == Some(row.symbol()) {
                    self.tape.set(row.tape());
                }
            }
        }
    }

    /// Shows another symbol large.
    pub fn select(&self, symbol: &str) {
        let tape = self.with_row(symbol, Row::tape);
        if let Some(tape) = tape {
            self.selected.set(Some(symbol.to_owned()));
            self.tape.set(tape);
        }
    }

    /// The prices of a symbol, if there is such a one.
    pub fn with_history<T>(&self, symbol: &str, read: impl FnOnce(&History) -> T) -> Option<T> {
        self.with_row(symbol, |row| read(row.history()))
    }

    /// A number that changes whenever the symbol's history does.
    pub fn version(&self, symbol: &str) -> Option<u64> {
        self.with_row(symbol, Row::version)
    }

    /// When the server took in the newest tick.
    pub fn newest_at(&self) -> Option<Micros> {
        self.newest_at.get()
    }

    fn with_row<T>(&self, symbol: &str, read: impl FnOnce(&Row) -> T) -> Option<T> {
        let rows = self.rows.borrow();
        let place = *rows.index.get(symbol)?;
        rows.rows.get(place).map(read)
    }
}
