//! WebSockets of other servers.

use std::future::poll_fn;
use std::time::Duration;

use axum::http::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tower_service::Service as _;

use super::dial::{Dialer, Stream};
use super::outgoing::{asked_pause, cause};

/// An open one.
pub(crate) type Socket = WebSocketStream<TokioIo<Stream>>;

/// Why a connection ended, in words that follow the other's name, and how long the
/// other wants to be left alone, if it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) why: String,
    pub(crate) pause: Option<Duration>,
}

impl Lost {
    pub(crate) fn because(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            pause: None,
        }
    }

    /// It has ended without a word.
    pub(crate) fn broken_off() -> Self {
        Self::because("the connection broke off")
    }

    /// It was closed.
    pub(crate) fn closed(frame: Option<CloseFrame>) -> Self {
        let frame = frame.map(|frame| (u16::from(frame.code), frame.reason.to_string()));
        Self::because(match frame {
            Some((code, reason)) if !reason.is_empty() => {
                format!("it closed the connection ({code}, {reason})")
            }
            Some((code, _)) => format!("it closed the connection ({code})"),
            None => "it closed the connection".to_owned(),
        })
    }
}

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        let Error::Http(answer) = &error else {
            return Self::because(match error {
                Error::ConnectionClosed | Error::AlreadyClosed => {
                    "it closed the connection".to_owned()
                }
                Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                    return Self::broken_off();
                }
                other => cause(&other).to_string(),
            });
        };
        let status = answer.status();
        let why = match status {
            StatusCode::FORBIDDEN | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => {
                format!("it refuses this location (HTTP {})", status.as_u16())
            }
            _ => format!("it answered HTTP {}", status.as_u16()),
        };
        Self {
            why,
            pause: asked_pause(status, answer.headers()),
        }
    }
}

/// Opens one by this request, of an address of `ws` or `wss`. Its messages have no more
/// bytes than this.
pub(crate) async fn connect(
    mut dialer: Dialer,
    request: Request<()>,
    bytes_max: usize,
) -> Result<Socket, Lost> {
    // Dialling knows the schemes of the web only.
    let address = request.uri().to_string();
    let to: Uri = address
        .replacen("ws", "http", 1)
        .parse()
        .map_err(|_| Lost::because(format!("its address {address} cannot be read")))?;
    let stream = poll_fn(|context| dialer.poll_ready(context)).await;
    let stream = match stream {
        Ok(()) => dialer.call(to).await,
        Err(error) => Err(error),
    };
    let stream = stream.map_err(|error| {
        let cause = cause(error.as_ref());
        Lost::because(format!("it cannot be reached: {cause}"))
    })?;
    let mut config = WebSocketConfig::default();
    config.max_message_size = Some(bytes_max);
    config.max_frame_size = Some(bytes_max);
    let opened = client_async_with_config(request, TokioIo::new(stream), Some(config));
    Ok(opened.await?.0)
}

/// A message, or why there are no more.
pub(crate) fn received(message: Option<Result<Message, Error>>) -> Result<Message, Lost> {
    match message {
        Some(Ok(Message::Close(frame))) => Err(Lost::closed(frame)),
        Some(Ok(message)) => Ok(message),
        Some(Err(error)) => Err(error.into()),
        None => Err(Lost::broken_off()),
    }
}
