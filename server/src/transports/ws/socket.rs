//! The connection itself. What goes down it was made a frame once, for all who
//! get it; what comes up is read by tungstenite.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::shared_stream::SharedStream;

/// The longest command: a subscription to 10,000 symbols by name.
pub(super) const COMMAND_BYTES_MAX: usize = 512 * 1024;
/// Allocated for each connection at once, and commands are short.
const READ_BUFFER_BYTES: usize = 512;
/// A connection that takes nothing for this long is dead.
const SEND_TIMEOUT: Duration = Duration::from_secs(15);
/// So many frames go to the system in one call.
const SLICES_MAX: usize = 64;

/// An open WebSocket.
pub(super) struct Socket {
    /// Frames of data are written past it. It has nothing to write while `waiting`
    /// has, and the other way round: else one frame would come into another.
    inner: WebSocketStream<SharedStream>,
    /// What the system did not take yet.
    waiting: VecDeque<Bytes>,
}

/// The other side takes nothing any more.
#[derive(Debug)]
pub(super) struct Disconnected;

impl Socket {
    /// Goes on with a connection after the handshake; `rest` came with it.
    pub(super) async fn new(stream: TcpStream, rest: Bytes) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .max_frame_size(Some(COMMAND_BYTES_MAX))
            .max_message_size(Some(COMMAND_BYTES_MAX))
            // It writes nothing but control frames.
            .write_buffer_size(0);
        let (stream, rest) = (SharedStream(Arc::new(stream)), rest.to_vec());
        let role = Role::Server;
        Self {
            inner: WebSocketStream::from_partially_read(stream, rest, role, Some(config)).await,
            waiting: VecDeque::new(),
        }
    }

    /// The next message; `None` when the connection is closed. Nothing may be
    /// waiting to be sent.
    pub(super) fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Message, Error>>> {
        debug_assert!(self.waiting.is_empty());
        self.inner.poll_next_unpin(context)
    }

    /// Sends the library's answers to what came.
    pub(super) async fn answer(&mut self) -> Result<(), Disconnected> {
        self.inner.flush().await.map_err(|_| Disconnected)
    }

    /// The connection itself, to be written to while nothing waits here.
    pub(super) fn stream(&self) -> &Arc<TcpStream> {
        &self.inner.get_ref().0
    }

    /// Sends frames, all of them in one call if the system takes them. May be
    /// dropped while it waits: [`Self::flush`] goes on.
    pub(super) async fn send(
        &mut self,
        frames: impl IntoIterator<Item = Bytes>,
    ) -> Result<(), Disconnected> {
        self.waiting.extend(frames);
        self.flush().await
    }

    /// Sends what waits.
    pub(super) async fn flush(&mut self) -> Result<(), Disconnected> {
        while !self.write().map_err(|_| Disconnected)? {
            self.until_free().await?;
        }
        Ok(())
    }

    /// Waits until the system takes something.
    pub(super) async fn until_free(&mut self) -> Result<(), Disconnected> {
        let writable = timeout(SEND_TIMEOUT, self.stream().writable());
        writable
            .await
            .map_err(|_| Disconnected)?
            .map_err(|_| Disconnected)
    }

    /// Writes what the system takes; whether that is all.
    fn write(&mut self) -> io::Result<bool> {
        while let Some(first) = self.waiting.front() {
            let stream = self.stream();
            let written = if self.waiting.len() == 1 {
                stream.try_write(first)
            } else {
                let slices = self.waiting.iter().map(|frame| IoSlice::new(frame));
                let slices: Vec<_> = slices.take(SLICES_MAX).collect();
                stream.try_write_vectored(&slices)
            };
            match written {
                Ok(written) => self.took(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
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
        // A burst is no reason to keep its memory.
        if self.waiting.capacity() > SLICES_MAX {
            self.waiting = VecDeque::new();
        }
    }

    /// Sends a control frame, after what waits.
    pub(super) async fn control(&mut self, message: Message) -> Result<(), Disconnected> {
        self.flush().await?;
        self.inner.send(message).await.map_err(|_| Disconnected)
    }

    /// Sends what waits, the library's own answers included, and takes in what
    /// still comes.
    pub(super) async fn drain(&mut self) {
        if self.flush().await.is_ok() && self.answer().await.is_ok() {
            while let Some(Ok(_)) = self.inner.next().await {}
        }
    }
}
