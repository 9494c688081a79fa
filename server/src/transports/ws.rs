//! The WebSocket: frames down, commands up.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures_util::SinkExt;
use serde::Deserialize;
use shared::{
    Channel, ClientCommand, Cursor, ErrorCode, Pace, ServerMessage, Symbols, Transport, WireFormat,
};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{self, error::ProtocolError};

use super::{heartbeats, hello};
use crate::app::App;
use crate::clock;
use crate::encoding::{self, Encoding};
use crate::http::fault::{BadQuery, Fault, NoUpgrade, OtherPage};
use crate::http::query::{
    CursorParameter, EncodingParameter, PaceParameters, Query, SymbolsParameter,
};
use crate::market::{Frame, Reader};
use crate::metrics::{ChannelMetrics, Meter};

/// The longest command: a subscription to 10,000 symbols by name.
const COMMAND_BYTES_MAX: usize = 512 * 1024;
/// Allocated for each connection at once, and commands are short.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// Frames are gathered up to here before the system is called.
const WRITE_BUFFER_BYTES: usize = 64 * 1024;
/// The most that is kept for a connection that takes nothing: the largest
/// snapshot fits.
const WRITE_BUFFER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A connection that takes nothing for this long is dead.
const SEND_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest reason of a goodbye (RFC 6455, section 5.5: 125 bytes in all).
const CLOSE_REASON_BYTES_MAX: usize = 123;
/// How long the other side has to say goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// The WebSocket
///
/// Messages come down, commands (`subscribe`, `unsubscribe`, `pace`, `ping`) go up the
/// same connection. With `symbols` it is subscribed at once.
#[utoipa::path(get, path = "/ws", tag = "Transports",
    params(SymbolsParameter, CursorParameter, PaceParameters, EncodingParameter,
        ("Sec-WebSocket-Protocol" = Option<String>, Header,
            description = "The encoding of messages: `tickwire.json.v1`, also for those who name none, or `tickwire.bin.v1`",
            example = "tickwire.json.v1")),
    responses((status = 101, description = "From here on, frames: each a message"), BadQuery,
        NoUpgrade, OtherPage))]
pub(crate) async fn upgrade(
    State(app): State<App>,
    Query(symbols): Query<SymbolsParameter>,
    Query(cursor): Query<CursorParameter>,
    Query(pace): Query<PaceParameters>,
    Query(encoding): Query<EncodingParameter>,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Fault> {
    let upgrade = upgrade.map_err(|error| Fault::BadParameter(error.body_text().to_lowercase()))?;
    // The smaller one for those who take both.
    let names = WireFormat::ALL.map(WireFormat::subprotocol);
    let upgrade = upgrade.protocols(names.into_iter().rev());
    let chosen = upgrade
        .selected_protocol()
        .and_then(|name| name.to_str().ok());
    let mut known = WireFormat::ALL.into_iter();
    let chosen = known.find(|format| Some(format.subprotocol()) == chosen);
    let encoding = match (chosen, encoding.format()?) {
        (Some(one), Some(other)) if one != other => {
            let one = one.subprotocol();
            let message =
                format!("encoding is {other}, and the subprotocol {one}; name one of them");
            return Err(Fault::BadParameter(message));
        }
        (one, other) => encoding::of(one.or(other).unwrap_or_default()),
    };
    let (cursor, pace) = (cursor.cursor()?, pace.pace()?);
    let reader = match symbols.set(&app.market)? {
        Some(set) => Reader::new(&app.market, encoding, set, cursor),
        None if cursor.is_some() => {
            let message = "cursor needs symbols beside it, as in symbols=*";
            return Err(Fault::BadParameter(message.to_owned()));
        }
        None => Reader::idle(&app.market, encoding),
    };
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
        .max_frame_size(COMMAND_BYTES_MAX)
        .max_message_size(COMMAND_BYTES_MAX);
    let connections = app.connections.clone();
    let meter = Meter::new(Arc::clone(&app.metrics));
    let channel = Channel::new(Transport::WebSocket, encoding.format());
    meter.carries(channel);
    Ok(upgrade.on_upgrade(move |socket| {
        let session = Session {
            metrics: app.metrics.of(channel).clone(),
            app,
            socket,
            encoding,
            reader: reader.with_pace(pace),
        };
        connections.track_future(meter.measure(session.run()))
    }))
}

/// One open connection.
struct Session {
    app: App,
    metrics: ChannelMetrics,
    socket: WebSocket,
    encoding: &'static dyn Encoding,
    reader: Reader,
}

/// Why a session is over.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The other side has gone, or takes nothing any more.
    Gone,
    /// The other side said goodbye.
    Closed,
    /// The other side broke the protocol: a code (RFC 6455, section 7.4.1), and
    /// what was wrong.
    Fault(u16, String),
    /// The server shuts down.
    Shutdown,
}

