//! One WebSocket of a venue: how it is opened, what comes from it, and how long that
//! may take.

use std::time::Duration;

use axum::http::{StatusCode, Uri};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tower_service::Service as _;
use venues::Venue;

use super::rest::asked_pause;
use crate::http::dial::{Dialer, Stream};
use crate::http::outgoing::cause;

/// How long the handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long it may take from the opening to the first price.
const FIRST_PRICE_MAX: Duration = Duration::from_secs(20);
/// No venue sends longer messages.
const MESSAGE_BYTES_MAX: usize = 1_000_000;
/// So many messages may wait until they are looked at. Then the socket is not read
/// any more, and the venue has to wait.
const MESSAGES_WAITING: usize = 64;
/// The time between two messages to a venue.
const SEND_GAP: Duration = Duration::from_millis(250);

/// Why a connection ended, in words that follow the venue's name, and how long the
/// venue wants to be left alone, if it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) why: String,
    pub(super) pause: Option<Duration>,
}

impl Lost {
    pub(super) fn because(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            pause: None,
        }
    }
}

/// What comes from a connection.
#[derive(Debug)]
pub(super) enum Heard {
    /// It is open, and what was to be sent is on its way.
    Opened,
    /// A message.
    Text(Utf8Bytes),
    /// A ping or a pong.
    Pulse,
    /// It has ended. Nothing follows.
    Lost(Lost),
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opening,
    Subscribing,
    /// Prices come; when the venue last said something.
    Live(Instant),
}

/// A sign that a venue is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A price.
    Price,
    /// It says that it is there.
    Alive,
    /// It took a subscription.
    Subscribed,
    /// A ping or a pong.
    Pulse,
}

/// A connection, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    heard: mpsc::Receiver<Heard>,
    send: mpsc::UnboundedSender<String>,
    task: AbortHandle,
    phase: Phase,
    /// When it was begun, and when the phase began.
    begun: Instant,
    since: Instant,
    venue: &'static dyn Venue,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connection {
    /// Opens a connection, and sends these messages.
    pub(super) fn open(
        dialer: Dialer,
        address: String,
        subscriptions: Vec<String>,
        venue: &'static dyn Venue,
    ) -> Self {
        let (events, heard) = mpsc::channel(MESSAGES_WAITING);
        let (send, outgoing) = mpsc::unbounded_channel();
        for message in subscriptions {
            // The receiver is still here.
            let _ = send.send(message);
        }
        let task = tokio::spawn(async move {
            let Err(lost) = converse(dialer, &address, outgoing, &events).await;
            // If nobody wants to know, it was given up.
            let _ = events.send(Heard::Lost(lost)).await;
        });
        let now = Instant::now();
        Self {
            heard,
            send,
            task: task.abort_handle(),
            phase: Phase::Opening,
            begun: now,
            since: now,
            venue,
        }
    }

    /// What comes from it, several at once if they are waiting. Never nothing.
    pub(super) async fn next(&mut self) -> Vec<Heard> {
        let mut heard = Vec::new();
        if self.heard.recv_many(&mut heard, MESSAGES_WAITING).await == 0 {
            heard.push(Heard::Lost(Lost::because("the connection broke off")));
        }
        heard
    }

    /// Sends further messages.
    pub(super) fn send(&self, messages: Vec<String>) {
        for message in messages {
            // If it has ended, that is heard.
            let _ = self.send.send(message);
        }
    }

    /// It is open.
    pub(super) fn opened(&mut self) {
        (self.phase, self.since) = (Phase::Subscribing, Instant::now());
    }

    /// There was a sign of the venue. Returns whether prices can be counted on from now
    /// on: since the first of them, or, of a venue that is quiet where nothing happens,
    /// since it took a subscription.
    pub(super) fn said(&mut self, sign: Sign) -> bool {
        let is_quiet = self.venue.is_quiet();
        let (begins, goes_on) = match sign {
            Sign::Price => (true, true),
            Sign::Alive => (false, true),
            Sign::Subscribed => (is_quiet, false),
            Sign::Pulse => (false, is_quiet),
        };
        let is_live = self.is_live();
        if begins || (is_live && goes_on) {
            self.phase = Phase::Live(Instant::now());
        }
        begins && !is_live
    }

    /// It is not read for a while, which is not its fault.
    pub(super) fn waits(&mut self) {
        self.since = Instant::now();
        if self.is_live() {
            self.phase = Phase::Live(self.since);
        }
    }

    /// Whether prices come.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live(_))
    }

    /// How old it is.
    pub(super) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Until when something has to happen, and what it is if it does not.
    pub(super) fn deadline(&self) -> (Instant, String) {
        match self.phase {
            // The handshake has a timeout of its own, which says more.
            Phase::Opening => (self.since + 3 * HANDSHAKE_MAX, "it did not open".to_owned()),
            Phase::Subscribing => {
                let seconds = FIRST_PRICE_MAX.as_secs();
                let why = format!("no price came within {seconds} s");
                (self.since + FIRST_PRICE_MAX, why)
            }
            Phase::Live(heard) => {
                let idle_max = self.venue.idle_max();
                let why = format!("it was silent for {} s", idle_max.as_secs());
                (heard + idle_max, why)
            }
        }
    }
}

