use serde::{Deserialize, Serialize};

use crate::decode::Fields;
use crate::{AlertChanges, Cursor, Epoch, Firing, Pace, SymbolState, Tick, Time};

/// The version of the wire that `hello` announces. In version 1, each firing
/// was a message of its own, `alert`. Before version 3, every tick was a trade.
pub const WIRE_VERSION: u32 = 3;

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
    /// {"event":"hello","version":3,"epoch":"k3f9zq","server_time":1763836800000000,"heartbeat_ms":5000}
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
        #[serde(skip_serializing_if = "is_zero")]
        #[cfg_attr(feature = "openapi", schema(required = false))]
        skipped: u64,
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
}

/// The status of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedStatus {
    /// The feed's name, as in `sim` or `replay`.
    pub feed: String,
    /// A short label of its prices for users, as in `simulated`.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub label: String,
    /// Whether prices are arriving.
    pub state: FeedState,
    /// The reason or other details, in words.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub detail: String,
    /// How long until the feed retries, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_ms: Option<u64>,
}

/// Whether a feed's prices are arriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FeedState {
    /// Prices are arriving.
    Live,
    /// The connection to the source is lost; the feed is reconnecting.
    Reconnecting,
    /// The source has ended.
    Ended,
}

/// The status of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoreStatus {
    /// Whether the store can save.
    pub saving: bool,
    /// Why it cannot, in words.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub detail: String,
    /// How many candles were lost since the server started, because they could
    /// not be written in time.
    pub lost: u64,
    /// How many firings of alerts were lost, likewise.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub lost_firings: u64,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "as serde calls it; where pointers are small it is not trivial"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A command from the client, over the WebSocket. `op` names its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum ClientCommand {
    /// Adds symbols to the connection's set.
    Subscribe {
        /// Returned in the answer.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        req: Option<u64>,
        /// Symbols, or `["*"]` for all.
        symbols: Vec<String>,
        /// The cursor to resume from; without it, the answer is followed by a
        /// snapshot. A string, so that an error can name an invalid one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(
            feature = "openapi",
            schema(pattern = "^[1-9a-z][0-9a-z]{0,5}-(0|[1-9][0-9]{0,18})$")
        )]
        cursor: Option<String>,
    },
    /// Removes symbols from the connection's set.
    Unsubscribe {
        /// Returned in the answer.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        req: Option<u64>,
        /// Symbols, or `["*"]` for all.
        symbols: Vec<String>,
    },
    /// Changes the pace of the connection from now on.
    Pace {
        /// Returned in the answer.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        req: Option<u64>,
        /// At most one message of ticks in this many milliseconds, from 0 to
        /// 10000; 0 by default.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(nullable = false, maximum = 10_000))]
        every_ms: Option<u32>,
        /// Whether to send only the newest trade and quote of each symbol;
        /// false by default.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(nullable = false))]
        latest: Option<bool>,
    },
    /// Asks for a `pong`, to measure the round trip and the clocks' offset.
    Ping {
        /// Returned in the answer.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        req: Option<u64>,
        /// The client's clock.
        client_time: Time,
    },
}

/// The kinds of errors, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not a message of this wire, or a field is missing or has the wrong type.
    BadMessage,
    /// A parameter is out of bounds or cannot be parsed.
    BadParameter,
    /// `op` is not a known command.
    UnknownOp,
    /// A symbol that is not in the catalogue.
    UnknownSymbol,
    /// The caller is not allowed to do this.
    Forbidden,
    /// The request is for another host: `421` over HTTP.
    Misdirected,
    /// The path does not exist.
    NotFound,
    /// The path exists, but does not support the method.
    MethodNotAllowed,
    /// The server is shutting down or not ready yet.
    Unavailable,
    /// The resource has changed meanwhile.
    Conflict,
    /// The media type of the body is not supported.
    UnsupportedMediaType,
    /// The body is too long.
    TooLarge,
    /// An error of the server; its log has details.
    Internal,
    /// A code of a newer server.
    #[serde(other)]
    Unknown,
}

/// A set of symbols as clients write it: names, or `*` for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Symbols {
    /// All symbols of the catalogue.
    All,
    /// These symbols.
    Named(Vec<String>),
}

impl Symbols {
    /// Parses a list such as `["BTC-USD","ETH-USD"]` or `["*"]`. Empty names
    /// are skipped.
    pub fn from_names<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Self {
        let mut named = Vec::new();
        for name in names {
            match name.as_ref().trim() {
                "*" => return Self::All,
                "" => {}
                name => named.push(name.to_owned()),
            }
        }
        Self::Named(named)
    }

