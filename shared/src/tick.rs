//! A trade, and where it leaves its symbol.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{Instrument, Micros};

/// A UTC day.
const DAY_US: Micros = 86_400_000_000;

/// One trade, numbered by the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tick {
    /// Its number in the log.
    pub seq: u64,
    /// The symbol that traded.
    pub symbol: String,
    /// When it happened, by the clock of its source.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub time: Micros,
    /// When the server took it in; absent where equal to `time`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub at: Option<Micros>,
    /// The price of the trade.
    #[serde(deserialize_with = "crate::exact::decimal")]
    pub price: Decimal,
    /// How much was traded.
    #[serde(deserialize_with = "crate::exact::decimal")]
    pub qty: Decimal,
    /// The aggressor's side; absent where the source does not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub side: Option<Side>,
    /// The best bid after the trade; absent where the source has no quotes.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::exact::optional",
        default
    )]
    pub bid: Option<Decimal>,
    /// The best ask after the trade; absent where the source has no quotes.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::exact::optional",
        default
    )]
    pub ask: Option<Decimal>,
}

impl Tick {
    /// When the server took the tick in: what the age of data counts from.
    pub fn at(&self) -> Micros {
        self.at.unwrap_or(self.time)
    }
}

/// The aggressor's side of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The buyer took the offer.
    Buy,
    /// The seller took the bid.
    Sell,
}

/// Where one symbol stands. Prices are absent until its first tick.
///
/// `open`, `high`, `low` and `volume` are of the session: the UTC day of the
/// last tick's `time`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SymbolState {
    /// The symbol, as in `BTC-USD`.
    pub symbol: String,
    /// Its name for people.
    pub name: String,
    /// How many decimals its prices have.
    pub decimals: u32,
    /// The last price.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::exact::optional",
        default
    )]
    pub last: Option<Decimal>,
    /// The best bid.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::exact::optional",
        default
    )]
    pub bid: Option<Decimal>,
    /// The best ask.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::exact::optional",
        default
    )]
    pub ask: Option<Decimal>,
    /// The session's first price.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::exact::optional",
        default
    )]
    pub open: Option<Decimal>,
    /// The session's highest price.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::exact::optional",
        default
    )]
    pub high: Option<Decimal>,
    /// The session's lowest price.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::exact::optional",
        default
    )]
    pub low: Option<Decimal>,
    /// The quantity traded in the session.
    #[serde(deserialize_with = "crate::exact::decimal")]
    pub volume: Decimal,
    /// The last tick's `time`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub time: Option<Micros>,
}

impl SymbolState {
    /// A symbol before its first tick.
    pub fn new(instrument: &Instrument) -> Self {
        Self {
            symbol: instrument.symbol.clone(),
            name: instrument.name.clone(),
            decimals: instrument.decimals,
            last: None,
            bid: None,
            ask: None,
            open: None,
            high: None,
            low: None,
            volume: Decimal::ZERO,
            time: None,
        }
    }

    /// Moves the symbol on by one of its ticks. A tick on another UTC day than
    /// the one before begins a new session. Server and page both count with
    /// this, so they agree.
    pub fn apply(&mut self, tick: &Tick) {
        let day = tick.time.div_euclid(DAY_US);
        if self.time.is_none_or(|time| time.div_euclid(DAY_US) != day) {
            self.open = None;
            self.high = None;
            self.low = None;
            self.volume = Decimal::ZERO;
        }
        self.open = self.open.or(Some(tick.price));
        self.high = Some(self.high.map_or(tick.price, |high| high.max(tick.price)));
        self.low = Some(self.low.map_or(tick.price, |low| low.min(tick.price)));
        self.last = Some(tick.price);
        // 96 bits hold more than any market trades in a day; past them the
        // figure stops, rather than the program.
        self.volume = self.volume.saturating_add(tick.qty);
        self.bid = tick.bid;
        self.ask = tick.ask;
        self.time = Some(tick.time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_day_is_a_new_session() {
        let mut state = SymbolState::new(&Instrument {
            symbol: "A".into(),
            name: "a".into(),
            decimals: 0,
        });
        let mut check = |time, price: i64, prices: [i64; 4], volume: i64| {
            state.apply(&Tick {
                seq: 1,
                symbol: "A".into(),
                time,
                at: None,
                price: price.into(),
                qty: Decimal::TWO,
                side: None,
                bid: None,
                ask: None,
            });
            let found = [state.open, state.high, state.low, state.last];
            assert_eq!(found, prices.map(|price| Some(price.into())));
            assert_eq!(state.volume, volume.into());
        };
        check(DAY_US, 5, [5, 5, 5, 5], 2);
        check(DAY_US + 1, 9, [5, 9, 5, 9], 4);
        check(2 * DAY_US - 1, 3, [5, 9, 3, 3], 6);
        check(2 * DAY_US, 4, [4, 4, 4, 4], 2);
    }
}
