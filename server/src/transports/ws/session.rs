//! One open WebSocket connection: sends messages and reads commands.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ws::close_code;
use bytes::Bytes;
use governor::DefaultDirectRateLimiter;
use shared::{ErrorCode, ServerMessage, Symbols};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message, error::ProtocolError};

use super::command::{Command, error};
use super::push::{HandedOver, Returned, SocketState};
use super::socket::{COMMAND_BYTES_MAX, Disconnected, Socket};
use crate::app::App;
use crate::clock;
use crate::encoding::Encoding;
use crate::limits::Permit;
use crate::market::{Frame, Reader, SymbolSet};
use crate::metrics::{ChannelMetrics, Refusal};
use crate::transports::branches::Branches;
use crate::transports::{Heartbeat, hello};

/// The longest reason in a close frame (RFC 6455, section 5.5: 125 bytes in
/// all).
const CLOSE_REASON_BYTES_MAX: usize = 123;
/// How long the client has to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// One open connection.
pub(super) struct Session {
    pub(super) app: App,
    pub(super) metrics: ChannelMetrics,
    pub(super) socket: Socket,
    pub(super) encoding: &'static dyn Encoding,
    pub(super) reader: Reader,
    /// Set while a pusher writes to the socket.
    pub(super) handed: Option<HandedOver>,
    /// Used while the session itself writes to the socket.
    pub(super) heartbeat: Option<Heartbeat>,
    pub(super) branches: Branches<3>,
    /// How many commands it may send.
    pub(super) commands: DefaultDirectRateLimiter,
    #[expect(
        dead_code,
        reason = "counts the stream against the most while it lives"
    )]
    pub(super) permit: Permit,
}

/// What a session waits for.
enum Event {
    /// Messages for the client; `None` once the market is closed.
    News(Option<Vec<Frame>>),
    /// The socket is handed back; `None` if its state is not known because the
    /// market is closed.
    Returned(Option<Returned>),
    /// A message arrived; `None` if no more can arrive.
    Received(Option<Result<Message, tungstenite::Error>>),
    /// A heartbeat is due.
    Silent,
}

/// Why a session ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The client is gone.
    Disconnected,
    /// The client took nothing for too long.
    Slow,
    /// The client closed the connection.
    Closed,
    /// The client violated the protocol: the close code (RFC 6455, section
    /// 7.4.1) and what was wrong.
    Fault(u16, String),
    /// The server shuts down.
    Shutdown,
}

impl From<Disconnected> for End {
    fn from(lost: Disconnected) -> Self {
        match lost {
            Disconnected::Gone => Self::Disconnected,
            Disconnected::Slow => Self::Slow,
        }
    }
}

impl End {
    /// The end of the session after a read error.
    fn of(error: &tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Utf8(_) => {
                Self::Fault(close_code::INVALID, "a text that is not UTF-8".to_owned())
            }
            tungstenite::Error::Capacity(_) => Self::Fault(
                close_code::SIZE,
                format!("a message of more than {COMMAND_BYTES_MAX} bytes"),
            ),
            // Without a close frame, the client is gone.
            tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                Self::Disconnected
            }
            tungstenite::Error::Protocol(fault) => {
                Self::Fault(close_code::PROTOCOL, fault.to_string().to_lowercase())
            }
            _ => Self::Disconnected,
        }
    }
}

