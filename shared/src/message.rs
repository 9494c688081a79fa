use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use crate::Candle;
use crate::decode::Fields;
use crate::{
    AlertChanges, Cursor, Epoch, ErrorCode, FeedStatus, Firing, NewestBars, Pace, StoreStatus,
    SymbolState, Tick, Time,
};

/// The version of the wire that `hello` announces. In version 1, each firing
/// was a message of its own, `alert`. Before version 3, every tick was a trade.
/// Before version 4, no feed was paused, and none began anew. Version 5 came with
/// `states`, version 6 with their `bars`.
pub const WIRE_VERSION: u32 = 6;

/// The kinds of messages that the server sends on its own, by their `event`:
/// everything that a stream of server-sent events carries. A client of such a
/// stream needs a listener for each of them.
pub const STREAMED: [&str; 9] = [
    "hello",
    "snapshot",
    "ticks",
    "status",
    "store",
    "alerts",
    "alerts_changed",
    "heartbeat",
    "error",
];

/// A message from the server. In JSON, `event` names its kind; clients ignore
/// unknown fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "event", rename_all = "snake_case", try_from = "Fields")]
pub enum ServerMessage {
    /// The first message of a stream, and of the answer to a poll without a
    /// cursor.
    ///
    /// ```json
    /// {"event":"hello","version":4,"epoch":"k3f9zq","server_time":1763836800000000,"heartbeat_ms":5000}
    /// ```
    Hello {
        /// The version of the wire: [`WIRE_VERSION`].
        version: u32,
        /// The run of the server.
        epoch: String,
        /// The server's clock when it sent this.
        server_time: Time,
        /// A stream that stays silent for twice as long is dead.
        heartbeat_ms: u32,
    },
    /// The states of the reader's symbols, instead of the ticks that led to
    /// them.
    Snapshot {
        /// Why the client gets a snapshot instead of ticks.
        reason: SnapshotReason,
        /// The position of these states.
        cursor: Cursor,
        /// The state of each symbol of the reader's set.
        symbols: Vec<SymbolState>,
    },
    /// The ticks of the reader's set between `from` and `cursor`, in order.
    ///
    /// ```json
    /// {"event":"ticks","from":"k3f9zq-128843","cursor":"k3f9zq-128845","ticks":[…]}
    /// ```
    Ticks {
        /// The position before this message.
        from: Cursor,
        /// The position after it.
        cursor: Cursor,
        /// At least one tick.
        ticks: Vec<Tick>,
        /// How many ticks of the reader's set between the two positions were
        /// left out, because the reader asked only for the newest of each
        /// symbol.
        #[serde(skip_serializing_if = "crate::is_default")]
        #[cfg_attr(feature = "openapi", schema(required = false))]
        skipped: u64,
    },
    /// The states of symbols of the reader's set from now on: their past has become
    /// known, and with it what belongs to the session, and candles of before.
    ///
    /// ```json
    /// {"event":"states","from":"k3f9zq-128845","cursor":"k3f9zq-128846","symbols":[…],"bars":[…]}
    /// ```
    States {
        /// The position before this message.
        from: Cursor,
        /// The position after it.
        cursor: Cursor,
        /// At least one state.
        symbols: Vec<SymbolState>,
        /// For each of them, the newest candle of each interval, from the shortest
        /// interval to the longest; `null` for none.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        #[cfg_attr(feature = "openapi", schema(required = false, value_type = Vec<Vec<Option<Candle>>>))]
        bars: Vec<NewestBars>,
    },
    /// The answer to `subscribe`, `unsubscribe` and `pace`: the complete set
    /// and the pace after the command.
    Subscribed {
        /// The command's `req`.
        #[serde(skip_serializing_if = "Option::is_none")]
        req: Option<u64>,
        /// Every symbol that the connection now receives; `["*"]` for all.
        symbols: Vec<String>,
        /// The pace of the connection.
        #[serde(flatten)]
        pace: Pace,
    },
    /// The feed's status. With `from` and `cursor` it is a change, sent once at
    /// its position in the log. Without them it is the current status, sent
    /// with a snapshot.
    Status {
        /// The position before the change.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<Cursor>,
        /// The position after the change.
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<Cursor>,
        /// The status.
        #[serde(flatten)]
        status: FeedStatus,
    },
    /// Whether the server's history is being stored. With `from` and `cursor`
    /// it is a change, sent at its position in the log. Without them it is the
    /// current status, sent with a snapshot if something is wrong.
    ///
    /// ```json
    /// {"event":"store","from":"k3f9zq-128846","cursor":"k3f9zq-128847","saving":false,"detail":"database or disk is full","lost":0}
    /// ```
    Store {
        /// The position before the change.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<Cursor>,
        /// The position after the change.
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<Cursor>,
        /// The status.
        #[serde(flatten)]
        status: StoreStatus,
    },
    /// Alerts on symbols of the reader's set fired, at ticks that were sent
    /// before.
    ///
    /// ```json
    /// {"event":"alerts","from":"k3f9zq-128845","cursor":"k3f9zq-128846","firings":[{"id":7,"symbol":"BTC-USD","above":"64000.00","price":"64012.75","time":1763836800012345,"count":1}]}
    /// ```
    Alerts {
        /// The position before this message.
        from: Cursor,
        /// The position after it.
        cursor: Cursor,
        /// The firings: at least one, in the order in which they fired.
        firings: Vec<Firing>,
    },
    /// Users created, changed or deleted alerts, on any symbols. Changes caused
    /// by a firing are in `alerts`.
    ///
    /// ```json
    /// {"event":"alerts_changed","from":"k3f9zq-128846","cursor":"k3f9zq-128847","changed":[],"deleted":[7]}
    /// ```
    AlertsChanged {
        /// The position before this message.
        from: Cursor,
        /// The position after it.
        cursor: Cursor,
        /// The changes.
        #[serde(flatten)]
        changes: AlertChanges,
    },
    /// Shows that the stream is alive, and moves a reader past entries that are
    /// not of its set.
    Heartbeat {
        /// The position before this message.
        from: Cursor,
        /// The position after it.
        cursor: Cursor,
        /// The server's clock when it sent this.
        server_time: Time,
    },
    /// The answer to `ping`.
    Pong {
        /// The command's `req`.
        #[serde(skip_serializing_if = "Option::is_none")]
        req: Option<u64>,
        /// The client's clock, returned.
        client_time: Time,
        /// The server's clock when it sent this.
        server_time: Time,
    },
    /// A command was rejected; the connection stays open.
    Error {
        /// The command's `req`, if it could be read.
        #[serde(skip_serializing_if = "Option::is_none")]
        req: Option<u64>,
        /// The kind of error, for programs.
        code: ErrorCode,
        /// What is wrong and what is allowed, for users.
        message: String,
    },
    /// A kind that this client does not know. Never sent.
    #[serde(skip)]
    Unknown,
}

