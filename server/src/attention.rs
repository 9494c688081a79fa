//! Timeouts of connections: a long one between two requests, a short one for the
//! header of a request that has begun, and one for a client that takes nothing.

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

/// How long a connection may do nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Between two requests.
    pub(crate) idle: Duration,
    /// Until the line and the headers of a request have come, once it has
    /// begun.
    pub(crate) head: Duration,
    /// While the client takes nothing of an answer.
    pub(crate) slow: Duration,
}

/// Why a connection is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// There was no request.
    Idle,
    /// The line and the headers of a request did not come.
    Head,
    /// The client took nothing of an answer.
    Slow,
}

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

#[derive(Clone, Copy, Debug)]
struct State {
    phase: Phase,
    /// Since when the client takes nothing, if something waits for it.
    stuck: Option<Instant>,
}

/// The phase of one connection, and its timeouts.
#[derive(Clone, Debug)]
pub(crate) struct Attention {
    patience: Patience,
    state: Arc<watch::Sender<State>>,
}

impl Attention {
    /// A connection that was just made.
    pub(crate) fn new(patience: Patience) -> Self {
        let state = State {
            phase: Phase::Idle(Instant::now()),
            stuck: None,
        };
        Self {
            patience,
            state: Arc::new(watch::Sender::new(state)),
        }
    }

    /// Completes when the connection has done nothing for too long.
    pub(crate) async fn lost(&self) -> Lost {
        let Patience { idle, head, slow } = self.patience;
        let mut states = self.state.subscribe();
        loop {
            let State { phase, stuck } = *states.borrow_and_update();
            let waits = match phase {
                Phase::Idle(since) => Some((since + idle, Lost::Idle)),
                Phase::Head(since) => Some((since + head, Lost::Head)),
                Phase::Answering(_) => None,
            };
            let stuck = stuck.map(|since| (since + slow, Lost::Slow));
            let due = waits.into_iter().chain(stuck).min_by_key(|due| due.0);
            let over = async {
                match due {
                    Some((due, lost)) => {
                        sleep_until(due).await;
                        lost
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                // Cannot fail: the sender belongs to this value.
                _ = states.changed() => {}
                lost = over => return lost,
            }
        }
    }

    /// Wraps the connection, to notice the first bytes of a request, and
    /// whether those of an answer are taken.
    pub(crate) fn watch(&self, wire: Wire) -> Watched {
        Watched {
            wire,
            attention: self.clone(),
        }
    }

    /// Records that a request is being answered, until the returned value is
    /// dropped.
    pub(crate) fn answering(&self) -> Answering {
        self.state.send_modify(|state| {
            state.phase = match state.phase {
                Phase::Answering(count) => Phase::Answering(count + 1),
                Phase::Idle(_) | Phase::Head(_) => Phase::Answering(1),
            };
        });
        Answering(self.clone())
    }

    fn answered(&self) {
        self.state.send_modify(|state| {
            state.phase = match state.phase {
                Phase::Answering(count) if count > 1 => Phase::Answering(count - 1),
                _ => Phase::Idle(Instant::now()),
            };
        });
    }

    /// Records that bytes were sent, perhaps the rest of an answer that was
    /// passed on long ago. The connection is then not idle.
    fn sent(&self) {
        self.state.send_if_modified(|state| {
            let is_idle = matches!(state.phase, Phase::Idle(_));
            if is_idle {
                state.phase = Phase::Idle(Instant::now());
            }
            state.stuck.take().is_some() || is_idle
        });
    }

    /// Records that the client takes nothing more at the moment.
    fn is_stuck(&self) {
        self.state.send_if_modified(|state| {
            let is_new = state.stuck.is_none();
            state.stuck.get_or_insert_with(Instant::now);
            is_new
        });
    }

    fn received(&self) {
        self.state.send_if_modified(|state| {
            let begins = matches!(state.phase, Phase::Idle(_));
            if begins {
                state.phase = Phase::Head(Instant::now());
            }
            begins
        });
    }

    /// Records what came of writing.
    fn wrote(&self, written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Ready(Ok(1..)) => self.sent(),
            Poll::Ready(_) => {}
            Poll::Pending => self.is_stuck(),
        }
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
        self.attention.wrote(&written);
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
        self.attention.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        idle: Duration::from_secs(150),
        head: Duration::from_secs(10),
        slow: Duration::from_secs(30),
    };

    async fn lost_after(attention: &Attention) -> (Lost, u64) {
        let begun = Instant::now();
        let lost = attention.lost().await;
        (lost, begun.elapsed().as_secs())
    }

    /// The paused clock of these tests advances by itself when all tasks wait.
    #[tokio::test(start_paused = true)]
    async fn two_patiences() {
        let attention = Attention::new(PATIENCE);
        assert_eq!(lost_after(&attention).await, (Lost::Idle, 150));
        attention.received();
        assert_eq!(lost_after(&attention).await, (Lost::Head, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_lost_and_who_takes_little_is_not() {
        let attention = Attention::new(PATIENCE);
        attention.received();
        let _answering = attention.answering();
        let pending = Poll::Pending;
        let progress = async {
            for _ in 0..10 {
                attention.wrote(&pending);
                tokio::time::sleep(PATIENCE.slow * 9 / 10).await;
                attention.wrote(&Poll::Ready(Ok(1)));
            }
        };
        tokio::select! {
            () = progress => {}
            lost = attention.lost() => panic!("{lost:?}"),
        }
        attention.wrote(&pending);
        tokio::time::sleep(PATIENCE.slow / 2).await;
        // It is not the first time that counts anew.
        attention.wrote(&pending);
        assert_eq!(lost_after(&attention).await, (Lost::Slow, 15));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_as_long_as_it_takes() {
        let attention = Attention::new(PATIENCE);
        attention.received();
        let answering = attention.answering();
        let hour = Duration::from_secs(3_600);
        let lost = tokio::time::timeout(hour, attention.lost()).await;
        assert!(lost.is_err(), "{lost:?}");
        drop(answering);
        // The rest of an answer is still being sent.
        let sending = async {
            for _ in 0..10 {
                tokio::time::sleep(PATIENCE.idle / 2).await;
                attention.sent();
            }
        };
        let lost = async { attention.lost().await };
        tokio::select! {
            () = sending => {}
            lost = lost => panic!("{lost:?}"),
        }
    }
}
