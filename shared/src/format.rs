//! The encodings of messages.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Transport, binary};

/// An encoding of messages.
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

/// An unknown name of an encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("encoding '{0}' is not allowed; json or binary")]
pub struct WireFormatError(String);

impl WireFormat {
    /// All encodings.
    pub const ALL: [Self; 2] = [Self::Json, Self::Binary];

    /// Its name on the wire.
    pub fn key(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Binary => "binary",
        }
    }

    /// Its name for users.
    pub fn label(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Binary => "binary",
        }
    }

    /// Its name as a WebSocket subprotocol.
    pub fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => "tickwire.json.v1",
            Self::Binary => binary::SUBPROTOCOL,
        }
    }

    /// The media type of an answer in this encoding.
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
    /// The transport.
    pub transport: Transport,
    /// The encoding.
    #[serde(rename = "encoding", default)]
    pub format: WireFormat,
}

impl Channel {
    /// All channels: server-sent events carry only text.
    pub const ALL: [Self; 7] = [
        Self::new(Transport::WebSocket, WireFormat::Json),
        Self::new(Transport::WebSocket, WireFormat::Binary),
        Self::new(Transport::Sse, WireFormat::Json),
        Self::new(Transport::LongPoll, WireFormat::Json),
        Self::new(Transport::LongPoll, WireFormat::Binary),
        Self::new(Transport::Poll, WireFormat::Json),
        Self::new(Transport::Poll, WireFormat::Binary),
    ];

    /// A transport with an encoding; JSON if the transport does not carry the
    /// other.
    pub const fn new(transport: Transport, format: WireFormat) -> Self {
        let format = match transport {
            Transport::Sse => WireFormat::Json,
            _ => format,
        };
        Self { transport, format }
    }

    /// Its index in [`Self::ALL`].
    pub fn index(self) -> usize {
        let place = Self::ALL.iter().position(|channel| *channel == self);
        // Every channel is made by `new`, and is in the list.
        place.unwrap_or(0)
    }

    /// Its name for users.
    pub fn label(self) -> String {
        match self.format {
            WireFormat::Json => self.transport.label().to_owned(),
            WireFormat::Binary => self.transport.label().to_owned() + ", binary",
        }
    }
}
