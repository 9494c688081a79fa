//! What a session counts.

/// Totals since the page was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Ticks applied.
    pub ticks: u64,
    /// Ticks that the server left out, because only the newest of each symbol
    /// were asked for.
    pub skipped: u64,
    /// Messages that arrived.
    pub messages: u64,
    /// Bytes of payload received.
    pub bytes: u64,
    /// Bytes around the payload in frames, events and chunks, as far as they
    /// can be counted.
    pub framing: u64,
    /// Requests sent; a stream or a WebSocket is one.
    pub requests: u64,
    /// Polls answered.
    pub answers: u64,
    /// Polls answered with nothing new.
    pub empty: u64,
    /// Reconnects after a connection was lost.
    pub reconnects: u64,
}
