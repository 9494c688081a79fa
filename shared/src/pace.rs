//! How often a reader wants to be told, and of how much.

use serde::{Deserialize, Serialize};

/// How a reader is told what happens: all of it at once, unless it says
/// otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pace {
    /// At most one message of ticks in so many milliseconds: what came in the
    /// meantime is in it. Nothing is left out for that.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub every_ms: u32,
    /// Of each symbol only the newest trade and the newest quote; how many ticks
    /// were left out is counted in each message.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub latest: bool,
}

impl Pace {
    /// The longest time between two messages.
    pub const EVERY_MS_MAX: u32 = 10_000;

    /// As parameters of an address, each with `&` before it; empty for a reader
    /// that wants all at once.
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

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "as serde calls it; where pointers are small it is not trivial"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