/// What never is.
enum Never {}

/// Speaks with a venue until the connection ends.
async fn converse(
    dialer: Dialer,
    address: &str,
    mut outgoing: mpsc::UnboundedReceiver<String>,
    events: &mpsc::Sender<Heard>,
) -> Result<Never, Lost> {
    let socket = timeout(HANDSHAKE_MAX, connect(dialer, address)).await;
    let socket = socket.map_err(|_| {
        let seconds = HANDSHAKE_MAX.as_secs();
        Lost::because(format!("it did not answer within {seconds} s"))
    })??;
    let gone = |_| Lost::because("it is not needed any more");
    events.send(Heard::Opened).await.map_err(gone)?;
    let (mut write, mut read) = socket.split();
    let sending = async move {
        while let Some(message) = outgoing.recv().await {
            write.send(Message::text(message)).await.map_err(lost)?;
            sleep(SEND_GAP).await;
        }
        std::future::pending().await
    };
    let reading = async move {
        loop {
            // Pings are answered by the library.
            match read.next().await {
                Some(Ok(Message::Text(text))) => {
                    events.send(Heard::Text(text)).await.map_err(gone)?;
                }
                Some(Ok(Message::Close(frame))) => return Err(closed(frame)),
                // If there is no room, there is something else to be heard.
                Some(Ok(_)) => _ = events.try_send(Heard::Pulse),
                Some(Err(error)) => return Err(lost(error)),
                None => return Err(Lost::because("the connection broke off")),
            }
        }
    };
    tokio::select! {
        ended = sending => ended,
        ended = reading => ended,
    }
}

type Socket = tokio_tungstenite::WebSocketStream<hyper_util::rt::TokioIo<Stream>>;

async fn connect(mut dialer: Dialer, address: &str) -> Result<Socket, Lost> {
    let request = address.into_client_request().map_err(lost)?;
    // Dialling knows the schemes of the web only.
    let to = address.replacen("ws", "http", 1);
    let to: Uri = to
        .parse()
        .map_err(|_| Lost::because(format!("its address {address} cannot be read")))?;
    let stream = std::future::poll_fn(|context| dialer.poll_ready(context)).await;
    let stream = match stream {
        Ok(()) => dialer.call(to).await,
        Err(error) => Err(error),
    };
    let stream = stream.map_err(|error| {
        let cause = cause(error.as_ref());
        Lost::because(format!("it cannot be reached: {cause}"))
    })?;
    let mut config = WebSocketConfig::default();
    config.max_message_size = Some(MESSAGE_BYTES_MAX);
    config.max_frame_size = Some(MESSAGE_BYTES_MAX);
    let stream = hyper_util::rt::TokioIo::new(stream);
    let socket = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
    socket.map(|(socket, _)| socket).map_err(lost)
}

fn lost(error: Error) -> Lost {
    let Error::Http(answer) = &error else {
        return Lost::because(match error {
            Error::ConnectionClosed | Error::AlreadyClosed => "it closed the connection".to_owned(),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                "the connection broke off".to_owned()
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
    Lost {
        why,
        pause: asked_pause(status, answer.headers()),
    }
}

fn closed(frame: Option<CloseFrame>) -> Lost {
    let frame = frame.map(|frame| (u16::from(frame.code), frame.reason.to_string()));
    Lost::because(match frame {
        Some((code, reason)) if !reason.is_empty() => {
            format!("it closed the connection ({code}, {reason})")
        }
        Some((code, _)) => format!("it closed the connection ({code})"),
        None => "it closed the connection".to_owned(),
    })
}
