//! The one place that asks what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use shared::Micros;

/// Now, in microseconds since the Unix epoch, UTC.
pub(crate) fn now() -> Micros {
    // A clock before 1970 or after the year 294,000 is a broken clock; its
    // times are wrong whatever is done here, so they are merely kept in range.
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
    })
}
