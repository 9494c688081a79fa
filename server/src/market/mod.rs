//! The market: where every symbol stands, and the one log of how it got there.

mod batch;
mod history;
mod log;
mod reader;
mod set;
mod writer;

#[cfg(test)]
mod laws;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use shared::{
    Candle, Cursor, Epoch, FeedState, FeedStatus, Instrument, Interval, Micros, SymbolState,
    Symbols,
};
use tokio::sync::watch;

use self::batch::Batch;
use self::history::History;
use self::log::Log;
use self::set::Sets;

pub use self::batch::Frame;
pub(crate) use self::batch::frame_of;
pub use self::reader::{Answer, Reader};
pub use self::set::SymbolSet;

/// What all parts of the server share: written by one [`Market::run`], read by
/// any number of [`Reader`]s.
#[derive(Debug)]
pub struct Market {
    epoch: Epoch,
    instruments: Vec<Instrument>,
    index: HashMap<String, usize>,
    sets: Sets,
    /// A std lock: held to publish or to copy, for microseconds, and never
    /// across an await. Log and states change together, so that a snapshot
    /// is always that of its cursor.
    published: RwLock<Published>,
    /// The log's head: wakes the readers. Every reader holds a receiver.
    head: watch::Sender<u64>,
}

#[derive(Debug)]
struct Published {
    log: Log,
    /// In the order of the catalogue.
    states: Vec<SymbolState>,
    /// How they got there, in candles.
    history: History,
    status: FeedStatus,
}

/// A symbol that the catalogue does not have. The message names the nearest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no symbol '{symbol}'; {hint}")]
pub struct UnknownSymbol {
    symbol: String,
    hint: String,
}

impl Market {
    /// A market of these instruments before its first tick.
    ///
    /// `log_capacity` is in ticks; `epoch` should be new at each start.
    pub fn new(
        epoch: Epoch,
        feed: &str,
        instruments: Vec<Instrument>,
        log_capacity: u64,
    ) -> Arc<Self> {
        let symbols = instruments.iter().map(|i| i.symbol.clone());
        Arc::new(Self {
            epoch,
            index: symbols.zip(0..).collect(),
            sets: Sets::new(instruments.len()),
            published: RwLock::new(Published {
                log: Log::new(log_capacity),
                states: instruments.iter().map(SymbolState::new).collect(),
                history: History::new(instruments.len()),
                status: FeedStatus {
                    feed: feed.to_owned(),
                    state: FeedState::Live,
                    detail: String::new(),
                    retry_ms: None,
                },
            }),
            instruments,
            head: watch::Sender::new(0),
        })
    }

    /// The name of this run.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The catalogue, in the feed's order.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// Where the log ends.
    pub fn cursor(&self) -> Cursor {
        self.cursor_at(self.published().log.head())
    }

    /// Whether prices have arrived.
    pub fn is_ready(&self) -> bool {
        self.published().log.head() > 0
    }

    /// The set of these symbols.
    ///
    /// # Errors
    ///
    /// The first symbol that the catalogue does not have.
    pub fn set(&self, symbols: &Symbols) -> Result<Arc<SymbolSet>, UnknownSymbol> {
        match symbols {
            Symbols::All => Ok(self.sets.all()),
            Symbols::Named(names) => {
                let indices = names.iter().map(|name| self.find(name));
                Ok(self.sets.of(indices.collect::<Result<_, _>>()?))
            }
        }
    }

    /// The symbols of a set as a client writes them: `["*"]` for all.
    pub fn names(&self, set: &SymbolSet) -> Vec<String> {
        if set.is_all() {
            return vec!["*".to_owned()];
        }
        let wanted = set.indices(self.instruments.len());
        let names = wanted.iter().map(|&i| self.instruments[i].symbol.clone());
        names.collect()
    }

    /// Where the symbols of a set stand, and at which position.
    pub fn snapshot(&self, set: &SymbolSet) -> (Cursor, Vec<SymbolState>) {
        let published = self.published();
        let states = self.states(&published, set);
        (self.cursor_at(published.log.head()), states)
    }

    /// The newest `limit` of a symbol's candles that begin in `from..to`,
    /// oldest first, and the position that they are of.
    ///
    /// # Errors
    ///
    /// The catalogue does not have the symbol.
    pub fn candles(
        &self,
        symbol: &str,
        interval: Interval,
        (from, to): (Micros, Micros),
        limit: usize,
    ) -> Result<(Cursor, Vec<Candle>), UnknownSymbol> {
        let index = self.find(symbol)?;
        let published = self.published();
        let history = &published.history;
        let candles = history.range(index, interval, (from, to), limit);
        Ok((self.cursor_at(published.log.head()), candles))
    }

    fn states(&self, published: &Published, set: &SymbolSet) -> Vec<SymbolState> {
        let wanted = set.indices(self.instruments.len()).into_iter();
        wanted.map(|i| published.states[i].clone()).collect()
    }

    fn find(&self, name: &str) -> Result<usize, UnknownSymbol> {
        self.index.get(name).copied().ok_or_else(|| {
            // Errors quote what came, but not a megabyte of it.
            let symbol: String = name.chars().take(40).collect();
            let wanted = symbol.to_uppercase();
            let nearest = self
                .instruments
                .iter()
                .map(|i| (strsim::jaro_winkler(&i.symbol, &wanted), &i.symbol))
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .filter(|(likeness, _)| *likeness > 0.8);
            let hint = match nearest {
                Some((_, symbol)) => format!("did you mean {symbol}?"),
                None => "GET /api/symbols lists them".to_owned(),
            };
            UnknownSymbol { symbol, hint }
        })
    }

    fn cursor_at(&self, seq: u64) -> Cursor {
        Cursor {
            epoch: self.epoch,
            seq,
        }
    }

    /// Batches after `position`, at most `count` of them, oldest first; `None`
    /// when the log cannot go on from there.
    fn batches_after(&self, position: u64, count: usize) -> Option<Vec<Arc<Batch>>> {
        let published = self.published();
        let batches = published.log.after(position)?;
        Some(batches.take(count).cloned().collect())
    }

    fn published(&self) -> RwLockReadGuard<'_, Published> {
        // The writer leaves the market whole after every step.
        self.published
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
