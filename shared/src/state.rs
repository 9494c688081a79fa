//! The current state of a symbol.

use serde::{Deserialize, Serialize};

use crate::{Decimal, Instrument, Quote, Tick, Time, Trade};

/// The current state of one symbol. Prices are absent until they are known.
///
/// `open`, `high`, `low` and `volume` are those of the session: the UTC day of
/// the last trade.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SymbolState {
    /// The symbol, as in `BTC-USD`.
    pub symbol: String,
    /// Its name for users.
    pub name: String,
    /// How many decimals its prices have.
    pub decimals: u32,
    /// How many decimals its quantities have.
    #[serde(default)]
    pub qty_decimals: u32,
    /// Its index in the catalogue, from 0; the binary encoding uses it in place
    /// of the symbol.
    #[serde(default)]
    pub index: u32,
    /// The exchange that its prices come from, if they do: its name in the feed's
    /// status.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub venue: Option<String>,
    /// The last price.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<Decimal>,
    /// The best bid.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bid: Option<Decimal>,
    /// The quantity at the best bid, if it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bid_qty: Option<Decimal>,
    /// The best ask.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ask: Option<Decimal>,
    /// The quantity at the best ask, if it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ask_qty: Option<Decimal>,
    /// The last price of the session before, if it is known. Changes are
    /// against it, or else against the session's first price.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<Decimal>,
    /// The session's first price.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub open: Option<Decimal>,
    /// The session's highest price.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub high: Option<Decimal>,
    /// The session's lowest price.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub low: Option<Decimal>,
    /// The quantity traded in the session.
    pub volume: Decimal,
    /// The last trade's `time`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time: Option<Time>,
}

impl SymbolState {
    /// A symbol without any prices yet; `index` is its index in the catalogue.
    pub fn new(instrument: &Instrument, index: u32) -> Self {
        Self {
            symbol: instrument.symbol.clone(),
            name: instrument.name.clone(),
            decimals: instrument.decimals,
            qty_decimals: instrument.qty_decimals,
            index,
            venue: instrument.venue.clone(),
            last: None,
            bid: None,
            bid_qty: None,
            ask: None,
            ask_qty: None,
            previous: None,
            open: None,
            high: None,
            low: None,
            volume: Decimal::ZERO,
            time: None,
        }
    }

    /// Applies a tick of this symbol. Server and page use the same code, so
    /// they agree.
    pub fn apply(&mut self, tick: &Tick) {
        match tick {
            Tick::Trade(trade) => self.trade(trade),
            Tick::Quote(quote) => self.quote(quote),
        }
    }

    /// A trade on another UTC day than the one before starts a new session.
    fn trade(&mut self, trade: &Trade) {
        if !self.time.is_some_and(|time| time.is_same_day(trade.time)) {
            self.previous = self.last;
            self.open = None;
            self.high = None;
            self.low = None;
            self.volume = Decimal::ZERO;
        }
        self.open = self.open.or(Some(trade.price));
        self.high = Some(self.high.map_or(trade.price, |high| high.max(trade.price)));
        self.low = Some(self.low.map_or(trade.price, |low| low.min(trade.price)));
        self.last = Some(trade.price);
        // 96 bits hold more than any market trades in a day; beyond that, the
        // volume saturates instead of panicking.
        self.volume = self.volume.saturating_add(trade.qty);
        self.time = Some(trade.time);
        // The quantity at a new price is known only from a quote.
        if trade.bid.is_some() && trade.bid != self.bid {
            (self.bid, self.bid_qty) = (trade.bid, None);
        }
        if trade.ask.is_some() && trade.ask != self.ask {
            (self.ask, self.ask_qty) = (trade.ask, None);
        }
    }

    fn quote(&mut self, quote: &Quote) {
        (self.bid, self.bid_qty) = (quote.bid, quote.bid_qty);
        (self.ask, self.ask_qty) = (quote.ask, quote.ask_qty);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: i64) -> Option<Decimal> {
        Some(number.into())
    }

    fn trade(us: i64, price: i64, quotes: [Option<Decimal>; 2]) -> Tick {
        let [bid, ask] = quotes;
        Tick::Trade(Trade {
            seq: 1,
            symbol: "A".into(),
            time: Time::from_micros(us),
            at: None,
            id: None,
            price: price.into(),
            qty: Decimal::TWO,
            side: None,
            bid,
            ask,
        })
    }

    fn state() -> SymbolState {
        let instrument = Instrument {
            symbol: "A".into(),
            ..Instrument::default()
        };
        SymbolState::new(&instrument, 0)
    }

    #[test]
    fn quotes_stand_until_others_come() {
        let mut state = state();
        let mut check = |tick: Tick, expect: [Option<Decimal>; 5]| {
            state.apply(&tick);
            let found = [
                state.bid,
                state.bid_qty,
                state.ask,
                state.ask_qty,
                state.last,
            ];
            assert_eq!(found, expect);
        };
        let quote = |[bid, bid_qty, ask, ask_qty]: [Option<Decimal>; 4]| {
            let symbol = "A".into();
            let (seq, time, at) = (1, Time::from_micros(5), None);
            Tick::Quote(Quote {
                seq,
                symbol,
                time,
                at,
                bid,
                bid_qty,
                ask,
                ask_qty,
            })
        };
        check(
            quote([of(4), of(1), of(6), of(2)]),
            [of(4), of(1), of(6), of(2), None],
        );
        // A trade without a quote does not change the quote.
        check(
            trade(6, 6, [None, None]),
            [of(4), of(1), of(6), of(2), of(6)],
        );
        // The quantity at a new price is not known.
        check(
            trade(7, 6, [of(4), of(7)]),
            [of(4), of(1), of(7), None, of(6)],
        );
        // There is no bid any more.
        check(
            quote([None, None, of(7), of(3)]),
            [None, None, of(7), of(3), of(6)],
        );
    }

    #[test]
    fn a_new_day_is_a_new_session() {
        let mut state = state();
        let mut check = |time, price: i64, prices: [i64; 4], volume: i64| {
            state.apply(&trade(time, price, [None; 2]));
            let found = [state.open, state.high, state.low, state.last];
            assert_eq!(found, prices.map(|price| Some(price.into())));
            assert_eq!(state.volume, volume.into());
        };
        let day_us = crate::Span::DAY.micros();
        check(day_us, 5, [5, 5, 5, 5], 2);
        check(day_us + 1, 9, [5, 9, 5, 9], 4);
        check(2 * day_us - 1, 3, [5, 9, 3, 3], 6);
        check(2 * day_us, 4, [4, 4, 4, 4], 2);
    }
}
