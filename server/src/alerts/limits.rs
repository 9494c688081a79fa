//! Limits on the number of alerts, and the errors when one is not made or
//! changed.

/// The most alerts, unless another number is set. Each takes about half a
/// kilobyte.
pub const ALERTS_MAX: usize = 100_000;
/// The most different windows for moves of one symbol. Each window is updated
/// at every tick of the symbol, and takes up to 16 KB.
pub(super) const WINDOWS_MAX: usize = 32;

pub(super) type AlertId = u64;

/// Why an alert was not made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlertError {
    /// There is no such alert.
    #[error("no alert {0}; GET /api/alerts lists them")]
    Unknown(AlertId),
    /// Its version is not the expected one: it was changed meanwhile.
    #[error("alert {id} is at version {version} by now, not {expected}; get it again")]
    Stale {
        /// The number of the alert.
        id: AlertId,
        /// Its version.
        version: u64,
        /// The version that the caller expected.
        expected: u64,
    },
    /// There is the maximum number of alerts already.
    #[error("there are {most} alerts already, which is the most; delete some")]
    Full {
        /// How many there may be.
        most: usize,
    },
    /// The symbol has the maximum number of windows for moves already.
    #[error(
        "moves of {symbol} are watched within {WINDOWS_MAX} different times already, which is the most: take one of {known:?} s"
    )]
    TooManyWindows {
        /// Which symbol.
        symbol: String,
        /// The lengths of those windows, in seconds.
        known: Vec<u32>,
    },
}
