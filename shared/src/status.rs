//! The states of the feed and of the store, as they are announced.

use serde::{Deserialize, Serialize};

/// The status of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedStatus {
    /// The feed's name, as in `sim` or `replay`.
    pub feed: String,
    /// A short label of its prices for users, as in `simulated`.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub label: String,
    /// Whether prices are arriving.
    pub state: FeedState,
    /// The reason or other details, in words.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub detail: String,
    /// How long until the feed retries, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_ms: Option<u64>,
}

/// Whether a feed's prices are arriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FeedState {
    /// Prices are arriving.
    Live,
    /// The connection to the source is lost; the feed is reconnecting.
    Reconnecting,
    /// The source has ended.
    Ended,
}

/// The status of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoreStatus {
    /// Whether the store can save.
    pub saving: bool,
    /// Why it cannot, in words.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub detail: String,
    /// How many candles were lost since the server started, because they could
    /// not be written in time.
    pub lost: u64,
    /// How many firings of alerts were lost, likewise.
    #[serde(skip_serializing_if = "crate::is_default", default)]
    pub lost_firings: u64,
}
