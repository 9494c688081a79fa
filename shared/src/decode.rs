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
use crate::status::{FeedState, FeedStatus, ReplayStatus, StoreStatus, VenueStatus};
use crate::tick::Tick;
use crate::{Cursor, ErrorCode, NewestBars, Pace, ServerMessage, Time};

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
    bars: Option<Vec<NewestBars>>,
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
    replay: Option<ReplayStatus>,
    venues: Option<Vec<VenueStatus>>,
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
        let event = fields.event.clone();
        let missing = |field| MissingField { event, field };
        fields.message().map_err(missing)
    }
}

impl Fields {
    /// The message; or the name of a field that is missing.
    fn message(self) -> Result<ServerMessage, &'static str> {
        Ok(match self.event.as_str() {
            "hello" => ServerMessage::Hello {
                version: self.version.ok_or("version")?,
                epoch: self.epoch.ok_or("epoch")?,
                server_time: self.server_time.ok_or("server_time")?,
                heartbeat_ms: self.heartbeat_ms.ok_or("heartbeat_ms")?,
            },
            "snapshot" => ServerMessage::Snapshot {
                reason: self.reason.ok_or("reason")?,
                cursor: self.cursor.ok_or("cursor")?,
                symbols: all(self.symbols, NameOrState::state).ok_or("symbols")?,
            },
            "ticks" => ServerMessage::Ticks {
                from: self.from.ok_or("from")?,
                cursor: self.cursor.ok_or("cursor")?,
                ticks: self.ticks.ok_or("ticks")?,
                skipped: self.skipped.unwrap_or_default(),
            },
            "status" => self.status()?,
            "store" => self.store()?,
            "states" => ServerMessage::States {
                from: self.from.ok_or("from")?,
                cursor: self.cursor.ok_or("cursor")?,
                symbols: all(self.symbols, NameOrState::state).ok_or("symbols")?,
                bars: self.bars.unwrap_or_default(),
            },
            "alerts" => ServerMessage::Alerts {
                from: self.from.ok_or("from")?,
                cursor: self.cursor.ok_or("cursor")?,
                firings: self.firings.ok_or("firings")?,
            },
            "alerts_changed" => self.alerts_changed()?,
            "heartbeat" => ServerMessage::Heartbeat {
                from: self.from.ok_or("from")?,
                cursor: self.cursor.ok_or("cursor")?,
                server_time: self.server_time.ok_or("server_time")?,
            },
            "subscribed" => self.subscribed()?,
            "pong" => ServerMessage::Pong {
                req: self.req,
                client_time: self.client_time.ok_or("client_time")?,
                server_time: self.server_time.ok_or("server_time")?,
            },
            "error" => ServerMessage::Error {
                req: self.req,
                code: self.code.ok_or("code")?,
                message: self.message.ok_or("message")?,
            },
            _ => ServerMessage::Unknown,
        })
    }

    fn status(self) -> Result<ServerMessage, &'static str> {
        Ok(ServerMessage::Status {
            from: self.from,
            cursor: self.cursor,
            status: FeedStatus {
                feed: self.feed.ok_or("feed")?,
                label: self.label.unwrap_or_default(),
                state: self.state.ok_or("state")?,
                detail: self.detail.unwrap_or_default(),
                retry_ms: self.retry_ms,
                replay: self.replay,
                venues: self.venues.unwrap_or_default(),
            },
        })
    }

    fn store(self) -> Result<ServerMessage, &'static str> {
        Ok(ServerMessage::Store {
            from: self.from,
            cursor: self.cursor,
            status: StoreStatus {
                saving: self.saving.ok_or("saving")?,
                detail: self.detail.unwrap_or_default(),
                lost: self.lost.unwrap_or_default(),
                lost_firings: self.lost_firings.unwrap_or_default(),
            },
        })
    }

    fn alerts_changed(self) -> Result<ServerMessage, &'static str> {
        Ok(ServerMessage::AlertsChanged {
            from: self.from.ok_or("from")?,
            cursor: self.cursor.ok_or("cursor")?,
            changes: AlertChanges {
                // An older server does not list the changes.
                more: self.more.unwrap_or(self.changed.is_none()),
                changed: self.changed.unwrap_or_default(),
                deleted: self.deleted.unwrap_or_default(),
            },
        })
    }

    fn subscribed(self) -> Result<ServerMessage, &'static str> {
        Ok(ServerMessage::Subscribed {
            req: self.req,
            symbols: all(self.symbols, NameOrState::name).ok_or("symbols")?,
            pace: Pace {
                every_ms: self.every_ms.unwrap_or_default(),
                latest: self.latest.unwrap_or_default(),
            },
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