    /// Parses a comma-separated list such as `BTC-USD,ETH-USD` or `*`.
    pub fn from_list(list: &str) -> Self {
        Self::from_names(list.split(','))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decimal, Quote, Side, Trade};
    use proptest::prelude::*;

    /// The examples from the design of the wire, unchanged.
    const EXAMPLES: [&str; 13] = [
        r#"{"event":"hello","version":3,"epoch":"k3f9zq","server_time":1763836800000000,"heartbeat_ms":5000}"#,
        r#"{"event":"snapshot","reason":"start","cursor":"k3f9zq-128843","symbols":[{"symbol":"BTC-USD","name":"Bitcoin","decimals":2,"qty_decimals":4,"index":0,"last":"64012.50","bid":"64012.00","ask":"64013.00","open":"63100.00","high":"64500.00","low":"62990.10","volume":"1893.4421","time":1763836800000000}]}"#,
        r#"{"event":"ticks","from":"k3f9zq-128843","cursor":"k3f9zq-128845","ticks":[{"seq":128844,"symbol":"BTC-USD","time":1763836800012345,"price":"64012.75","qty":"0.0125","side":"buy","bid":"64012.50","ask":"64013.00"}]}"#,
        r#"{"event":"ticks","from":"k3f9zq-128845","cursor":"k3f9zq-128853","ticks":[{"seq":128852,"symbol":"BTC-USD","time":1763836800012345,"at":1763836800012400,"id":"81236","price":"64012.75","qty":"0.0125"},{"seq":128853,"symbol":"BTC-USD","time":1763836800012346,"bid":"64012.50","bid_qty":"0.4","ask":"64013.00","ask_qty":"1.1"}],"skipped":6}"#,
        r#"{"event":"subscribed","req":1,"symbols":["BTC-USD"],"every_ms":500,"latest":true}"#,
        r#"{"event":"status","feed":"kraken","label":"Kraken","state":"reconnecting","detail":"connection refused","retry_ms":2000}"#,
        r#"{"event":"alerts","from":"k3f9zq-128845","cursor":"k3f9zq-128846","firings":[{"id":7,"symbol":"BTC-USD","above":"64000.00","price":"64012.75","time":1763836800012345,"count":1},{"id":8,"symbol":"BTC-USD","moves":{"percent":"2.5","window_s":60},"price":"64012.75","time":1763836800012345,"at":1763836800013000,"count":3,"note":"hm"}]}"#,
        r#"{"event":"alerts_changed","from":"k3f9zq-128846","cursor":"k3f9zq-128847","changed":[{"id":7,"version":2,"symbol":"BTC-USD","above":"64000.00","repeat":false,"cooldown_s":60,"enabled":true,"note":"","created":1763836800000000,"fired":0}],"deleted":[3,4]}"#,
        r#"{"event":"alerts_changed","from":"k3f9zq-128846","cursor":"k3f9zq-128847","changed":[],"deleted":[],"more":true}"#,
        r#"{"event":"store","from":"k3f9zq-128846","cursor":"k3f9zq-128847","saving":false,"detail":"database or disk is full","lost":3}"#,
        r#"{"event":"heartbeat","from":"k3f9zq-128845","cursor":"k3f9zq-128860","server_time":1763836805000000}"#,
        r#"{"event":"pong","req":9,"client_time":1763836805000000,"server_time":1763836805000100}"#,
        r#"{"event":"error","req":2,"code":"unknown_symbol","message":"no symbol 'BTC-EURO'; did you mean BTC-EUR?"}"#,
    ];

    #[test]
    fn the_examples_of_the_design_survive_a_round_trip() {
        for example in EXAMPLES {
            let message: ServerMessage = serde_json::from_str(example).unwrap();
            let json: serde_json::Value = serde_json::from_str(example).unwrap();
            assert_eq!(json["event"], message.event());
            let field = |name: &str| json[name].as_str().map(str::to_owned);
            assert_eq!(
                message.cursor().map(|cursor| cursor.to_string()),
                field("cursor")
            );
            let from = message.span().map(|(from, _)| from.to_string());
            assert_eq!(from, field("from"));
            assert_eq!(crate::from_json(example.as_bytes()), Ok(message.clone()));
            assert_ne!(message, ServerMessage::Unknown, "{example}");
            assert_eq!(serde_json::to_string(&message).unwrap(), example);
        }
    }

