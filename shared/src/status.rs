//! The states of the feed and of the store, as they are announced.

use serde::{Deserialize, Serialize};

use crate::Time;

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
    /// Where it is and how fast it goes, if it is a replay.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replay: Option<ReplayStatus>,
    /// The exchanges that its prices come from, if they do.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub venues: Vec<VenueStatus>,
}

/// The status of an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VenueStatus {
    /// Its name, as in `kraken`: the source of its instruments.
    pub venue: String,
    /// Whether its prices are arriving; ended if it has none of the symbols that are
    /// followed.
    pub state: FeedState,
    /// The reason or other details, in words.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub detail: String,
    /// How long until it is tried again, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_ms: Option<u64>,
    /// How many of its trades were missing and could not be found any more.
    #[serde(skip_serializing_if = "crate::is_default", default)]
    pub missed: u64,
    /// How many of its trades were missing, and were asked for and found.
    #[serde(skip_serializing_if = "crate::is_default", default)]
    pub filled: u64,
    /// How many of its messages could not be read.
    #[serde(skip_serializing_if = "crate::is_default", default)]
    pub unread: u64,
}

/// Where a replay is, and how it goes on. Whether it plays is the feed's
/// [`FeedState`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplayStatus {
    /// The time of the first row that it plays.
    pub from: Time,
    /// The time of the last row that it plays, if that is known: of a large file
    /// that is read as it is played, it is not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<Time>,
    /// The time of the newest row that was played when this was sent. Ticks say
    /// how it goes on from there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<Time>,
    /// Its speed, as it is given to `--speed`: bars a second as in `2`, times
    /// real time as in `60x`, or `max`.
    pub speed: String,
    /// Whether it begins again at its end.
    pub repeats: bool,
    /// The length of its bars, as the name of an interval; absent if it has
    /// trades or quotes, or bars of several lengths.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bars: Option<String>,
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
    /// A replay stands still until somebody lets it go on.
    Paused,
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
