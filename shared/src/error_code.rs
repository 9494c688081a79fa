//! The kinds of errors, over all transports.

use serde::{Deserialize, Serialize};

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
    /// The server asks for a token: `401` over HTTP.
    Unauthorized,
    /// The caller is not allowed to do this.
    Forbidden,
    /// The request is for another host: `421` over HTTP.
    Misdirected,
    /// The path does not exist.
    NotFound,
    /// The path exists, but does not support the method.
    MethodNotAllowed,
    /// The server is shutting down, not ready yet, or full.
    Unavailable,
    /// The client asked for too much in too short a time: `429` over HTTP.
    TooMany,
    /// A request did not come in time: `408` over HTTP.
    TooSlow,
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
