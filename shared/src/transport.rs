use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the four transports of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Frames that the server pushes over a WebSocket.
    #[serde(rename = "ws", alias = "websocket")]
    WebSocket,
    /// Server-sent events.
    Sse,
    /// A request that the server answers as soon as there is a message.
    #[serde(alias = "long-polling")]
    LongPoll,
    /// A request at each interval, which the server answers at once.
    #[serde(alias = "polling")]
    Poll,
}

impl Transport {
    /// All transports, in the order in which they are displayed.
    pub const ALL: [Self; 4] = [Self::WebSocket, Self::Sse, Self::LongPoll, Self::Poll];

    /// Its name for programs: in JSON, in URLs, in metrics and on the command
    /// line.
    pub fn key(self) -> &'static str {
        match self {
            Self::WebSocket => "ws",
            Self::Sse => "sse",
            Self::LongPoll => "long_poll",
            Self::Poll => "poll",
        }
    }

    /// Its name for users.
    pub fn label(self) -> &'static str {
        match self {
            Self::WebSocket => "WebSocket",
            Self::Sse => "SSE",
            Self::LongPoll => "Long polling",
            Self::Poll => "Polling",
        }
    }

    /// Whether the server sends messages without a request for each.
    pub fn is_stream(self) -> bool {
        matches!(self, Self::WebSocket | Self::Sse)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// An unknown name of a transport.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no transport '{0}'; there are ws, sse, long_poll and poll")]
pub struct TransportError(String);

impl FromStr for Transport {
    type Err = TransportError;

    fn from_str(text: &str) -> Result<Self, TransportError> {
        // Links with older names still work.
        match text {
            "websocket" => return Ok(Self::WebSocket),
            "long-poll" | "long-polling" => return Ok(Self::LongPoll),
            "polling" => return Ok(Self::Poll),
            _ => {}
        }
        let known = Self::ALL.into_iter().find(|known| known.key() == text);
        known.ok_or_else(|| TransportError(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_for_machines() {
        for transport in Transport::ALL {
            assert_eq!(transport.key().parse(), Ok(transport));
            assert_eq!(transport.to_string(), transport.key());
            let json = serde_json::to_string(&transport).unwrap();
            assert_eq!(json, format!("\"{}\"", transport.key()));
            assert_eq!(serde_json::from_str::<Transport>(&json).unwrap(), transport);
        }
        assert_eq!("long-polling".parse(), Ok(Transport::LongPoll));
        let error = "pigeons".parse::<Transport>().unwrap_err().to_string();
        assert_eq!(
            error,
            "no transport 'pigeons'; there are ws, sse, long_poll and poll"
        );
    }
}
