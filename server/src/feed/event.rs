//! The events of a feed, before the log numbers them.

use std::time::Duration;

use shared::{Decimal, FeedState, ReplayStatus, Side, Tick, Time, VenueStatus};

pub use crate::entries::PastCandles;

/// Something that happened at the source.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedEvent {
    /// A trade.
    Trade(Trade),
    /// A change of the best bid and ask.
    Quote(Quote),
    /// The feed's state changed.
    State(StateChange),
    /// Candles of an instrument from before its next trade.
    History(History),
    /// The feed was set to another time. Nothing of before holds any more; these
    /// are the candles of each instrument from before that time.
    Anew(Vec<PastCandles>),
}

/// The state of a feed from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// Whether prices arrive.
    pub state: FeedState,
    /// The reason or other details, in words.
    pub detail: String,
    /// How long until the feed retries, if it does.
    pub retry: Option<Duration>,
    /// Where it is, if it is a replay.
    pub replay: Option<ReplayStatus>,
    /// The exchanges that its prices come from.
    pub venues: Vec<VenueStatus>,
}

/// A trade as its source reports it, before the log numbers it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trade {
    /// The catalogue index of its instrument.
    pub instrument: usize,
    /// The source's time of the trade.
    pub time: Time,
    /// When this server received it; `None` if that is the same as `time` by
    /// definition.
    pub at: Option<Time>,
    /// The source's identifier of the trade, if it has one.
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
    /// The trade as it is stored in the log, still without its number.
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

/// The best bid and ask from now on, as the source reports them. A side without
/// a quote is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// The catalogue index of its instrument.
    pub instrument: usize,
    /// The source's time of the change.
    pub time: Time,
    /// When this server received it; `None` if that is the same as `time` by
    /// definition.
    pub at: Option<Time>,
    /// The best bid: the highest price that a buyer offers.
    pub bid: Option<Decimal>,
    /// The quantity at the best bid, if the source reports it.
    pub bid_qty: Option<Decimal>,
    /// The best ask: the lowest price that a seller accepts.
    pub ask: Option<Decimal>,
    /// The quantity at the best ask, if the source reports it.
    pub ask_qty: Option<Decimal>,
}

impl Quote {
    /// The quote as it is stored in the log, still without its number.
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

/// Candles from before an instrument's next trade, as the source has them. What is
/// known already stays, but for the newest candle of each interval: that may have
/// been incomplete.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The catalogue index of their instrument.
    pub instrument: usize,
    /// The candles.
    pub candles: PastCandles,
}
