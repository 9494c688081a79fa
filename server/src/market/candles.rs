//! The candles of a market, for those who read or store them.

use shared::{Interval, Time};

use super::{CandleChanges, Market, Marks, Recent};
use crate::catalogue::UnknownSymbol;
use crate::kept::Progress;

impl Market {
    /// The newest `limit` of a symbol's candles that begin in `from..to`,
    /// oldest first, as far as they are in memory.
    ///
    /// # Errors
    ///
    /// The symbol is not in the catalogue.
    pub fn candles(
        &self,
        symbol: &str,
        interval: Interval,
        (from, to): (Time, Time),
        limit: usize,
    ) -> Result<Recent, UnknownSymbol> {
        let index = self.run.catalogue.find(symbol)?;
        let published = self.published();
        let history = &published.history;
        let (oldest, candles) = history.range(index, interval, (from, to), limit);
        Ok(Recent {
            cursor: self.cursor_at(published.log.head()),
            oldest,
            beginnings: published.progress.beginnings,
            candles,
        })
    }

    /// What happened to an instrument's candles since these marks were set. A
    /// bar is closed if a newer one has been opened, or if it ends at `until` or
    /// before.
    pub fn candle_changes(&self, instrument: usize, marks: &Marks, until: Time) -> CandleChanges {
        self.published().history.changes(instrument, marks, until)
    }

    /// What the candles are made of.
    pub fn progress(&self) -> Progress {
        self.published().progress
    }

    /// How many candles of a symbol and an interval memory has room for.
    pub fn candle_room(&self) -> usize {
        self.published().history.room()
    }

    /// How often the feed began anew.
    pub fn beginnings(&self) -> u64 {
        self.published().progress.beginnings
    }

    /// How often something happened to longer candles that those of a second do
    /// not show.
    pub fn candle_exceptions(&self) -> u64 {
        self.published().history.exceptions()
    }

    /// How many candles of all instruments were dropped from memory since these
    /// marks were set, before they were taken over.
    pub fn missing(&self, marks: &[Marks]) -> u64 {
        self.published().history.missing(marks)
    }
}
