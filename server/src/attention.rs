//! How long a connection may keep the server waiting: without a request for
//! long, with one that has begun for a moment only.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How long a client may take for the head of a request, once it has begun.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing, since then.
    Idle(Instant),
    /// It sends the head of a request, since then.
    Head(Instant),
    /// Requests are answered, so many of them.
    Answering(usize),
}

/// What one connection does, and how long it may.
#[derive(Clone, Debug)]
pub(crate) struct Attention {
    keep_alive: Duration,
    phase: Arc<watch::Sender<Phase>>,
}

impl Attention {
    /// A connection that may be idle for this long.
    pub(crate) fn new(keep_alive: Duration) -> Self {
        Self {
            keep_alive,
            phase: Arc::new(watch::Sender::new(Phase::Idle(Instant::now()))),
        }
    }

    /// Completes when the connection has been idle, or has sent a head, for too
    /// long; says which.
    pub(crate) async fn lost(&self) -> &'static str {
        let mut phase = self.phase.subscribe();
        loop {
            let (due, what) = match *phase.borrow_and_update() {
                Phase::Idle(since) => (Some(since + self.keep_alive), "it was idle"),
                Phase::Head(since) => (Some(since + HEAD_TIMEOUT), "its request did not come"),
                Phase::Answering(_) => (None, ""),
            };
            let over = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = over => return what,
                // The sender is this value's own.
                _ = phase.changed() => {}
            }
        }
    }

    /// The connection, watched for the first bytes of a request.
    pub(crate) fn watch(&self, tcp: TcpStream) -> Watched {
        Watched {
            tcp,
            attention: self.clone(),
        }
    }

    /// A request is answered, as long as what is returned lives.
    pub(crate) fn answering(&self) -> Answering {
        self.phase.send_modify(|phase| {
            *phase = match *phase {
                Phase::Answering(count) => Phase::Answering(count + 1),
                Phase::Idle(_) | Phase::Head(_) => Phase::Answering(1),
            };
        });
        Answering(self.clone())
    }

    fn answered(&self) {
        self.phase.send_modify(|phase| {
            *phase = match *phase {
                Phase::Answering(count) if count > 1 => Phase::Answering(count - 1),
                _ => Phase::Idle(Instant::now()),
            };
        });
    }

    fn received(&self) {
        self.phase.send_if_modified(|phase| {
            let begins = matches!(phase, Phase::Idle(_));
            if begins {
                *phase = Phase::Head(Instant::now());
            }
            begins
        });
    }
}

/// That a request is being answered.
#[derive(Debug)]
pub(crate) struct Answering(Attention);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answered();
    }
}

impl Answering {
    /// The body, until the last of which the request is being answered.
    pub(crate) fn until_sent(self, body: Body) -> Body {
        Body::new(Sending {
            body,
            answering: self,
        })
    }
}

/// A body that is being sent.
struct Sending {
    body: Body,
    #[expect(dead_code, reason = "dropped with the body")]
    answering: Answering,
}

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection that is watched for the first bytes of a request.
#[derive(Debug)]
pub(crate) struct Watched {
    tcp: TcpStream,
    attention: Attention,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.tcp).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.attention.received();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }
}
