//! In which form messages are written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Transport, binary};

/// An encoding of messages, as clients ask for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WireFormat {
    /// Text that every client can read.
    #[default]
    Json,
    /// Small integers; see [`binary`].
    Binary,
}

/// A text that names no encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("encoding '{0}' is not allowed; json or binary")]
pub struct WireFormatError(String);

impl WireFormat {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Json, Self::Binary];

    /// Its name for machines.
    pub fn key(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Binary => "binary",
        }
    }

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Binary => "binary",
        }
    }

    /// What a client calls it that opens a WebSocket.
    pub fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => "tickwire.json.v1",
            Self::Binary => binary::SUBPROTOCOL,
        }
    }

    /// The media type of an answer in it.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Binary => binary::MEDIA_TYPE,
        }
    }
}

impl fmt::Display for WireFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for WireFormat {
    type Err = WireFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|format| format.key() == text);
        found.ok_or_else(|| WireFormatError(text.chars().take(40).collect()))
    }
}

/// A transport that carries messages in one encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Channel {
    /// How messages travel.
    pub transport: Transport,
    /// How they are written.
    #[serde(rename = "encoding", default)]
    pub format: WireFormat,
}

impl Channel {
    /// All of them: server-sent events are text.
    pub const ALL: [Self; 7] = [
        Self::new(Transport::WebSocket, WireFormat::Json),
        Self::new(Transport::WebSocket, WireFormat::Binary),
        Self::new(Transport::Sse, WireFormat::Json),
        Self::new(Transport::LongPoll, WireFormat::Json),
        Self::new(Transport::LongPoll, WireFormat::Binary),
        Self::new(Transport::Poll, WireFormat::Json),
        Self::new(Transport::Poll, WireFormat::Binary),
    ];

    /// A transport that is asked for an encoding; JSON where it carries nothing
    /// else.
    pub const fn new(transport: Transport, format: WireFormat) -> Self {
        let format = match transport {
            Transport::Sse => WireFormat::Json,
            _ => format,
        };
        Self { transport, format }
    }

    /// Its place in [`Self::ALL`].
    pub fn index(self) -> usize {
        let place = Self::ALL.iter().position(|channel| *channel == self);
        // It is made by `new` only.
        place.unwrap_or(0)
    }

    /// Its name for people.
    pub fn label(self) -> String {
        match self.format {
            WireFormat::Json => self.transport.label().to_owned(),
            WireFormat::Binary => self.transport.label().to_owned() + ", binary",
        }
    }
}
