//! Timeouts of connections: a long one between two requests, and a short one
//! for the header of a request that has begun.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::wire::Wire;

/// How long a client may take to send the header of a request, once it has
/// begun.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The phase of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Idle since this time.
    Idle(Instant),
    /// Receiving the header of a request since this time.
    Head(Instant),
    /// Answering this many requests.
    Answering(usize),
}

/// The phase of one connection, and its timeouts.
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

    /// Completes when the connection has been idle, or has been sending a
    /// header, for too long; returns which.
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
                biased;
                // Cannot fail: the sender belongs to this value.
                _ = phase.changed() => {}
                () = over => return what,
            }
        }
    }

    /// Wraps the connection, to notice the first bytes of a request.
    pub(crate) fn watch(&self, wire: Wire) -> Watched {
        Watched {
            wire,
            attention: self.clone(),
        }
    }

    /// Records that a request is being answered, until the returned value is
    /// dropped.
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

    /// Records that bytes were sent, perhaps the rest of an answer that was
    /// passed on long ago. The connection is then not idle.
    fn sent(&self) {
        self.phase.send_if_modified(|phase| {
            let is_idle = matches!(phase, Phase::Idle(_));
            if is_idle {
                *phase = Phase::Idle(Instant::now());
            }
            is_idle
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

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Answering(Attention);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answered();
    }
}

impl Answering {
    /// Wraps the body: the request counts as being answered until the body is
    /// sent.
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

/// A connection that notices the first bytes of a request.
#[derive(Debug)]
pub(crate) struct Watched {
    wire: Wire,
    attention: Attention,
}

impl Watched {
    /// The connection without the wrapper.
    pub(crate) fn into_inner(self) -> Wire {
        self.wire
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.wire).poll_read(context, buffer);
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
        let written = Pin::new(&mut self.wire).poll_write(context, bytes);
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.attention.sent();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.wire).poll_write_vectored(context, pieces);
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.attention.sent();
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP_ALIVE: Duration = Duration::from_secs(150);

    async fn lost_after(attention: &Attention) -> (&'static str, Duration) {
        let begun = Instant::now();
        let what = attention.lost().await;
        (what, begun.elapsed())
    }

    /// The paused clock of these tests advances by itself when all tasks wait.
    #[tokio::test(start_paused = true)]
    async fn two_patiences() {
        let attention = Attention::new(KEEP_ALIVE);
        let (what, after) = lost_after(&attention).await;
        assert_eq!((what, after.as_secs()), ("it was idle", 150));
        attention.received();
        let (what, after) = lost_after(&attention).await;
        assert_eq!((what, after.as_secs()), ("its request did not come", 10));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_as_long_as_it_takes() {
        let attention = Attention::new(KEEP_ALIVE);
        attention.received();
        let answering = attention.answering();
        let hour = Duration::from_secs(3_600);
        let lost = tokio::time::timeout(hour, attention.lost()).await;
        assert!(lost.is_err(), "{lost:?}");
        drop(answering);
        // The rest of an answer is still being sent.
        let sending = async {
            for _ in 0..10 {
                tokio::time::sleep(KEEP_ALIVE / 2).await;
                attention.sent();
            }
        };
        let lost = async { attention.lost().await };
        tokio::select! {
            () = sending => {}
            what = lost => panic!("{what}"),
        }
    }
}