impl ServerMessage {
    /// Its kind, the same as `event` in JSON; empty for an unknown one.
    pub fn event(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Snapshot { .. } => "snapshot",
            Self::Ticks { .. } => "ticks",
            Self::States { .. } => "states",
            Self::Subscribed { .. } => "subscribed",
            Self::Status { .. } => "status",
            Self::Store { .. } => "store",
            Self::Alerts { .. } => "alerts",
            Self::AlertsChanged { .. } => "alerts_changed",
            Self::Heartbeat { .. } => "heartbeat",
            Self::Pong { .. } => "pong",
            Self::Error { .. } => "error",
            Self::Unknown => "",
        }
    }

    /// The positions before and after it, if it moves a reader from one to the
    /// other.
    pub fn span(&self) -> Option<(Cursor, Cursor)> {
        match self {
            Self::Ticks { from, cursor, .. }
            | Self::States { from, cursor, .. }
            | Self::Alerts { from, cursor, .. }
            | Self::AlertsChanged { from, cursor, .. }
            | Self::Heartbeat { from, cursor, .. }
            | Self::Status {
                from: Some(from),
                cursor: Some(cursor),
                ..
            }
            | Self::Store {
                from: Some(from),
                cursor: Some(cursor),
                ..
            } => Some((*from, *cursor)),
            _ => None,
        }
    }

    /// The position after it, if it has one: a snapshot moves a reader there
    /// from any position.
    pub fn cursor(&self) -> Option<Cursor> {
        match self {
            Self::Snapshot { cursor, .. } => Some(*cursor),
            _ => self.span().map(|(_, cursor)| cursor),
        }
    }

    /// The `hello` of a server whose clock is at `server_time`.
    pub fn hello(epoch: Epoch, server_time: Time, heartbeat_ms: u32) -> Self {
        Self::Hello {
            version: WIRE_VERSION,
            epoch: epoch.to_string(),
            server_time,
            heartbeat_ms,
        }
    }
}

/// Why a `snapshot` was sent instead of ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SnapshotReason {
    /// The client sent no cursor.
    Start,
    /// The cursor is of another run of the server, or ahead of the log.
    Restarted,
    /// The log no longer holds the entries after the cursor.
    Lagged,
    /// The feed was set to another time, as a replay can be. What was known of
    /// before is no longer true: neither prices nor history.
    Jumped,
}

#[cfg(test)]
mod tests;
