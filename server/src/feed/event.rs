//! What a feed tells, before the log numbers it.

use std::time::Duration;

use shared::{Candle, Decimal, FeedState, Interval, Side, Tick, Time};

/// Something that happened at the source.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedEvent {
    /// A trade.
    Trade(Trade),
    /// A change of the best bid and ask.
    Quote(Quote),
    /// The feed's state changed.
    State(StateChange),
    /// What was before the feed's first trade.
    History(History),
}

/// What a feed does from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// Whether prices come.
    pub state: FeedState,
    /// In words: why, or what of.
    pub detail: String,
    /// When the feed will try again, if it does.
    pub retry: Option<Duration>,
}

/// A trade as its source tells it, before the log numbers it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trade {
    /// The place of its instrument in the catalogue.
    pub instrument: usize,
    /// The source's time of the trade.
    pub time: Time,
    /// When this server took it in; `None` where that is `time` by definition.
    pub at: Option<Time>,
    /// What the source calls it, if it has names for trades.
    pub id: Option<String>,
    /// The price of the trade.
    pub price: Decimal,
    /// How much was traded.
    pub qty: Decimal,
    /// The aggressor's side, if the source says.
    pub side: Option<Side>,
    /// The best bid after the trade, if the source has quotes.
    pub bid: Option<Decimal>,
    /// The best ask after the trade, if the source has quotes.
    pub ask: Option<Decimal>,
}

impl Trade {
    /// As the log has it, still without its number.
    pub fn into_tick(self, symbol: String) -> Tick {
        Tick::Trade(shared::Trade {
            seq: 0,
            symbol,
            time: self.time,
            at: self.at.filter(|at| *at != self.time),
            id: self.id,
            price: self.price,
            qty: self.qty,
            side: self.side,
            bid: self.bid,
            ask: self.ask,
        })
    }
}

/// The best bid and ask from now on, as the source tells them. A side on which
/// nobody quotes is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// The place of its instrument in the catalogue.
    pub instrument: usize,
    /// The source's time of the change.
    pub time: Time,
    /// When this server took it in; `None` where that is `time` by definition.
    pub at: Option<Time>,
    /// The highest price that somebody pays.
    pub bid: Option<Decimal>,
    /// How much is bid for at that price, if the source says.
    pub bid_qty: Option<Decimal>,
    /// The lowest price that somebody sells at.
    pub ask: Option<Decimal>,
    /// How much is on offer at that price, if the source says.
    pub ask_qty: Option<Decimal>,
}

impl Quote {
    /// As the log has it, still without its number.
    pub fn into_tick(self, symbol: String) -> Tick {
        Tick::Quote(shared::Quote {
            seq: 0,
            symbol,
            time: self.time,
            at: self.at.filter(|at| *at != self.time),
            bid: self.bid,
            bid_qty: self.bid_qty,
            ask: self.ask,
            ask_qty: self.ask_qty,
        })
    }
}

/// Closed candles of the time before a feed's first trade, as the source has
/// them. They change no symbol's state: that begins with a trade.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The place of their instrument in the catalogue.
    pub instrument: usize,
    /// How long each of them is.
    pub interval: Interval,
    /// The candles, oldest first.
    pub candles: Vec<Candle>,
}
