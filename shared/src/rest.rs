use serde::{Deserialize, Serialize};

use crate::{Channel, Cursor, ErrorCode, Instrument, ServerMessage, SymbolState, Time};

/// The answer of `GET /api/ticks`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TicksAnswer {
    /// The cursor of the request. If it had none, or one that could not be
    /// resumed, the position of the snapshot in `events`.
    pub from: Cursor,
    /// The position after this answer, for the next request.
    pub cursor: Cursor,
    /// The messages in between; empty if there are none.
    pub events: Vec<ServerMessage>,
}

/// The answer of `GET /api/snapshot`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SnapshotAnswer {
    /// The position of these states.
    pub cursor: Cursor,
    /// The state of each symbol.
    pub symbols: Vec<SymbolState>,
}

/// The answer of `GET /api/time`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeAnswer {
    /// The server's clock when it sent this, in µs since the epoch, UTC.
    pub server_time: Time,
}

/// The answer of `GET /api/webhooks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhooksAnswer {
    /// The receivers of firings, in configured order.
    pub webhooks: Vec<WebhookStatus>,
}

/// The status of a receiver of firings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookStatus {
    /// Its host; the whole URL may be a secret.
    pub receiver: String,
    /// How many firings are waiting to be delivered.
    pub waiting: u64,
    /// How many firings it accepted since the server started.
    pub taken: u64,
    /// How many firings will never be delivered: it rejected them, could not be
    /// reached for a day, or too many were waiting.
    pub given_up: u64,
    /// Since when deliveries have failed, in µs since the epoch, UTC; absent if
    /// they do not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failing_since: Option<Time>,
    /// Why they fail, in words.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub detail: String,
}

/// The answer of `GET /api/stats`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatsAnswer {
    /// How long the server has run, in milliseconds.
    pub uptime_ms: u64,
    /// The end of the log.
    pub cursor: Cursor,
    /// The cost of each transport since the server started, in each encoding
    /// that it carries.
    pub transports: Vec<TransportStats>,
}

impl StatsAnswer {
    /// The cost of this channel; `None` if the server does not report it.
    pub fn of(&self, channel: Channel) -> Option<&TransportStats> {
        let mut all = self.transports.iter();
        all.find(|stats| stats.channel == channel)
    }
}

/// The cost of one transport in one encoding since the server started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransportStats {
    /// The transport and the encoding.
    #[serde(flatten)]
    pub channel: Channel,
    /// Connections or requests that are open now.
    pub open: i64,
    /// Requests; for streams, connections.
    pub requests: u64,
    /// Answers without messages.
    pub empty_answers: u64,
    /// Messages sent.
    pub messages: u64,
    /// Ticks in them.
    pub ticks: u64,
    /// Bytes of payload: without HTTP headers, frame headers or TCP.
    pub payload_bytes: u64,
    /// Processor time spent on its connections, in µs: parsing, handling,
    /// encoding and system calls.
    pub cpu_us: u64,
}

/// The answer of `GET /api/symbols`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SymbolsAnswer {
    /// Every symbol, in the feed's order.
    pub symbols: Vec<Instrument>,
}

/// The answer of `GET /api/echo`, and the only frame of `GET /ws/echo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Echo {
    /// The request line and headers as they arrived, with header names in lower
    /// case, including the empty line at the end.
    pub request: String,
    /// The status line and headers of the answer to a WebSocket handshake, in
    /// the same form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// The body of every HTTP error response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiError {
    /// The kind of error, for programs.
    pub code: ErrorCode,
    /// What is wrong and what is allowed, for users.
    pub message: String,
    /// The invalid fields of a body.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub faults: Vec<FieldFault>,
}

/// An error in one field of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldFault {
    /// The name of the field; for a nested one, as in `moves.percent`. Empty if
    /// the error is about all fields together.
    pub field: String,
    /// What is wrong with it and what is allowed, for users.
    pub message: String,
}
