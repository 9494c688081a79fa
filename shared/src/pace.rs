//! How often a reader gets messages, and which ticks.

use serde::{Deserialize, Serialize};

/// The pace of a reader. By default, it gets every tick at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pace {
    /// At most one message of ticks in this many milliseconds: it has all ticks
    /// since the last one, and none are left out.
    #[serde(skip_serializing_if = "crate::is_default", default)]
    pub every_ms: u32,
    /// Only the newest trade and the newest quote of each symbol (conflation);
    /// each message counts the ticks that were left out.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub latest: bool,
}

impl Pace {
    /// The largest `every_ms`.
    pub const EVERY_MS_MAX: u32 = 10_000;

    /// As query parameters of a URL, each preceded by `&`; empty for the
    /// default pace.
    pub fn query(self) -> String {
        let mut query = String::new();
        if self.every_ms > 0 {
            query += "&every_ms=";
            query += &self.every_ms.to_string();
        }
        if self.latest {
            query += "&latest=true";
        }
        query
    }
}
