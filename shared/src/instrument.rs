//! What can be traded, and what is known of it.

use serde::{Deserialize, Serialize};

use crate::Decimal;

/// One line of the catalogue. What its source does not say is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Instrument {
    /// The symbol, as in `BTC-USD`.
    pub symbol: String,
    /// Its name for people.
    pub name: String,
    /// How many decimals its prices have.
    pub decimals: u32,
    /// How many decimals its quantities have.
    #[serde(default)]
    pub qty_decimals: u32,
    /// Where its prices come from: the feed's name, as in `sim`.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub source: String,
    /// What kind of thing it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<AssetClass>,
    /// What its prices are in: an ISO 4217 code, or what exchanges use
    /// likewise, as in `USD` or `USDT`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub currency: Option<String>,
    /// The smallest step of its prices.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step: Option<Decimal>,
    /// When it is traded, by the clocks of `zone`, as in `24/7` or
    /// `Mon-Fri 09:30-16:00`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<String>,
    /// Where its days begin and end: a name of the IANA time zone database, as
    /// in `America/New_York`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zone: Option<String>,
}

/// A kind of thing that is traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AssetClass {
    /// Bitcoin and its like.
    Crypto,
    /// One currency in another.
    Currency,
    /// Shares of a company.
    Stock,
    /// The average of many prices.
    Index,
    /// Metals, energy, harvests.
    Commodity,
    /// Debt that is traded.
    Bond,
    /// Another kind, or one of a newer server.
    #[serde(other)]
    Other,
}