impl End {
    /// What an error in reading says of the one who wrote.
    fn of(error: axum::Error) -> Self {
        let Ok(error) = error.into_inner().downcast::<tungstenite::Error>() else {
            return Self::Gone;
        };
        match *error {
            tungstenite::Error::Utf8(_) => {
                Self::Fault(close_code::INVALID, "a text that is not UTF-8".to_owned())
            }
            tungstenite::Error::Capacity(_) => Self::Fault(
                close_code::SIZE,
                format!("a message of more than {COMMAND_BYTES_MAX} bytes"),
            ),
            // Without a goodbye there is nobody to tell.
            tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Gone,
            tungstenite::Error::Protocol(fault) => {
                Self::Fault(close_code::PROTOCOL, fault.to_string().to_lowercase())
            }
            _ => Self::Gone,
        }
    }
}

impl Session {
    async fn run(mut self) {
        let _open = self.metrics.open();
        match self.talk().await {
            End::Gone => {}
            // The answer is made by the library, and waits to be sent.
            End::Closed => self.drain().await,
            End::Fault(code, fault) => self.close(code, fault).await,
            End::Shutdown => {
                let goodbye = "the server is shutting down".to_owned();
                self.close(close_code::AWAY, goodbye).await;
            }
        }
    }

    async fn talk(&mut self) -> End {
        if let Err(end) = self.send(hello(&self.app.market, self.encoding)).await {
            return end;
        }
        let mut heartbeat = heartbeats();
        let shutdown = self.app.shutdown.clone();
        loop {
            let sent = tokio::select! {
                () = shutdown.cancelled() => return End::Shutdown,
                frames = self.reader.next() => self.send(frames).await,
                _ = heartbeat.tick() => {
                    let frame = self.reader.heartbeat();
                    self.send(frame).await
                }
                received = self.socket.recv() => match received {
                    Some(Ok(Message::Text(text))) => self.obey(&text).await,
                    Some(Ok(Message::Binary(_))) => {
                        let message = "a binary message; commands are JSON text";
                        let fault = error(None, ErrorCode::BadMessage, message);
                        self.send(self.frame(&fault)).await
                    }
                    // The library answers pings.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                    Some(Ok(Message::Close(_))) => Err(End::Closed),
                    Some(Err(error)) => Err(End::of(error)),
                    None => Err(End::Gone),
                },
            };
            if let Err(end) = sent {
                return end;
            }
        }
    }

    /// Hands all frames to the connection and then calls the system once.
    async fn send(&mut self, frames: impl IntoIterator<Item = Frame>) -> Result<(), End> {
        let shutdown = self.app.shutdown.clone();
        let sending = async {
            for frame in frames {
                let (bytes, ticks) = (frame.bytes.len(), frame.ticks);
                // Only the bytes' being UTF-8 is checked; they are not copied.
                let message = match self.encoding.format() {
                    WireFormat::Json => Utf8Bytes::try_from(frame.bytes).map(Message::Text),
                    WireFormat::Binary => Ok(Message::Binary(frame.bytes)),
                };
                let message = message.map_err(|_| End::Gone)?;
                in_time(self.socket.feed(message)).await?;
                self.metrics.sent(bytes, ticks);
            }
            in_time(self.socket.flush()).await
        };
        tokio::select! {
            sent = sending => sent,
            () = shutdown.cancelled() => Err(End::Shutdown),
        }
    }

    async fn obey(&mut self, text: &str) -> Result<(), End> {
        let command = match Command::parse(text) {
            Ok(command) => command,
            Err(fault) => return self.send(self.frame(&fault)).await,
        };
        if let Command::Subscribe { .. } = command {
            // The old set is brought up to here in pieces, so that the command
            // finds little left to do at once.
            let head = self.app.market.cursor().seq;
            while !self.reader.has_reached(head) {
                let frames = self.reader.read();
                self.send(frames).await?;
            }
        }
        let frames = self.execute(command);
        self.send(frames).await
    }

    fn frame(&self, message: &ServerMessage) -> Option<Frame> {
        Frame::new(self.encoding, message)
    }

    fn execute(&mut self, command: Command) -> Vec<Frame> {
        let market = &self.app.market;
        match command {
            Command::Subscribe {
                req,
                symbols,
                cursor,
            } => match market.set(&symbols) {
                Ok(set) => self.reader.subscribe(req, &set, cursor),
                Err(fault) => {
                    let fault = error(req, ErrorCode::UnknownSymbol, fault);
                    Vec::from_iter(self.frame(&fault))
                }
            },
            Command::Unsubscribe { req, symbols } => match market.set(&symbols) {
                Ok(set) => self.reader.unsubscribe(req, &set),
                Err(fault) => {
                    let fault = error(req, ErrorCode::UnknownSymbol, fault);
                    Vec::from_iter(self.frame(&fault))
                }
            },
            Command::Pace { req, pace } => self.reader.set_pace(req, pace),
            Command::Ping { req, client_time } => {
                let pong = ServerMessage::Pong {
                    req,
                    client_time,
                    server_time: clock::now(),
                };
                Vec::from_iter(self.frame(&pong))
            }
        }
    }

