//! What the mirrored server sends, as entries of the log.

use std::collections::HashMap;
use std::sync::Arc;

use shared::{Instrument, NewestBars, ServerMessage, SymbolState, Tick};

use crate::entries::{Entries, Known, Notice, Placed};

/// The indices of instruments by their symbols.
#[derive(Clone, Debug)]
pub(crate) struct Places(HashMap<String, usize>);

/// A message that cannot be an entry of the log, and why not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    /// A symbol that is not in the catalogue.
    #[error("it names {0}, which is not in its catalogue")]
    Symbol(String),
    /// Ticks that are not all there, or not in their order.
    #[error("its ticks after {0} do not follow each other")]
    Order(u64),
    /// States without their bars.
    #[error("its states have no bars")]
    Bars,
    /// It is of no kind that the log has.
    #[error("it sent {0} where an entry of the log belongs")]
    Kind(&'static str),
}

impl Places {
    pub(crate) fn new(instruments: &[Instrument]) -> Self {
        let names = instruments.iter().map(|known| known.symbol.clone());
        Self(names.zip(0..).collect())
    }

    fn of(&self, symbol: &str) -> Result<usize, Unfit> {
        let place = self.0.get(symbol).copied();
        place.ok_or_else(|| Unfit::Symbol(symbol.to_owned()))
    }

    /// The entries that a message tells, which moves a reader of all symbols from
    /// `before` to `last`.
    ///
    /// # Errors
    ///
    /// It is no such message.
    pub(crate) fn entries(
        &self,
        message: ServerMessage,
        (before, last): (u64, u64),
    ) -> Result<Entries, Unfit> {
        match message {
            ServerMessage::Ticks { ticks, skipped, .. } => {
                self.ticks(ticks, skipped, (before, last))
            }
            ServerMessage::Alerts { firings, .. } => {
                let placed = firings.into_iter().map(|firing| -> Result<Placed, Unfit> {
                    Ok((self.of(&firing.symbol)?, Arc::new(firing)))
                });
                Ok(Entries::Firings(placed.collect::<Result<_, _>>()?))
            }
            ServerMessage::States { symbols, bars, .. } => self.states(symbols, &bars),
            ServerMessage::Status { status, .. } => Ok(Entries::Notice(Notice::Feed(status))),
            ServerMessage::Store { status, .. } => Ok(Entries::Notice(Notice::Store(status))),
            ServerMessage::AlertsChanged { changes, .. } => {
                Ok(Entries::Notice(Notice::AlertsChanged(changes)))
            }
            other => Err(Unfit::Kind(other.event())),
        }
    }

    fn ticks(
        &self,
        ticks: Vec<Tick>,
        skipped: u64,
        (before, last): (u64, u64),
    ) -> Result<Entries, Unfit> {
        let follow = ticks.iter().map(Tick::seq).eq(before + 1..=last);
        if skipped > 0 || !follow {
            return Err(Unfit::Order(before));
        }
        let placed = ticks.into_iter().map(|tick| {
            let place = self.of(tick.symbol())?;
            Ok((place, tick))
        });
        Ok(Entries::Ticks(placed.collect::<Result<_, _>>()?))
    }

    fn states(&self, states: Vec<SymbolState>, bars: &[NewestBars]) -> Result<Entries, Unfit> {
        if states.len() != bars.len() {
            return Err(Unfit::Bars);
        }
        let known = states.into_iter().zip(bars).map(|(state, bars)| {
            Ok(Known {
                instrument: self.of(&state.symbol)?,
                state,
                candles: Arc::new(bars.clone().map(Vec::from_iter)),
                is_whole: false,
            })
        });
        Ok(Entries::Known(known.collect::<Result<_, _>>()?))
    }
}
