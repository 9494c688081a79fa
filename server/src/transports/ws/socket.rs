//! The WebSocket itself. Outgoing frames are encoded once for all clients that
//! get them; incoming frames are read by tungstenite.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::wire::Wire;

/// The longest command: a subscription to 10,000 symbols by name.
pub(super) const COMMAND_BYTES_MAX: usize = 512 * 1024;
/// Small, since it is allocated for each connection and commands are short.
const READ_BUFFER_BYTES: usize = 512;
/// The most frames written in one system call.
const SLICES_MAX: usize = 64;

/// An open WebSocket.
pub(super) struct Socket {
    /// Data frames are written directly to the wire. The library has nothing
    /// to write while `waiting` is not empty, and the other way round;
    /// otherwise one frame could end up inside another.
    inner: WebSocketStream<Wire>,
    /// Bytes that the operating system has not taken yet.
    waiting: VecDeque<Bytes>,
    /// A connection that takes no bytes for this long is given up.
    patience: Duration,
}

/// The client does not take bytes any more.
#[derive(Debug)]
pub(super) enum Disconnected {
    /// The connection is lost.
    Gone,
    /// It took nothing for too long.
    Slow,
}

impl Socket {
    /// Continues a connection after the handshake; `rest` holds the bytes that
    /// arrived with it. A client that takes nothing for as long as `patience` is
    /// given up.
    pub(super) async fn new(wire: Wire, rest: Bytes, patience: Duration) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .max_frame_size(Some(COMMAND_BYTES_MAX))
            .max_message_size(Some(COMMAND_BYTES_MAX))
            // The library writes only control frames.
            .write_buffer_size(0);
        let (rest, role) = (rest.to_vec(), Role::Server);
        Self {
            inner: WebSocketStream::from_partially_read(wire, rest, role, Some(config)).await,
            waiting: VecDeque::new(),
            patience,
        }
    }

    /// The next message; `None` when the connection is closed. The queue must
    /// be empty.
    pub(super) fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Message, Error>>> {
        debug_assert!(self.waiting.is_empty());
        self.inner.poll_next_unpin(context)
    }

    /// Sends the library's own answers to what arrived.
    pub(super) async fn answer(&mut self) -> Result<(), Disconnected> {
        self.inner.flush().await.map_err(|_| Disconnected::Gone)
    }

    /// The connection itself, which may be written to while the queue is empty.
    pub(super) fn wire(&self) -> &Wire {
        self.inner.get_ref()
    }

    /// Sends frames, in one call if the operating system takes them all. May be
    /// dropped while it waits: [`Self::flush`] continues.
    pub(super) async fn send(
        &mut self,
        frames: impl IntoIterator<Item = Bytes>,
    ) -> Result<(), Disconnected> {
        self.waiting.extend(frames);
        self.flush().await
    }

    /// Sends what is queued.
    pub(super) async fn flush(&mut self) -> Result<(), Disconnected> {
        while !self.write().map_err(|_| Disconnected::Gone)? {
            self.until_free().await?;
        }
        Ok(())
    }

    /// Waits until the operating system takes bytes.
    pub(super) async fn until_free(&mut self) -> Result<(), Disconnected> {
        let free = timeout(self.patience, self.wire().until_free());
        free.await
            .map_err(|_| Disconnected::Slow)?
            .map_err(|_| Disconnected::Gone)
    }

    /// Writes as many bytes as the operating system takes; returns whether that
    /// is all of them.
    fn write(&mut self) -> io::Result<bool> {
        while let Some(first) = self.waiting.front() {
            let wire = self.wire();
            let written = if self.waiting.len() == 1 {
                wire.try_write(first)
            } else {
                let slices = self.waiting.iter().map(|frame| IoSlice::new(frame));
                let slices: Vec<_> = slices.take(SLICES_MAX).collect();
                wire.try_write_vectored(&slices)
            };
            match written {
                Ok(written) => self.took(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        self.wire().try_flush()
    }

    fn took(&mut self, mut written: usize) {
        while let Some(first) = self.waiting.front_mut() {
            if written < first.len() {
                first.advance(written);
                return;
            }
            written -= first.len();
            self.waiting.pop_front();
        }
        // Frees the memory after a burst.
        if self.waiting.capacity() > SLICES_MAX {
            self.waiting = VecDeque::new();
        }
    }

    /// Sends a control frame, after what is queued.
    pub(super) async fn control(&mut self, message: Message) -> Result<(), Disconnected> {
        self.flush().await?;
        self.inner
            .send(message)
            .await
            .map_err(|_| Disconnected::Gone)
    }

    /// Sends what is queued, including the library's own answers, and reads
    /// until the connection is closed.
    pub(super) async fn drain(&mut self) {
        if self.flush().await.is_ok() && self.answer().await.is_ok() {
            while let Some(Ok(_)) = self.inner.next().await {}
        }
    }
}
