//! How many alerts there can be, and why one is not made or changed.

/// How many alerts there can be. Each takes about half a kilobyte.
pub const ALERTS_MAX: usize = 100_000;
/// Moves of one symbol are watched within so many different times: each costs
/// every tick of the symbol a look, and up to 16 KB.
pub(super) const WINDOWS_MAX: usize = 32;

pub(super) type AlertId = u64;

/// Why an alert was not made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlertError {
    /// There is no such alert.
    #[error("no alert {0}; GET /api/alerts lists them")]
    Unknown(AlertId),
    /// Somebody changed it meanwhile.
    #[error("alert {id} is at version {version} by now, not {expected}; get it again")]
    Stale {
        /// Which.
        id: AlertId,
        /// Its version.
        version: u64,
        /// What the caller thought it was.
        expected: u64,
    },
    /// There are as many as there can be.
    #[error("there are {ALERTS_MAX} alerts already, which is the most; delete some")]
    Full,
    /// Moves of the symbol are watched within as many times as there can be.
    #[error(
        "moves of {symbol} are watched within {WINDOWS_MAX} different times already, which is the most: take one of {known:?} s"
    )]
    TooManyWindows {
        /// Which symbol.
        symbol: String,
        /// Those times, in seconds.
        known: Vec<u32>,
    },
}