    /// Says goodbye, and waits briefly for the answer, since a socket dropped
    /// with unread data in it takes back what was sent.
    async fn close(&mut self, code: u16, mut reason: String) {
        // What a frame of control can carry, beside the code.
        while reason.len() > CLOSE_REASON_BYTES_MAX {
            reason.pop();
        }
        let goodbye = Message::Close(Some(CloseFrame {
            code,
            reason: reason.into(),
        }));
        // Whether they take it or not, this is the end.
        if let Ok(Ok(())) = timeout(CLOSE_TIMEOUT, self.socket.send(goodbye)).await {
            self.drain().await;
        }
        if code != close_code::AWAY {
            // After a fault nothing more is read, but what the other side sent
            // may be there: it is given the time to read why.
            sleep(CLOSE_TIMEOUT).await;
        }
    }

    /// Sends what waits, and takes in what still comes, for a moment.
    async fn drain(&mut self) {
        let draining = async {
            if self.socket.flush().await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        };
        let _ = timeout(CLOSE_TIMEOUT, draining).await;
    }
}

/// One step of sending: ended when the other side takes nothing for too long.
async fn in_time<E>(step: impl Future<Output = Result<(), E>>) -> Result<(), End> {
    match timeout(SEND_TIMEOUT, step).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Gone),
    }
}

/// A command whose fields are checked.
#[derive(Debug)]
enum Command {
    Subscribe {
        req: Option<u64>,
        symbols: Symbols,
        cursor: Option<Cursor>,
    },
    Unsubscribe {
        req: Option<u64>,
        symbols: Symbols,
    },
    Pace {
        req: Option<u64>,
        pace: Pace,
    },
    Ping {
        req: Option<u64>,
        client_time: shared::Micros,
    },
}

impl Command {
    /// Reads a command; the error is the answer to it.
    fn parse(text: &str) -> Result<Self, ServerMessage> {
        /// What can be read of a message that is not a command.
        #[derive(Deserialize)]
        struct Envelope {
            op: Option<String>,
            req: Option<u64>,
        }
        let bad = |req, message: String| error(req, ErrorCode::BadMessage, message);
        let command = serde_json::from_str(text).map_err(|fault| {
            let Ok(Envelope { op, req }) = serde_json::from_str(text) else {
                return bad(None, format!("not a command: {fault}"));
            };
            match op.as_deref() {
                None => bad(
                    req,
                    "no 'op'; there are subscribe, unsubscribe, pace and ping".to_owned(),
                ),
                Some("subscribe" | "unsubscribe" | "pace" | "ping") => bad(req, fault.to_string()),
                Some(op) => {
                    let op: String = op.chars().take(40).collect();
                    let known = "there are subscribe, unsubscribe, pace and ping";
                    error(req, ErrorCode::UnknownOp, format!("no op '{op}'; {known}"))
                }
            }
        })?;
        let symbols_of = |req, names: Vec<String>| match Symbols::from_names(names) {
            Symbols::Named(names) if names.is_empty() => {
                let message = "symbols is empty; allowed are names, or [\"*\"] for all";
                Err(error(req, ErrorCode::BadParameter, message))
            }
            symbols => Ok(symbols),
        };
        match command {
            ClientCommand::Subscribe {
                req,
                symbols,
                cursor,
            } => Ok(Self::Subscribe {
                req,
                symbols: symbols_of(req, symbols)?,
                cursor: cursor.map(|cursor| cursor.parse()).transpose().map_err(
                    |fault: shared::CursorError| error(req, ErrorCode::BadParameter, fault),
                )?,
            }),
            ClientCommand::Unsubscribe { req, symbols } => Ok(Self::Unsubscribe {
                req,
                symbols: symbols_of(req, symbols)?,
            }),
            ClientCommand::Pace {
                req,
                every_ms,
                latest,
            } => {
                let (every_ms, max) = (every_ms.unwrap_or_default(), Pace::EVERY_MS_MAX);
                if every_ms > max {
                    let message = format!(
                        "every_ms '{every_ms}' is not allowed; a whole number from 0 to {max}"
                    );
                    return Err(error(req, ErrorCode::BadParameter, message));
                }
                let latest = latest.unwrap_or_default();
                let pace = Pace { every_ms, latest };
                Ok(Self::Pace { req, pace })
            }
            ClientCommand::Ping { req, client_time } => Ok(Self::Ping { req, client_time }),
        }
    }
}

fn error(req: Option<u64>, code: ErrorCode, message: impl ToString) -> ServerMessage {
    ServerMessage::Error {
        req,
        code,
        message: message.to_string(),
    }
}
