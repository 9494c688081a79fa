//! What the log numbers: trades, and quotes between them.

use serde::{Deserialize, Serialize};

use crate::{Decimal, Time};

/// An entry of the log that is of one symbol: a trade, or a change of its best
/// bid and ask.
///
/// In JSON a quote is told from a trade by having no `price`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged, try_from = "Fields")]
pub enum Tick {
    /// A trade.
    Trade(Trade),
    /// A change of the best bid and ask.
    Quote(Quote),
}

impl Tick {
    /// Its number in the log.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Trade(trade) => trade.seq,
            Self::Quote(quote) => quote.seq,
        }
    }

    /// Its symbol.
    pub fn symbol(&self) -> &str {
        match self {
            Self::Trade(trade) => &trade.symbol,
            Self::Quote(quote) => &quote.symbol,
        }
    }

    /// When it happened, by the clock of its source.
    pub fn time(&self) -> Time {
        match self {
            Self::Trade(trade) => trade.time,
            Self::Quote(quote) => quote.time,
        }
    }

    /// When the server took it in: what the age of data counts from.
    pub fn at(&self) -> Time {
        match self {
            Self::Trade(trade) => trade.at.unwrap_or(trade.time),
            Self::Quote(quote) => quote.at.unwrap_or(quote.time),
        }
    }

    /// The price of this kind that it tells, if it tells one.
    pub fn price(&self, kind: PriceKind) -> Option<Decimal> {
        match (self, kind) {
            (Self::Trade(trade), PriceKind::Last) => Some(trade.price),
            (Self::Quote(_), PriceKind::Last) => None,
            (Self::Trade(trade), PriceKind::Bid) => trade.bid,
            (Self::Trade(trade), PriceKind::Ask) => trade.ask,
            (Self::Quote(quote), PriceKind::Bid) => quote.bid,
            (Self::Quote(quote), PriceKind::Ask) => quote.ask,
        }
    }

    /// The same with this number.
    #[must_use]
    pub fn numbered(mut self, number: u64) -> Self {
        match &mut self {
            Self::Trade(trade) => trade.seq = number,
            Self::Quote(quote) => quote.seq = number,
        }
        self
    }

    /// The trade, if it is one.
    pub fn trade(&self) -> Option<&Trade> {
        match self {
            Self::Trade(trade) => Some(trade),
            Self::Quote(_) => None,
        }
    }
}

/// One trade, numbered by the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Trade {
    /// Its number in the log.
    pub seq: u64,
    /// The symbol that traded.
    pub symbol: String,
    /// When it happened, by the clock of its source.
    pub time: Time,
    /// When the server took it in; absent where equal to `time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// What the source calls the trade; absent where it has no names for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The price of the trade.
    pub price: Decimal,
    /// How much was traded.
    pub qty: Decimal,
    /// The aggressor's side; absent where the source does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// The best bid after the trade; absent where the source does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bid: Option<Decimal>,
    /// The best ask after the trade; absent where the source does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<Decimal>,
}

/// The best bid and ask from now on, numbered by the log. A side on which
/// nobody quotes is absent.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quote {
    /// Its number in the log.
    pub seq: u64,
    /// The symbol that is quoted.
    pub symbol: String,
    /// When it changed, by the clock of its source.
    pub time: Time,
    /// When the server took it in; absent where equal to `time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// The highest price that somebody pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bid: Option<Decimal>,
    /// How much is bid for at that price; absent where the source does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bid_qty: Option<Decimal>,
    /// The lowest price that somebody sells at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<Decimal>,
    /// How much is on offer at that price; absent where the source does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask_qty: Option<Decimal>,
}

/// One of the prices of a symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PriceKind {
    /// That of the last trade.
    #[default]
    Last,
    /// The best bid.
    Bid,
    /// The best ask.
    Ask,
}

impl PriceKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Last, Self::Bid, Self::Ask];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Bid => "bid",
            Self::Ask => "ask",
        }
    }

    /// The kind of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is the one that is meant where none is named.
    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "as serde calls it; where pointers are small it is not trivial"
    )]
    pub(crate) fn is_last(&self) -> bool {
        *self == Self::Last
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

/// All fields of a tick in JSON, read in one pass: serde's own reader of an
/// untagged enum would keep each tick in a buffer, and try one after the other.
#[derive(Deserialize)]
struct Fields {
    seq: u64,
    symbol: String,
    time: Time,
    #[serde(default)]
    at: Option<Time>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    price: Option<Decimal>,
    #[serde(default)]
    qty: Option<Decimal>,
    #[serde(default)]
    side: Option<Side>,
    #[serde(default)]
    bid: Option<Decimal>,
    #[serde(default)]
    bid_qty: Option<Decimal>,
    #[serde(default)]
    ask: Option<Decimal>,
    #[serde(default)]
    ask_qty: Option<Decimal>,
}

impl TryFrom<Fields> for Tick {
    type Error = &'static str;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        let Fields {
            seq,
            symbol,
            time,
            at,
            bid,
            ask,
            ..
        } = fields;
        let Some(price) = fields.price else {
            if fields.qty.is_some() {
                return Err("a tick with a qty needs a price");
            }
            return Ok(Self::Quote(Quote {
                seq,
                symbol,
                time,
                at,
                bid,
                bid_qty: fields.bid_qty,
                ask,
                ask_qty: fields.ask_qty,
            }));
        };
        Ok(Self::Trade(Trade {
            seq,
            symbol,
            time,
            at,
            id: fields.id,
            price,
            qty: fields.qty.ok_or("a trade needs a qty")?,
            side: fields.side,
            bid,
            ask,
        }))
    }
}
