//! In which form messages are written.

use std::fmt;
use std::str::FromStr;

use crate::binary;

/// An encoding of messages, as clients ask for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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
