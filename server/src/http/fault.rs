//! Errors of HTTP calls, in one form.

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use shared::{ApiError, ErrorCode, FieldFault};

use crate::alerts::{AlertError, AlertFault, Elsewhere};
use crate::catalogue::UnknownSymbol;
use crate::store::ArchiveError;

/// When a client that was refused for lack of room may come again, in seconds.
const RETRY_AFTER_S: &str = "5";

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A parameter is out of bounds or cannot be parsed; the text says what is
    /// allowed.
    BadParameter(String),
    /// Fields of a body are missing or invalid.
    BadFields(Vec<FieldFault>),
    /// The symbol is not in the catalogue.
    UnknownSymbol(UnknownSymbol),
    /// The caller has to present a token that this server knows.
    Unauthorized(String),
    /// The caller is not allowed to do this.
    Forbidden(String),
    /// The request is for another host.
    Misdirected(String),
    /// The resource does not exist.
    NotFound(String),
    /// The resource does not support this method.
    MethodNotAllowed(String),
    /// The resource has changed meanwhile, or there is no room.
    Conflict(String),
    /// The media type of the body is not supported.
    UnsupportedMediaType(&'static str),
    /// The body is longer than this many bytes.
    TooLarge(u64),
    /// Not available yet, no longer, or not for more clients.
    Unavailable(&'static str),
    /// Another server has to do it, and does not; why not.
    Upstream(String),
    /// The client asked for too much in too short a time.
    TooMany(String),
    /// The request did not come in time.
    TooSlow(String),
    /// An error of the server; logged where it occurred.
    Internal,
}

impl Fault {
    fn status(&self) -> StatusCode {
        match self {
            Self::BadParameter(_) | Self::BadFields(_) | Self::UnknownSymbol(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Misdirected(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable(_) | Self::Upstream(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Self::BadParameter(_) | Self::BadFields(_) => ErrorCode::BadParameter,
            Self::UnknownSymbol(_) => ErrorCode::UnknownSymbol,
            Self::Unauthorized(_) => ErrorCode::Unauthorized,
            Self::Forbidden(_) => ErrorCode::Forbidden,
            Self::Misdirected(_) => ErrorCode::Misdirected,
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::MethodNotAllowed(_) => ErrorCode::MethodNotAllowed,
            Self::Conflict(_) => ErrorCode::Conflict,
            Self::UnsupportedMediaType(_) => ErrorCode::UnsupportedMediaType,
            Self::TooLarge(_) => ErrorCode::TooLarge,
            Self::Unavailable(_) | Self::Upstream(_) => ErrorCode::Unavailable,
            Self::TooMany(_) => ErrorCode::TooMany,
            Self::TooSlow(_) => ErrorCode::TooSlow,
            Self::Internal => ErrorCode::Internal,
        }
    }

    /// The text for users and, for a body, each invalid field.
    fn message(self) -> (String, Vec<FieldFault>) {
        let message = match self {
            Self::BadParameter(message)
            | Self::NotFound(message)
            | Self::MethodNotAllowed(message)
            | Self::Unauthorized(message)
            | Self::Forbidden(message)
            | Self::Misdirected(message)
            | Self::Conflict(message)
            | Self::TooMany(message)
            | Self::TooSlow(message) => message,
            Self::BadFields(faults) => {
                let lines = faults.iter().map(|fault| {
                    let FieldFault { field, message } = fault;
                    format!("{field} {message}").trim_start().to_owned()
                });
                return (lines.collect::<Vec<_>>().join("; "), faults);
            }
            Self::UnknownSymbol(error) => error.to_string(),
            Self::UnsupportedMediaType(message) | Self::Unavailable(message) => message.to_owned(),
            Self::TooLarge(bytes) => format!("the body is too long; at most {bytes} bytes"),
            Self::Upstream(why) => why,
            Self::Internal => "a fault of the server; its log says more".to_owned(),
        };
        (message, Vec::new())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (status, code) = (self.status(), self.code());
        let (message, faults) = self.message();
        let body = ApiError {
            code,
            message,
            faults,
        };
        let mut response = (status, Json(body)).into_response();
        let more = match status {
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, "Bearer")),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                Some((header::RETRY_AFTER, RETRY_AFTER_S))
            }
            _ => None,
        };
        if let Some((name, value)) = more {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl From<AlertError> for Fault {
    fn from(error: AlertError) -> Self {
        match error {
            AlertError::Unknown(_) => Self::NotFound(error.to_string()),
            AlertError::Stale { .. }
            | AlertError::Full { .. }
            | AlertError::TooManyWindows { .. } => Self::Conflict(error.to_string()),
        }
    }
}

impl From<Elsewhere> for Fault {
    fn from(error: Elsewhere) -> Self {
        Self::Upstream(error.to_string())
    }
}

impl From<AlertFault> for Fault {
    fn from(error: AlertFault) -> Self {
        match error {
            AlertFault::UnknownSymbol(error) => error.into(),
            AlertFault::Alert(error) => error.into(),
            AlertFault::Elsewhere(error) => error.into(),
        }
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
            ArchiveError::Older(error) => {
                tracing::warn!(%error, "older candles cannot be had now");
                Self::Unavailable("older candles cannot be had now; try again")
            }
        }
    }
}

/// Declares an error response, for the OpenAPI document.
macro_rules! described {
    ($(#[doc = $doc:literal])+ $name:ident, $status:literal, $code:literal, $message:literal) => {
        $(#[doc = $doc])+
        #[derive(utoipa::IntoResponses)]
        #[response(status = $status, example = json!({"code": $code, "message": $message}))]
        #[expect(dead_code, reason = "only its description is used")]
        pub(crate) struct $name(ApiError);
    };
}

described!(
    /// A parameter is missing, out of bounds or cannot be parsed; the message
    /// names it and says what is allowed
    BadQuery, 400, "bad_parameter", "limit '0' is not allowed; a whole number from 1 to 10000"
);
described!(
    /// Not available yet, no longer, or at the moment
    NotNow, 503, "unavailable", "no price has arrived yet"
);
described!(
    /// What is wanted of the replay cannot be done; the message says what is
    /// allowed
    BadReplay, 400, "bad_parameter", "speed 'fast' is not allowed; bars a second as in 2, times real time as in 60x, or max"
);
described!(
    /// Prices are not replayed
    NoReplay, 404, "not_found", "prices are not replayed here; --feed replay:PATH replays files"
);
described!(
    /// The file cannot be replayed; the message says what was seen in it
    BadUpload, 400, "bad_parameter", "notes.txt: nothing like prices"
);
described!(
    /// The server takes no files
    NoUploads, 403, "forbidden", "this server takes no files; --allow-upload lets it"
);
described!(
    /// Another file is being brought
    Busy, 429, "too_many", "another file is being brought; try again when it is there"
);
described!(
    /// Not a WebSocket handshake
    NoUpgrade, 400, "bad_parameter", "connection header did not include 'upgrade'"
);
described!(
    /// The server asks for a token
    NoToken, 401, "unauthorized", "this server asks for a token: send Authorization: Bearer TOKEN"
);
described!(
    /// The page is from another origin
    OtherPage, 403, "forbidden", "a page of https://example.org may not do this: this server is 'localhost:8080'"
);
described!(
    /// Fields are missing or invalid, and each is named; or the symbol does not
    /// exist
    BadAlert, 400, "bad_parameter", "above has to be a price as a text, as in \"64000.00\", with at most 14 digits on each side of the point"
);
described!(
    /// The alert does not exist
    NoAlert, 404, "not_found", "no alert 7; GET /api/alerts lists them"
);
described!(
    /// The alert was changed meanwhile; or the symbol has the maximum number of
    /// windows for moves already
    Stale, 409, "conflict", "alert 7 is at version 3 by now, not 2; get it again"
);
described!(
    /// There is the maximum number of alerts already; or the symbol has the
    /// maximum number of windows for moves already
    Full, 409, "conflict", "there are 100000 alerts already, which is the most; delete some"
);
described!(
    /// The body is too long
    TooLong, 413, "too_large", "the body is too long; at most 16384 bytes"
);
described!(
    /// The content type of the body is not JSON
    NotJson, 415, "unsupported_media_type", "the body has to be JSON; say so with content-type: application/json"
);
described!(
    /// `If-Match` is not an ETag of an alert
    BadTag, 400, "bad_parameter", "if-match x is not allowed; give back one ETag of the alert, as in \"3\", or *"
);

pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> Fault {
    Fault::MethodNotAllowed(format!(
        "{method} is not possible on {}; /api/docs says what is",
        uri.path()
    ))
}
