//! The bytes of a connection, encrypted or not.
//!
//! Messages are written to many connections in turn, by tasks that do not own
//! them. So a [`Wire`] can be written to through a shared reference and never
//! waits, as a `TcpStream` can. Over TLS it is a `TcpStream` beside rustls, which
//! does no input or output itself.

mod certificates;
mod tls;

use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

pub(crate) use self::certificates::Certificates;
use self::tls::Tls;

/// One connection. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Wire(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tcp: TcpStream,
    tls: Option<Tls>,
}

impl Wire {
    /// Passes bytes on as they are.
    pub(crate) fn plain(tcp: TcpStream) -> Self {
        Self(Arc::new(Inner { tcp, tls: None }))
    }

    /// Encrypts; completes when both sides agreed on the keys.
    ///
    /// # Errors
    ///
    /// The connection was lost, or the client speaks something else.
    pub(crate) async fn encrypted(
        tcp: TcpStream,
        config: Arc<rustls::ServerConfig>,
    ) -> io::Result<Self> {
        let tls = Tls::new(config)?;
        tls.shake_hands(&tcp).await?;
        let tls = Some(tls);
        Ok(Self(Arc::new(Inner { tcp, tls })))
    }

    /// Whether nobody on the way can read it.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.tls.is_some()
    }

    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.0.tls {
            Some(tls) => tls.try_read(&self.0.tcp, buffer),
            None => self.0.tcp.try_read(buffer),
        }
    }

    /// Takes as many bytes as it can without waiting.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::WouldBlock`]: none at the moment. Otherwise the connection is
    /// lost.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match &self.0.tls {
            Some(tls) => tls.try_write(&self.0.tcp, &[IoSlice::new(bytes)]),
            None => self.0.tcp.try_write(bytes),
        }
    }

    /// As [`Self::try_write`], of several pieces.
    pub(crate) fn try_write_vectored(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        match &self.0.tls {
            Some(tls) => tls.try_write(&self.0.tcp, pieces),
            None => self.0.tcp.try_write_vectored(pieces),
        }
    }

    /// Passes on what it took; returns whether that is all of it by now.
    ///
    /// # Errors
    ///
    /// The connection is lost.
    pub(crate) fn try_flush(&self) -> io::Result<bool> {
        match &self.0.tls {
            Some(tls) => tls.try_flush(&self.0.tcp),
            // There is no buffer between this and the operating system.
            None => Ok(true),
        }
    }

    /// Waits until it has passed on what it took, and can take more.
    ///
    /// # Errors
    ///
    /// The connection is lost.
    pub(crate) async fn until_free(&self) -> io::Result<()> {
        loop {
            self.0.tcp.writable().await?;
            if self.try_flush()? {
                return Ok(());
            }
        }
    }

    fn poll_flushed(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.try_flush()? {
            ready!(self.0.tcp.poll_write_ready(context))?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_written(
        &self,
        context: &mut Context<'_>,
        write: impl Fn(&Self) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            match write(self) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
            ready!(self.0.tcp.poll_write_ready(context))?;
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            match self.try_read(buffer.initialize_unfilled()) {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            ready!(self.0.tcp.poll_read_ready(context))?;
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_written(context, |wire| wire.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_written(context, |wire| wire.try_write_vectored(pieces))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flushed(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(tls) = &self.0.tls {
            tls.say_goodbye();
        }
        ready!(self.poll_flushed(context))?;
        Poll::Ready(socket2::SockRef::from(&self.0.tcp).shutdown(Shutdown::Write))
    }
}
