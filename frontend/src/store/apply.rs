//! Takes in what the server sends.

use leptos::prelude::*;
use shared::{Lookup, ServerMessage, SnapshotReason, SymbolState, Tick, Verdict};

use super::row::Row;
use super::{Market, Store};

impl Store {
    /// Applies a message. Nothing is drawn until [`Self::flush`].
    pub fn apply(&self, message: &ServerMessage, verdict: Verdict) {
        match message {
            ServerMessage::Snapshot {
                symbols, reason, ..
            } => {
                self.apply_snapshot(symbols, *reason);
                // If the server's store has a problem, a message about it
                // follows.
                self.worry.take();
                match reason {
                    SnapshotReason::Lagged | SnapshotReason::Jumped => self.alerts.catch_up(),
                    SnapshotReason::Start | SnapshotReason::Restarted => self.alerts.begin(),
                }
            }
            ServerMessage::Ticks { ticks, .. } => self.apply_ticks(verdict.fresh(ticks)),
            ServerMessage::States { symbols, .. } if verdict == Verdict::Apply => {
                self.apply_states(symbols);
            }
            ServerMessage::Alerts { firings, .. } if verdict == Verdict::Apply => {
                self.alerts.fire(firings);
            }
            ServerMessage::AlertsChanged { changes, .. } if verdict == Verdict::Apply => {
                self.alerts.change(changes);
            }
            ServerMessage::Store { status, .. } => _ = self.worry.replace(Some(status.clone())),
            ServerMessage::Status { status, .. } => self.apply_status(status),
            _ => {}
        }
    }

    /// After a jump, nothing that was known of a symbol holds any more. A server that
    /// was restarted may have other symbols, or others of the same names.
    fn apply_snapshot(&self, symbols: &[SymbolState], reason: SnapshotReason) {
        let mut market = self.market.borrow_mut();
        let Market {
            rows,
            index,
            dirty,
            held,
        } = &mut *market;
        let known = rows.iter().zip(symbols);
        let is_jump = reason == SnapshotReason::Jumped;
        let same = reason != SnapshotReason::Restarted
            && rows.len() == symbols.len()
            && known.into_iter().all(|(row, s)| row.is_of(s));
        if same && is_jump {
            *rows = symbols.iter().map(Row::new).collect();
        } else if same {
            for (row, state) in rows.iter_mut().zip(symbols) {
                row.replace(state);
            }
        } else {
            *rows = symbols.iter().map(Row::new).collect();
            *index = Lookup::new(symbols.iter().map(|s| s.symbol.as_str()));
            // If the symbols change, the old rows cannot be held.
            held.take();
            self.table.borrow_mut().invalidate();
            self.catalogue.update(|catalogue| *catalogue += 1);
        }
        *dirty = (0..symbols.len()).collect();
        // What happened in between is only in the server's candles, so they are
        // requested again.
        for series in self.series.borrow_mut().iter_mut() {
            self.begin(series);
        }
    }

    /// The past of these symbols has become known: their candles are requested again.
    fn apply_states(&self, symbols: &[SymbolState]) {
        let mut market = self.market.borrow_mut();
        let mut all_series = self.series.borrow_mut();
        for state in symbols {
            let Some(place) = market.index.exact(&state.symbol) else {
                continue;
            };
            market.rows[place].replace(state);
            market.rows[place].has_asked = false;
            market.dirty.push(place);
            let own = all_series.iter_mut();
            let own = own.filter(|series| series.key.symbol == state.symbol);
            own.for_each(|series| self.begin(series));
        }
    }

    fn apply_ticks<'t>(&self, ticks: impl Iterator<Item = &'t Tick>) {
        let mut market = self.market.borrow_mut();
        let mut all_series = self.series.borrow_mut();
        let Market {
            rows, index, dirty, ..
        } = &mut *market;
        for tick in ticks {
            // The newest tick of the log, not the one with the latest time:
            // clocks can be set back.
            self.newest_at.set(Some(tick.at()));
            self.newest.set(Some(tick.time()));
            // A symbol that was in no snapshot is not one that this page
            // subscribes to.
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
}
