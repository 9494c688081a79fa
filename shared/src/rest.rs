use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use crate::Candle;
use crate::{
    Alert, Channel, Cursor, Decimal, ErrorCode, FeedState, FeedStatus, Firing, Instrument,
    NewestBars, ReplayStatus, ServerMessage, SymbolState, Time,
};

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

/// The answer of `GET /api/sparks`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SparksAnswer {
    /// One for each symbol that was named, in the order of the catalogue.
    pub sparks: Vec<LastDay>,
}

/// The last day of a symbol: the day before its newest price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LastDay {
    /// The symbol.
    pub symbol: String,
    /// The starts of bars of 15 minutes, oldest first.
    pub times: Vec<Time>,
    /// The last price of each of these bars.
    pub closes: Vec<Decimal>,
}

/// The answer of `GET /api/replay`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplayAnswer {
    /// What is replayed; absent if prices come from elsewhere.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replay: Option<Replay>,
    /// How many bytes a file may have that is brought to be replayed; absent if
    /// none may be brought.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub upload_bytes: Option<u64>,
}

/// What is replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Replay {
    /// `live` while it plays, `paused`, or `ended`.
    pub state: FeedState,
    /// Where it is.
    pub status: ReplayStatus,
    /// What it plays.
    pub files: Vec<ReplayedFile>,
    /// Why other files of a folder or an archive are left out: a line for each, with
    /// its name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub others: Vec<String>,
}

/// A file that is replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplayedFile {
    /// Its name.
    pub name: String,
    /// What it was taken for, as in `dukascopy, hourly, EURUSD, dd.mm.yyyy, UTC`.
    pub taken_for: String,
    /// How many of its rows were left out, until now if it is read as it is
    /// played.
    pub left_out: u64,
    /// How many were mended.
    pub mended: u64,
    /// Of how many symbols all volumes together have more than 28 digits, so that
    /// those of longer bars are rounded.
    #[serde(skip_serializing_if = "crate::is_default", default)]
    pub rounded: u64,
    /// The first twenty of these.
    pub told: Vec<ToldRow>,
}

/// A row that was left out or mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ToldRow {
    /// Its line, counted from 1.
    pub line: u64,
    /// What was done with it, and why.
    pub what: String,
}

/// A step of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Play one bar.
    Ahead,
    /// Go back to before the newest bar.
    Back,
}

/// What is wanted of a replay, with `PATCH /api/replay`. What is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReplayDraft {
    /// Go to this time. Everything before it has happened then, and nothing
    /// after it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<Time>,
    /// Play one bar, or go back to before the newest one, and stand still.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step: Option<Step>,
    /// The speed: bars a second as in `2`, times real time as in `60x`, or
    /// `max`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(
        feature = "openapi",
        schema(pattern = "^(max|[1-9][0-9]{0,5}x?|0[.][0-9]{0,3}[1-9]x?)$")
    )]
    pub speed: Option<String>,
    /// Play, or stand still.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub playing: Option<bool>,
}

/// At most so many symbols are in one answer of `GET /api/sparks`.
pub const SPARKS_MAX: usize = 200;

/// The answer of `GET /api/checkpoint`: everything that another server needs to go on
/// from a position of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Checkpoint {
    /// The version of the wire: [`WIRE_VERSION`](crate::WIRE_VERSION).
    pub version: u32,
    /// The position of all of this.
    pub cursor: Cursor,
    /// Every instrument, in the feed's order.
    pub instruments: Vec<Instrument>,
    /// The state of each of them.
    pub states: Vec<SymbolState>,
    /// For each of them, the newest candle of each interval, from the shortest
    /// interval to the longest; `null` for none.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Vec<Option<Candle>>>))]
    pub bars: Vec<NewestBars>,
    /// The feed's status.
    pub feed: FeedStatus,
    /// How long the feed may be silent while it is live, in ms.
    pub silence_max_ms: u64,
    /// Whether prices have arrived.
    pub has_prices: bool,
    /// All alerts, by number.
    pub alerts: Vec<Alert>,
    /// Recent firings, oldest first.
    pub fired: Vec<Firing>,
}

/// The answer of `GET /api/node`: how a server stands among others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeAnswer {
    /// Its name among the servers that share a log; absent if it shares none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub node: Option<String>,
    /// The name of the server that leads, if that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub leader: Option<String>,
    /// How many messages of the shared log it does not show yet.
    pub behind: u64,
    /// How long the newest batch took from the leader, in µs, by the clocks of both;
    /// zero at the leader.
    pub hop_us: u64,
    /// The address of the server whose log it mirrors, if it is a relay.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mirrors: Option<String>,
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
