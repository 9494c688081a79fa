use serde::{Deserialize, Serialize};

use crate::{Channel, Cursor, ErrorCode, Instrument, ServerMessage, SymbolState, Time};

/// The answer of `GET /api/ticks`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TicksAnswer {
    /// The position that the client asked from; where it gave none, or one
    /// that could not be continued, the position of the snapshot in `events`.
    pub from: Cursor,
    /// The position after this answer, to ask from next.
    pub cursor: Cursor,
    /// The messages between the two; empty when there is nothing new.
    pub events: Vec<ServerMessage>,
}

/// The answer of `GET /api/snapshot`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SnapshotAnswer {
    /// The position of these states.
    pub cursor: Cursor,
    /// Where each symbol stands.
    pub symbols: Vec<SymbolState>,
}

/// The answer of `GET /api/time`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeAnswer {
    /// The server's clock as it wrote this, in µs since the epoch, UTC.
    pub server_time: Time,
}

/// The answer of `GET /api/webhooks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhooksAnswer {
    /// Each receiver of alerts that fire, as they were set.
    pub webhooks: Vec<WebhookStatus>,
}

/// How a receiver of alerts that fire does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebhookStatus {
    /// Its host: the whole address may be a secret.
    pub receiver: String,
    /// How many firings it has still to be told.
    pub waiting: u64,
    /// How many it took since the server began.
    pub taken: u64,
    /// How many it will never be told: it refused them, or could not be
    /// reached for a day, or too many waited.
    pub given_up: u64,
    /// Since when it takes none, in µs since the epoch, UTC; absent where it
    /// does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failing_since: Option<Time>,
    /// In words: why not.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub detail: String,
}

/// The answer of `GET /api/stats`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatsAnswer {
    /// How long the server has run, in milliseconds.
    pub uptime_ms: u64,
    /// Where the log ends.
    pub cursor: Cursor,
    /// What each transport has cost since the server began, in each encoding
    /// that it carries.
    pub transports: Vec<TransportStats>,
}

impl StatsAnswer {
    /// What this channel has cost; nothing where the server does not say.
    pub fn of(&self, channel: Channel) -> Option<&TransportStats> {
        let mut all = self.transports.iter();
        all.find(|stats| stats.channel == channel)
    }
}

/// What one transport has cost in one encoding since the server began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TransportStats {
    /// Which, and in which encoding.
    #[serde(flatten)]
    pub channel: Channel,
    /// Connections or requests that are open now.
    pub open: i64,
    /// Requests; for streams, connections.
    pub requests: u64,
    /// Answers that had nothing new.
    pub empty_answers: u64,
    /// Messages sent.
    pub messages: u64,
    /// Ticks in them.
    pub ticks: u64,
    /// Bytes of payload: without HTTP headers, frame headers or TCP.
    pub payload_bytes: u64,
    /// Processor time spent on its connections, in µs: parsing, handling,
    /// encoding and the system's calls.
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
    /// The head of the request as it arrived, names of headers in lower case,
    /// up to and with the empty line at its end.
    pub request: String,
    /// The head of the answer to a WebSocket's handshake, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// The body of every HTTP answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiError {
    /// What kind of fault it is, for machines.
    pub code: ErrorCode,
    /// What is wrong and what is allowed, for people.
    pub message: String,
    /// Where the body has several fields, each that is at fault.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub faults: Vec<FieldFault>,
}

/// What is wrong with one field of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldFault {
    /// Its name; of one inside another, as in `moves.percent`. Empty where the
    /// fault is of all of them together.
    pub field: String,
    /// What is wrong with it and what is allowed, for people.
    pub message: String,
}
