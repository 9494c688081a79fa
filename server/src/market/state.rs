//! Where one symbol stands.

use rust_decimal::Decimal;
use shared::{Instrument, Micros, SymbolState};

use crate::feed::Trade;

const DAY_US: i64 = 86_400_000_000;

/// The part of a symbol's state that its ticks change.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    bid: Option<Decimal>,
    ask: Option<Decimal>,
    volume: Decimal,
    session: Option<Session>,
}

/// A UTC day of trading.
#[derive(Clone, Debug)]
struct Session {
    open: Decimal,
    high: Decimal,
    low: Decimal,
    last: Decimal,
    time: Micros,
}

impl Standing {
    /// Moves the symbol on by one trade. A trade on another UTC day than the
    /// one before begins a new session.
    pub(super) fn apply(&mut self, trade: &Trade) {
        let day = trade.time.div_euclid(DAY_US);
        let same_day = |session: &&mut Session| session.time.div_euclid(DAY_US) == day;
        match self.session.as_mut().filter(same_day) {
            Some(session) => {
                session.high = session.high.max(trade.price);
                session.low = session.low.min(trade.price);
                session.last = trade.price;
                session.time = trade.time;
                // 96 bits hold more than any market trades in a day; past them
                // the figure stops rather than the server.
                self.volume = self.volume.saturating_add(trade.qty);
            }
            None => {
                self.session = Some(Session {
                    open: trade.price,
                    high: trade.price,
                    low: trade.price,
                    last: trade.price,
                    time: trade.time,
                });
                self.volume = trade.qty;
            }
        }
        self.bid = trade.bid;
        self.ask = trade.ask;
    }

    /// The state as the wire has it.
    pub(super) fn state(&self, instrument: &Instrument) -> SymbolState {
        let session = self.session.as_ref();
        SymbolState {
            symbol: instrument.symbol.clone(),
            name: instrument.name.clone(),
            decimals: instrument.decimals,
            last: session.map(|s| s.last),
            bid: self.bid,
            ask: self.ask,
            open: session.map(|s| s.open),
            high: session.map(|s| s.high),
            low: session.map(|s| s.low),
            volume: self.volume,
            time: session.map(|s| s.time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_day_is_a_new_session() {
        let mut standing = Standing::default();
        let mut trade = |time, price: i64| {
            standing.apply(&Trade {
                instrument: 0,
                time,
                at: None,
                price: price.into(),
                qty: Decimal::TWO,
                side: None,
                bid: None,
                ask: None,
            });
            let instrument = Instrument {
                symbol: "A".into(),
                name: "a".into(),
                decimals: 0,
            };
            let state = standing.state(&instrument);
            let prices = [state.open, state.high, state.low, state.last].map(|price| {
                let price: i64 = price.unwrap().try_into().unwrap();
                price
            });
            (prices, state.volume)
        };
        assert_eq!(trade(DAY_US, 5), ([5, 5, 5, 5], Decimal::from(2)));
        assert_eq!(trade(DAY_US + 1, 9), ([5, 9, 5, 9], Decimal::from(4)));
        assert_eq!(trade(2 * DAY_US - 1, 3), ([5, 9, 3, 3], Decimal::from(6)));
        assert_eq!(trade(2 * DAY_US, 4), ([4, 4, 4, 4], Decimal::from(2)));
    }
}
