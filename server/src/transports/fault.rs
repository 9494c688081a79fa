//! What goes wrong over HTTP, in one form.

use axum::Json;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use shared::{ApiError, ErrorCode};

use crate::market::UnknownSymbol;
use crate::store::ArchiveError;

/// An answer that is not a success.
#[derive(Debug)]
pub(super) enum Fault {
    /// A parameter is out of bounds or unreadable; the text says what is
    /// allowed.
    BadParameter(String),
    /// A symbol that the catalogue does not have.
    UnknownSymbol(UnknownSymbol),
    /// Not for the one who asks.
    Forbidden(&'static str),
    /// Nothing is there.
    NotFound(String),
    /// Something is there, for other methods.
    MethodNotAllowed(String),
    /// Not yet, or not any more.
    Unavailable(&'static str),
    /// The server's own fault; logged where it happened.
    Internal,
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (status, code, message) = match self {
            Self::BadParameter(message) => {
                (StatusCode::BAD_REQUEST, ErrorCode::BadParameter, message)
            }
            Self::UnknownSymbol(error) => (
                StatusCode::BAD_REQUEST,
                ErrorCode::UnknownSymbol,
                error.to_string(),
            ),
            Self::Forbidden(message) => (
                StatusCode::FORBIDDEN,
                ErrorCode::Forbidden,
                message.to_owned(),
            ),
            Self::NotFound(message) => (StatusCode::NOT_FOUND, ErrorCode::NotFound, message),
            Self::MethodNotAllowed(message) => (
                StatusCode::METHOD_NOT_ALLOWED,
                ErrorCode::MethodNotAllowed,
                message,
            ),
            Self::Unavailable(message) => (
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::Unavailable,
                message.to_owned(),
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                ErrorCode::Internal,
                "a fault of the server; its log says more".to_owned(),
            ),
        };
        (status, Json(ApiError { code, message })).into_response()
    }
}

impl From<UnknownSymbol> for Fault {
    fn from(error: UnknownSymbol) -> Self {
        Self::UnknownSymbol(error)
    }
}

impl From<ArchiveError> for Fault {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::UnknownSymbol(error) => error.into(),
            ArchiveError::Unreadable(error) => {
                tracing::warn!(%error, "the store could not be read");
                Self::Unavailable("the store cannot be read now; try again")
            }
        }
    }
}

pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Fault {
    Fault::MethodNotAllowed(format!(
        "{method} is not possible on {}; GET is",
        uri.path()
    ))
}