impl Session {
    pub(super) async fn run(mut self) {
        let _open = self.metrics.open();
        match self.talk().await {
            End::Disconnected => {}
            End::Slow => self.app.bounds.refused(Refusal::Slow),
            // The library has prepared the answer, which is sent here.
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
        loop {
            if self.handed.is_none() && self.reader.is_plain() {
                self.hand_over();
            }
            let sent = match poll_fn(|context| self.poll_event(context)).await {
                Event::News(Some(frames)) => self.send(frames).await,
                Event::News(None) => Err(End::Shutdown),
                Event::Returned(Some(back)) => self.go_on(back).await,
                Event::Returned(None) => Err(End::Shutdown),
                Event::Received(Some(Ok(message))) => self.take(message).await,
                Event::Received(Some(Err(error))) => match self.take_back().await {
                    Ok(()) => Err(End::of(&error)),
                    Err(end) => Err(end),
                },
                Event::Received(None) => Err(End::Disconnected),
                Event::Silent => {
                    let frame = self.reader.heartbeat();
                    self.send(frame).await
                }
            };
            if let Err(end) = sent {
                return end;
            }
        }
    }

    /// The next event.
    fn poll_event(&mut self, context: &Context<'_>) -> Poll<Event> {
        let Self {
            reader,
            socket,
            handed,
            heartbeat,
            branches,
            ..
        } = self;
        branches.poll(context, |branch, context| match (branch, &mut *handed) {
            (0, Some(handed)) => handed.poll_back(context).map(Event::Returned),
            (0, None) => reader.poll_next(context).map(Event::News),
            (1, _) => socket.poll_receive(context).map(Event::Received),
            (_, Some(_)) => Poll::Pending,
            (_, None) => {
                let heartbeat = heartbeat.get_or_insert_with(Heartbeat::new);
                heartbeat.poll_due(context).map(|()| Event::Silent)
            }
        })
    }

    /// Hands the socket over to a pusher.
    fn hand_over(&mut self) {
        let reader = &mut self.reader;
        reader.rest();
        let wire = self.socket.wire().clone();
        let set = Arc::clone(reader.set());
        let format = self.encoding.format();
        let handed = self.app.push.hand_over(wire, set, format, reader.told());
        self.handed = Some(handed);
        self.heartbeat = None;
        self.branches.call(0);
    }

    /// Takes the socket back from the pusher.
    async fn take_back(&mut self) -> Result<(), End> {
        let Some(handed) = self.handed.take() else {
            return Ok(());
        };
        match handed.take_back().await {
            Some(back) => self.go_on(back).await,
            None => Err(End::Shutdown),
        }
    }

    /// Resumes from the position at which the pusher handed the socket back.
    async fn go_on(&mut self, back: Returned) -> Result<(), End> {
        self.handed = None;
        self.branches.call(0);
        self.branches.call(2);
        self.reader.resume(back.told);
        match back.state {
            SocketState::Writable => Ok(()),
            SocketState::Full if back.rest.is_empty() => self.wait_for(Socket::until_free).await,
            // The remaining bytes are queued in the socket before anything
            // else, so that a close frame comes after them.
            SocketState::Full => self.send_bytes([back.rest]).await,
            SocketState::Closed => Err(End::Disconnected),
        }
    }

    async fn take(&mut self, message: Message) -> Result<(), End> {
        self.take_back().await?;
        match message {
            Message::Text(_) | Message::Binary(_) if self.commands.check().is_err() => {
                self.app.bounds.refused(Refusal::Commands);
                let most = self.app.bounds.limits().commands;
                let fault = format!("more than {most} commands a second");
                Err(End::Fault(close_code::POLICY, fault))
            }
            Message::Text(text) => self.obey(&text).await,
            Message::Binary(_) => {
                let message = "a binary message; commands are JSON text";
                let fault = error(None, ErrorCode::BadMessage, message);
                self.send(self.frame(&fault)).await
            }
            Message::Close(_) => Err(End::Closed),
            Message::Ping(_) => Ok(self.socket.answer().await?),
            Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    /// Passes all frames to the operating system at once. If it does not take
    /// them, waits until it does, or until the server shuts down.
    async fn send(&mut self, frames: impl IntoIterator<Item = Frame>) -> Result<(), End> {
        let mut framed = Vec::new();
        for frame in frames {
            self.metrics.sent(frame.bytes.len(), frame.ticks);
            framed.push(frame.framed);
        }
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.sent();
        }
        self.send_bytes(framed).await
    }

    async fn send_bytes(&mut self, framed: impl IntoIterator<Item = Bytes>) -> Result<(), End> {
        self.wait_for(async |socket: &mut Socket| socket.send(framed).await)
            .await
    }

    /// Runs an action on the socket that may have to wait for the client, until
    /// the server shuts down.
    async fn wait_for(
        &mut self,
        act: impl AsyncFnOnce(&mut Socket) -> Result<(), Disconnected>,
    ) -> Result<(), End> {
        tokio::select! {
            biased;
            done = act(&mut self.socket) => Ok(done?),
            () = self.app.shutdown.cancelled() => Err(End::Shutdown),
        }
    }

    async fn obey(&mut self, text: &str) -> Result<(), End> {
        let command = match Command::parse(text) {
            Ok(command) => command,
            Err(fault) => return self.send(self.frame(&fault)).await,
        };
        if let Command::Subscribe { .. } = command {
            // The old set catches up to this position in pieces, so that the
            // command has little left to do at once.
            let head = self.app.market.cursor().seq;
            while !self.reader.has_reached(head) {
                let frames = self.reader.read();
                self.send(frames).await?;
            }
        }
        let frames = self.execute(command);
        self.send(frames).await
    }

    fn execute(&mut self, command: Command) -> Vec<Frame> {
        match command {
            Command::Subscribe {
                req,
                symbols,
                cursor,
            } => match self.set(req, &symbols) {
                Ok(set) => self.reader.subscribe(req, &set, cursor),
                Err(fault) => Vec::from_iter(self.frame(&fault)),
            },
            Command::Unsubscribe { req, symbols } => match self.set(req, &symbols) {
                Ok(set) => self.reader.unsubscribe(req, &set),
                Err(fault) => Vec::from_iter(self.frame(&fault)),
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

    /// The set of these symbols; or what the client is told instead.
    fn set(
        &self,
        req: Option<u64>,
        symbols: &Symbols,
    ) -> Result<Arc<SymbolSet>, Box<ServerMessage>> {
        let many = |fault| error(req, ErrorCode::BadParameter, fault);
        self.app.bounds.symbols(symbols).map_err(many)?;
        let unknown = |fault| error(req, ErrorCode::UnknownSymbol, fault);
        self.app.market.set(symbols).map_err(unknown)
    }

    fn frame(&self, message: &ServerMessage) -> Option<Frame> {
        Frame::new(self.encoding, message)
    }

    /// Sends a close frame, and waits briefly for the answer: a socket dropped
    /// with unread data discards what was sent.
    async fn close(&mut self, code: u16, mut reason: String) {
        // The space in a control frame, beside the code.
        while reason.len() > CLOSE_REASON_BYTES_MAX {
            reason.pop();
        }
        let goodbye = Message::Close(Some(CloseFrame {
            code: code.into(),
            reason: reason.into(),
        }));
        // The session ends whether or not the client takes it.
        if let Ok(Ok(())) = timeout(CLOSE_TIMEOUT, self.socket.control(goodbye)).await {
            self.drain().await;
        }
        if code != close_code::AWAY {
            // After a protocol error nothing more is read, but the client may
            // still be sending. It gets time to read the reason.
            sleep(CLOSE_TIMEOUT).await;
        }
    }

    /// Sends what is queued, and reads what still arrives, for a short time.
    async fn drain(&mut self) {
        let _ = timeout(CLOSE_TIMEOUT, self.socket.drain()).await;
    }
}
