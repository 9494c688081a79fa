//! The last day of each row in view, for its sparkline.

use shared::SparksAnswer;

use super::row::Row;
use super::table::Table;
use super::{Market, Store};

impl Store {
    /// Asks once for the last day of each row that comes into view.
    pub(super) fn ask_last_days(&self, table: &Table, rows: &mut [Row]) {
        let mut symbols = Vec::new();
        for place in table.in_view() {
            let Some(row) = rows.get_mut(place).filter(|row| !row.has_asked) else {
                continue;
            };
            row.has_asked = true;
            symbols.push(row.state.symbol.clone());
        }
        if !symbols.is_empty() {
            // If nobody serves it, the page is being closed.
            let _ = self.sparks.unbounded_send(symbols);
        }
    }

    /// Takes in the last day of symbols.
    pub fn fill_sparks(&self, answer: &SparksAnswer) {
        let mut market = self.market.borrow_mut();
        let Market { rows, index, .. } = &mut *market;
        for day in &answer.sparks {
            let row = index
                .exact(&day.symbol)
                .and_then(|place| rows.get_mut(place));
            let Some(row) = row else {
                continue;
            };
            let times = day.times.iter().map(|time| time.micros() as f64);
            let closes = day.closes.iter().map(|close| close.to_f64());
            row.spark.begin_with(times.zip(closes));
        }
    }
}
