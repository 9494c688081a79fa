//! The paths of the server, relative to where it is: without a slash before,
//! since a proxy may show it below another path.

/// The WebSocket.
pub const WS: &str = "ws";
/// Server-sent events.
pub const STREAM: &str = "api/stream";
/// Polling and long polling.
pub const TICKS: &str = "api/ticks";
/// Where symbols stand.
pub const SNAPSHOT: &str = "api/snapshot";
/// History.
pub const CANDLES: &str = "api/candles";
/// The catalogue.
pub const SYMBOLS: &str = "api/symbols";
/// Alerts; one of them is below it by its number.
pub const ALERTS: &str = "api/alerts";
/// What fired.
pub const FIRED: &str = "api/alerts/fired";
/// Who else is told of what fires.
pub const WEBHOOKS: &str = "api/webhooks";
/// The server's clock.
pub const TIME: &str = "api/time";
/// Whether a page may change things.
pub const ACCESS: &str = "api/access";
/// What each transport has cost.
pub const STATS: &str = "api/stats";
/// A request as it arrived.
pub const ECHO: &str = "api/echo";
/// A WebSocket's handshake as it arrived.
pub const WS_ECHO: &str = "ws/echo";

/// All of them.
pub const ALL: [&str; 14] = [
    WS, STREAM, TICKS, SNAPSHOT, CANDLES, SYMBOLS, ALERTS, FIRED, WEBHOOKS, TIME, ACCESS, STATS,
    ECHO, WS_ECHO,
];
