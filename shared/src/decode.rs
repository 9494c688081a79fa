//! Decodes a [`ServerMessage`] in one pass.
//!
//! serde's derived decoder of a tagged enum buffers every field of a message
//! before it reads the tag. The page decodes thousands of ticks a second, so
//! the fields are decoded directly into their types.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::alert::{Alert, AlertChanges, Firing};
use crate::message::SnapshotReason;
use crate::state::SymbolState;
use crate::status::{FeedState, FeedStatus, StoreStatus};
use crate::tick::Tick;
use crate::{Cursor, ErrorCode, Pace, ServerMessage, Time};

/// The fields of all kinds of messages. Fields with the same name have the same
/// type in all kinds, including future ones.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    event: String,
    version: Option<u32>,
    epoch: Option<String>,
    server_time: Option<Time>,
    client_time: Option<Time>,
    heartbeat_ms: Option<u32>,
    reason: Option<SnapshotReason>,
    from: Option<Cursor>,
    cursor: Option<Cursor>,
    symbols: Option<Vec<NameOrState>>,
    ticks: Option<Vec<Tick>>,
    skipped: Option<u64>,
    every_ms: Option<u32>,
    latest: Option<bool>,
    req: Option<u64>,
    feed: Option<String>,
    label: Option<String>,
    state: Option<FeedState>,
    detail: Option<String>,
    retry_ms: Option<u64>,
    saving: Option<bool>,
    lost: Option<u64>,
    lost_firings: Option<u64>,
    firings: Option<Vec<Firing>>,
    changed: Option<Vec<Alert>>,
    deleted: Option<Vec<u64>>,
    more: Option<bool>,
    code: Option<ErrorCode>,
    message: Option<String>,
}

/// A required field that is missing from a message.
#[derive(Debug, thiserror::Error)]
#[error("a message of kind '{event}' needs a field '{field}'")]
pub(crate) struct MissingField {
    event: String,
    field: &'static str,
}

impl TryFrom<Fields> for ServerMessage {
    type Error = MissingField;

    fn try_from(fields: Fields) -> Result<Self, MissingField> {
        let event = fields.event;
        let missing = |field| MissingField {
            event: event.clone(),
            field,
        };
        Ok(match event.as_str() {
            "hello" => Self::Hello {
                version: fields.version.ok_or_else(|| missing("version"))?,
                epoch: fields.epoch.ok_or_else(|| missing("epoch"))?,
                server_time: fields.server_time.ok_or_else(|| missing("server_time"))?,
                heartbeat_ms: fields.heartbeat_ms.ok_or_else(|| missing("heartbeat_ms"))?,
            },
            "snapshot" => Self::Snapshot {
                reason: fields.reason.ok_or_else(|| missing("reason"))?,
                cursor: fields.cursor.ok_or_else(|| missing("cursor"))?,
                symbols: all(fields.symbols, NameOrState::state)
                    .ok_or_else(|| missing("symbols"))?,
            },
            "ticks" => Self::Ticks {
                from: fields.from.ok_or_else(|| missing("from"))?,
                cursor: fields.cursor.ok_or_else(|| missing("cursor"))?,
                ticks: fields.ticks.ok_or_else(|| missing("ticks"))?,
                skipped: fields.skipped.unwrap_or_default(),
            },
            "subscribed" => Self::Subscribed {
                req: fields.req,
                symbols: all(fields.symbols, NameOrState::name)
                    .ok_or_else(|| missing("symbols"))?,
                pace: Pace {
                    every_ms: fields.every_ms.unwrap_or_default(),
                    latest: fields.latest.unwrap_or_default(),
                },
            },
            "status" => Self::Status {
                from: fields.from,
                cursor: fields.cursor,
                status: FeedStatus {
                    feed: fields.feed.ok_or_else(|| missing("feed"))?,
                    label: fields.label.unwrap_or_default(),
                    state: fields.state.ok_or_else(|| missing("state"))?,
                    detail: fields.detail.unwrap_or_default(),
                    retry_ms: fields.retry_ms,
                },
            },
            "store" => Self::Store {
                from: fields.from,
                cursor: fields.cursor,
                status: StoreStatus {
                    saving: fields.saving.ok_or_else(|| missing("saving"))?,
                    detail: fields.detail.unwrap_or_default(),
                    lost: fields.lost.unwrap_or_default(),
                    lost_firings: fields.lost_firings.unwrap_or_default(),
                },
            },
            "alerts" => Self::Alerts {
                from: fields.from.ok_or_else(|| missing("from"))?,
                cursor: fields.cursor.ok_or_else(|| missing("cursor"))?,
                firings: fields.firings.ok_or_else(|| missing("firings"))?,
            },
            "alerts_changed" => Self::AlertsChanged {
                from: fields.from.ok_or_else(|| missing("from"))?,
                cursor: fields.cursor.ok_or_else(|| missing("cursor"))?,
                changes: AlertChanges {
                    // An older server does not list the changes.
                    more: fields.more.unwrap_or(fields.changed.is_none()),
                    changed: fields.changed.unwrap_or_default(),
                    deleted: fields.deleted.unwrap_or_default(),
                },
            },
            "heartbeat" => Self::Heartbeat {
                from: fields.from.ok_or_else(|| missing("from"))?,
                cursor: fields.cursor.ok_or_else(|| missing("cursor"))?,
                server_time: fields.server_time.ok_or_else(|| missing("server_time"))?,
            },
            "pong" => Self::Pong {
                req: fields.req,
                client_time: fields.client_time.ok_or_else(|| missing("client_time"))?,
                server_time: fields.server_time.ok_or_else(|| missing("server_time"))?,
            },
            "error" => Self::Error {
                req: fields.req,
                code: fields.code.ok_or_else(|| missing("code"))?,
                message: fields.message.ok_or_else(|| missing("message"))?,
            },
            _ => Self::Unknown,
        })
    }
}

/// The field, if it is present and each of its items has the right type.
fn all<T>(items: Option<Vec<NameOrState>>, pick: fn(NameOrState) -> Option<T>) -> Option<Vec<T>> {
    items?.into_iter().map(pick).collect()
}

/// An item of `symbols`: a name in `subscribed`, a state in `snapshot`.
enum NameOrState {
    Name(String),
    State(Box<SymbolState>),
}

impl NameOrState {
    fn name(self) -> Option<String> {
        match self {
            Self::Name(name) => Some(name),
            Self::State(_) => None,
        }
    }

    fn state(self) -> Option<SymbolState> {
        match self {
            Self::State(state) => Some(*state),
            Self::Name(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for NameOrState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = NameOrState;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a symbol's name or state")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<NameOrState, E> {
                Ok(NameOrState::Name(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NameOrState, A::Error> {
                let state = SymbolState::deserialize(MapAccessDeserializer::new(map))?;
                Ok(NameOrState::State(Box::new(state)))
            }
        }

        deserializer.deserialize_any(Either)
    }
}
