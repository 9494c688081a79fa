//! The ticks that the log numbers: trades and quotes.

use serde::{Deserialize, Serialize};

use crate::{Decimal, Time};

/// An entry of the log for one symbol: a trade, or a change of its best bid and
/// ask.
///
/// In JSON, a quote differs from a trade by having no `price`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, try_from = "Fields")]
pub enum Tick {
    /// A trade.
    Trade(Trade),
    /// A change of the best bid and ask.
    Quote(Quote),
}

/// As derived, but `anyOf` instead of `oneOf`: a trade has all that a quote has to
/// have.
#[cfg(feature = "openapi")]
mod described {
    use utoipa::openapi::schema::AnyOfBuilder;
    use utoipa::openapi::{Ref, RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    use super::{Quote, Tick, Trade};

    impl PartialSchema for Tick {
        fn schema() -> RefOr<Schema> {
            let description = "An entry of the log for one symbol: a trade, or a change of its \
                best bid and ask. A quote differs from a trade by having no `price`.";
            let any = AnyOfBuilder::new()
                .description(Some(description))
                .item(Ref::from_schema_name(Trade::name()))
                .item(Ref::from_schema_name(Quote::name()));
            RefOr::T(any.into())
        }
    }

    impl ToSchema for Tick {
        fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            for (name, schema) in [
                (Trade::name(), Trade::schema()),
                (Quote::name(), Quote::schema()),
            ] {
                schemas.push((name.into(), schema));
            }
            Trade::schemas(schemas);
            Quote::schemas(schemas);
        }
    }
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

    /// When the server received it: the age of data is counted from this time.
    pub fn at(&self) -> Time {
        match self {
            Self::Trade(trade) => trade.at.unwrap_or(trade.time),
            Self::Quote(quote) => quote.at.unwrap_or(quote.time),
        }
    }

    /// The price of this kind, if the tick has one.
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

    /// The same tick with this number.
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
    /// When the server received it; absent if equal to `time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// The source's identifier of the trade; absent if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The price of the trade.
    pub price: Decimal,
    /// How much was traded.
    pub qty: Decimal,
    /// The aggressor's side; absent if the source does not report it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// The best bid after the trade; absent if the source does not report it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bid: Option<Decimal>,
    /// The best ask after the trade; absent if the source does not report it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<Decimal>,
}

/// The best bid and ask from now on, numbered by the log. A side without a
/// quote is absent.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quote {
    /// Its number in the log.
    pub seq: u64,
    /// The symbol of the quote.
    pub symbol: String,
    /// When it changed, by the clock of its source.
    pub time: Time,
    /// When the server received it; absent if equal to `time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// The best bid: the highest price that a buyer offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bid: Option<Decimal>,
    /// The quantity at the best bid; absent if the source does not report it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bid_qty: Option<Decimal>,
    /// The best ask: the lowest price that a seller accepts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<Decimal>,
    /// The quantity at the best ask; absent if the source does not report it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask_qty: Option<Decimal>,
}

/// One of the prices of a symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PriceKind {
    /// The price of the last trade.
    #[default]
    Last,
    /// The best bid.
    Bid,
    /// The best ask.
    Ask,
}

impl PriceKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Last, Self::Bid, Self::Ask];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Bid => "bid",
            Self::Ask => "ask",
        }
    }

    /// The kind with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The aggressor's side of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The buyer took the ask.
    Buy,
    /// The seller took the bid.
    Sell,
}

/// All fields of a tick in JSON, decoded in one pass: serde's derived decoder
/// of an untagged enum would buffer each tick, and try one variant after the
/// other.
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
