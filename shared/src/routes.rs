//! The paths of the server, relative to its base URL: without a leading slash,
//! since a proxy may serve it below a path prefix.

/// The WebSocket.
pub const WS: &str = "ws";
/// Server-sent events.
pub const STREAM: &str = "api/stream";
/// Polling and long polling.
pub const TICKS: &str = "api/ticks";
/// Everything that another server needs to go on from a position of the log.
pub const CHECKPOINT: &str = "api/checkpoint";
/// How the server stands among others.
pub const NODE: &str = "api/node";
/// The current state of symbols.
pub const SNAPSHOT: &str = "api/snapshot";
/// History.
pub const CANDLES: &str = "api/candles";
/// The last day of several symbols, for sparklines.
pub const SPARKS: &str = "api/sparks";
/// The catalogue.
pub const SYMBOLS: &str = "api/symbols";
/// Alerts; a single alert has its number appended.
pub const ALERTS: &str = "api/alerts";
/// Recent firings.
pub const FIRED: &str = "api/alerts/fired";
/// The receivers of webhooks.
pub const WEBHOOKS: &str = "api/webhooks";
/// The replay.
pub const REPLAY: &str = "api/replay";
/// Files to be replayed; the name of one is appended.
pub const FILES: &str = "api/replay/files";
/// The server's clock.
pub const TIME: &str = "api/time";
/// Whether a page may change data.
pub const ACCESS: &str = "api/access";
/// The cost of each transport.
pub const STATS: &str = "api/stats";
/// A request as it arrived.
pub const ECHO: &str = "api/echo";
/// A WebSocket handshake as it arrived.
pub const WS_ECHO: &str = "ws/echo";

/// All paths.
pub const ALL: [&str; 19] = [
    WS, STREAM, TICKS, CHECKPOINT, NODE, SNAPSHOT, CANDLES, SPARKS, SYMBOLS, ALERTS, FIRED,
    WEBHOOKS, REPLAY, FILES, TIME, ACCESS, STATS, ECHO, WS_ECHO,
];
