//! Instruments and their properties.

use serde::{Deserialize, Serialize};

use crate::Decimal;

/// An entry of the catalogue. Properties that its source does not give are
/// absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Instrument {
    /// The symbol, as in `BTC-USD`.
    pub symbol: String,
    /// Its name for users.
    pub name: String,
    /// How many decimals its prices have.
    pub decimals: u32,
    /// How many decimals its quantities have.
    #[serde(default)]
    pub qty_decimals: u32,
    /// The source of its prices: the feed's name, as in `sim`.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub source: String,
    /// The exchange that its prices come from, if they do: its name in the feed's
    /// status.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub venue: Option<String>,
    /// The asset class.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<AssetClass>,
    /// The currency of its prices: an ISO 4217 code, or a code that exchanges
    /// use in the same way, as in `USD` or `USDT`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub currency: Option<String>,
    /// The tick size: the smallest step of its prices.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step: Option<Decimal>,
    /// The trading hours, in the time zone `zone`, as in `24/7` or
    /// `Mon-Fri 09:30-16:00`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<String>,
    /// The time zone of its days: a name of the IANA time zone database, as in
    /// `America/New_York`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zone: Option<String>,
}

/// The class of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AssetClass {
    /// Bitcoin and similar.
    Crypto,
    /// One currency priced in another.
    Currency,
    /// Shares of a company.
    Stock,
    /// An average of many prices.
    Index,
    /// Metals, energy, agricultural products.
    Commodity,
    /// Tradable debt.
    Bond,
    /// Another class, or one of a newer server.
    #[serde(other)]
    Other,
}