    #[test]
    fn every_kind_is_streamed_or_an_answer() {
        let mut kinds: Vec<_> = STREAMED.into_iter().chain(["subscribed", "pong"]).collect();
        kinds.sort_unstable();
        let mut known: Vec<String> = EXAMPLES
            .iter()
            .map(|example| serde_json::from_str::<serde_json::Value>(example).unwrap())
            .map(|example| example["event"].as_str().unwrap().to_owned())
            .collect();
        known.sort_unstable();
        known.dedup();
        assert_eq!(kinds, known);
    }

    #[test]
    fn the_commands_of_the_design_survive_a_round_trip() {
        for example in [
            r#"{"op":"subscribe","req":1,"symbols":["BTC-USD","ETH-USD"],"cursor":"k3f9zq-128843"}"#,
            r#"{"op":"unsubscribe","req":2,"symbols":["ETH-USD"]}"#,
            r#"{"op":"pace","req":3,"every_ms":500,"latest":true}"#,
            r#"{"op":"ping","req":9,"client_time":1763836805000000}"#,
        ] {
            let command: ClientCommand = serde_json::from_str(example).unwrap();
            assert_eq!(serde_json::to_string(&command).unwrap(), example);
        }
    }

    #[test]
    fn unknown_kinds_and_fields_are_ignored() {
        let unknown = r#"{"event":"weather","sky":"blue"}"#;
        assert_eq!(
            crate::from_json::<ServerMessage>(unknown.as_bytes()).unwrap(),
            ServerMessage::Unknown
        );
        let extra = r#"{"event":"pong","client_time":1,"server_time":2,"mood":"good"}"#;
        assert!(matches!(
            serde_json::from_str(extra).unwrap(),
            ServerMessage::Pong { req: None, .. }
        ));
    }

    #[test]
    fn a_decimal_keeps_its_zeros_and_its_digits() {
        let text = r#""5000000000.00000010""#;
        let decimal: Decimal = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&decimal).unwrap(), text);
    }

    fn decimals() -> impl Strategy<Value = Decimal> {
        (any::<i64>(), 0u32..=18).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale))
    }

    fn ticks() -> impl Strategy<Value = Tick> {
        let maybe = || proptest::option::of(decimals());
        (
            any::<(u64, i64, Option<i64>)>(),
            "[A-Z]{1,8}(-[A-Z]{3})?",
            proptest::option::of((decimals(), proptest::option::of("[0-9a-z]{1,9}"))),
            decimals(),
            [maybe(), maybe(), maybe(), maybe()],
            proptest::option::of(prop_oneof![Just(Side::Buy), Just(Side::Sell)]),
        )
            .prop_map(|((seq, time, at), symbol, price, qty, quotes, side)| {
                let [bid, bid_qty, ask, ask_qty] = quotes;
                let (time, at) = (Time::from_micros(time), at.map(Time::from_micros));
                match price {
                    Some((price, id)) => Tick::Trade(Trade {
                        seq,
                        symbol,
                        time,
                        at,
                        id,
                        price,
                        qty,
                        side,
                        bid,
                        ask,
                    }),
                    None => Tick::Quote(Quote {
                        seq,
                        symbol,
                        time,
                        at,
                        bid,
                        bid_qty,
                        ask,
                        ask_qty,
                    }),
                }
            })
    }

    proptest! {
        #[test]
        fn any_ticks_survive_a_round_trip(
            epoch: u32,
            from: u64,
            to: u64,
            ticks in proptest::collection::vec(ticks(), 0..8),
            skipped in 0u64..3,
        ) {
            let epoch = Epoch::from_number(epoch);
            let message = ServerMessage::Ticks {
                from: Cursor { epoch, seq: from },
                cursor: Cursor { epoch, seq: to },
                ticks,
                skipped,
            };
            let json = serde_json::to_vec(&message).unwrap();
            // The page has its own parser, without floats.
            prop_assert_eq!(&crate::from_json::<ServerMessage>(&json).unwrap(), &message);
            prop_assert_eq!(serde_json::from_slice::<ServerMessage>(&json).unwrap(), message);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = serde_json::from_slice::<ServerMessage>(&bytes);
            let _ = crate::from_json::<ServerMessage>(&bytes);
            let _ = serde_json::from_slice::<ClientCommand>(&bytes);
        }

        /// Nearly valid input reaches more code than random bytes do.
        #[test]
        fn damaged_messages_never_panic(
            which in 0..EXAMPLES.len(),
            at: proptest::sample::Index,
            byte: u8,
        ) {
            let mut bytes = EXAMPLES[which].as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = serde_json::from_slice::<ServerMessage>(&bytes);
            let _ = crate::from_json::<ServerMessage>(&bytes);
            bytes.truncate(at);
            let _ = serde_json::from_slice::<ServerMessage>(&bytes);
        }
    }
}
