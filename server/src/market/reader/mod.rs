//! A reader with a cursor over the log: what every transport is made of.

mod merge;
mod snapshot;
mod subscribe;

use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use shared::{Cursor, Pace, ServerMessage, SnapshotReason};
use tokio::time::{Instant, Sleep, sleep_until};

pub(super) use self::merge::Merged;
use self::snapshot::Snapshot;
use self::subscribe::CatchUp;
use super::set::Listener;
use super::{Frame, Market, SymbolSet};
use crate::clock;
use crate::encoding::Encoding;

/// How many batches a stream takes at once. What lies beyond stays in the log
/// until these are sent: that, and not a queue, is what a slow reader holds.
const READ_BATCHES: usize = 64;

/// Someone's place in the log.
///
/// Whatever it does, it sees each tick of its set once and in order, or a
/// snapshot that stands for what it did not see.
#[derive(Debug)]
pub struct Reader {
    market: Arc<Market>,
    encoding: &'static dyn Encoding,
    /// Its set, and how it is woken for that.
    listener: Listener,
    pace: Pace,
    /// Until when a stream is not told of anything.
    due: Option<Pin<Box<Sleep>>>,
    /// Everything up to here was read.
    position: u64,
    /// The position that the last message gave. Behind `position` when what
    /// was read since is not of the set.
    sent: u64,
    /// A snapshot to be given before anything else.
    snapshot: Option<SnapshotReason>,
    catch_up: Option<CatchUp>,
}

/// Everything between a poll's cursor and the log's head.
#[derive(Debug)]
pub struct Answer {
    /// Where the client stood; of a snapshot, its position.
    pub from: Cursor,
    /// Where it stands after this.
    pub cursor: Cursor,
    /// The messages between, in order.
    pub frames: Vec<Frame>,
}

impl Reader {
    /// A reader of `set` that goes on from `cursor`, or begins with a snapshot
    /// that says why it cannot.
    pub fn new(
        market: &Arc<Market>,
        encoding: &'static dyn Encoding,
        set: Arc<SymbolSet>,
        cursor: Option<Cursor>,
    ) -> Self {
        let mut reader = Self::idle(market, encoding);
        reader.take_set(set);
        match reader.place(cursor) {
            Ok(seq) => reader.resume(seq),
            Err(reason) => reader.snapshot = Some(reason),
        }
        reader
    }

    /// A reader of `set` that goes on after what somebody was told before.
    pub(crate) fn resuming(
        market: &Arc<Market>,
        encoding: &'static dyn Encoding,
        set: Arc<SymbolSet>,
        sent: u64,
    ) -> Self {
        let mut reader = Self::idle(market, encoding);
        reader.take_set(set);
        reader.resume(sent);
        reader
    }

    /// Goes on after what was told.
    pub(crate) fn resume(&mut self, sent: u64) {
        (self.position, self.sent) = (sent, sent);
    }

    /// Is not woken until it is asked for news again.
    pub(crate) fn rest(&mut self) {
        self.listener.rest();
    }

    /// Whether it waits for nothing but the next entries of its set, all at once.
    pub(crate) fn is_plain(&self) -> bool {
        !self.has_news() && self.pace == Pace::default()
    }

    /// The position that was told last.
    pub(crate) fn sent_position(&self) -> u64 {
        self.sent
    }

    /// A reader of nothing yet, at the head of the log.
    pub fn idle(market: &Arc<Market>, encoding: &'static dyn Encoding) -> Self {
        let set = market.set_of(Vec::new());
        let position = market.cursor().seq;
        Self {
            market: Arc::clone(market),
            encoding,
            listener: Listener::new(set),
            pace: Pace::default(),
            due: None,
            position,
            sent: position,
            snapshot: None,
            catch_up: None,
        }
    }

    /// The same reader at another pace.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Reads this set from now on.
    fn take_set(&mut self, set: Arc<SymbolSet>) {
        self.listener = Listener::new(set);
    }

    /// Goes on over what is not of its set. Whoever is woken for its own set only
    /// does not fall out of the log while others fill it.
    fn skip(&mut self) {
        self.position = self.market.skipped(self.set(), self.position);
    }

    /// Whether it has read everything up to this position.
    pub fn has_reached(&self, position: u64) -> bool {
        self.position >= position && self.snapshot.is_none() && self.catch_up.is_none()
    }

    /// The next messages, as soon as there are any and its pace allows; never
    /// empty. `None` once the market is closed.
    pub async fn next(&mut self) -> Option<Vec<Frame>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// As [`Self::next`].
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Vec<Frame>>> {
        loop {
            if let Some(due) = &mut self.due {
                ready!(due.as_mut().poll(context));
                self.due = None;
            }
            ready!(self.poll_news(context));
            if self.market.is_closed() {
                return Poll::Ready(None);
            }
            let frames = self.read();
            if !frames.is_empty() {
                self.due = self.next_due().map(|due| Box::pin(sleep_until(due)));
                return Poll::Ready(Some(frames));
            }
        }
    }

    /// When its pace allows the next message: at the end of the present interval,
    /// as for all readers of the same pace, so that they share what is made for
    /// them.
    fn next_due(&self) -> Option<Instant> {
        if self.pace.every_ms == 0 {
            return None;
        }
        let since = self.market.started.elapsed().as_millis();
        let every = u128::from(self.pace.every_ms);
        let end = (since / every + 1).saturating_mul(every);
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        self.market.started.checked_add(Duration::from_millis(end))
    }

    /// Waits until the log has more of its set than was read, or the market is
    /// closed.
    pub async fn wait(&mut self) {
        poll_fn(|context| self.poll_news(context)).await;
    }

    /// Completes when there is something to read, or the market is closed.
    pub(crate) fn poll_news(&mut self, context: &Context<'_>) -> Poll<()> {
        // First of all, so that nothing is missed between.
        self.listener.listen(context);
        if self.has_news() || self.market.is_closed() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Whether there is something to read.
    pub(crate) fn has_news(&self) -> bool {
        self.has_news_after(self.position) || self.snapshot.is_some() || self.catch_up.is_some()
    }

    /// Whether there is something of its set after a position.
    pub(crate) fn has_news_after(&self, position: u64) -> bool {
        self.set().newest() > position
    }

    /// Its set.
    pub(crate) fn set(&self) -> &Arc<SymbolSet> {
        self.listener.set()
    }

    /// The next messages, if there are any, of a bounded part of the log, however
    /// long ago the last ones were. Empty when the reader is up to date, whether
    /// or not it moved.
    pub fn read(&mut self) -> Vec<Frame> {
        loop {
            if let Some(reason) = self.snapshot.take() {
                return self.take_snapshot(reason);
            }
            if let Some(catch_up) = self.catch_up.take() {
                let frames = self.read_past(catch_up);
                if !frames.is_empty() {
                    return frames;
                }
                continue;
            }
            match self.read_on() {
                None => self.snapshot = Some(SnapshotReason::Lagged),
                Some((frames, has_moved)) if frames.is_empty() && has_moved => {}
                Some((frames, _)) => return frames,
            }
        }
    }

    /// The next messages, and whether it moved; `None` when the log cannot go on
    /// from here. A reader that is far behind gets what it missed in few
    /// messages, rather than fall out of the log.
    fn read_on(&mut self) -> Option<(Vec<Frame>, bool)> {
        let set = self.listener.set();
        // What is merged is read there.
        let is_merged = self.pace != Pace::default();
        let count = if is_merged { 0 } else { READ_BATCHES };
        let next = self.market.next_batches(set, &mut self.position, count)?;
        let before = self.position;
        if is_merged || next.is_far_behind {
            let frames = self.read_merged()?;
            return Some((frames, self.position > before));
        }
        let mut frames = Vec::new();
        for batch in next.batches {
            if let Some(frame) = batch.frame(self.encoding, set, self.sent, self.position) {
                self.sent = batch.last();
                frames.push(frame);
            }
            self.position = batch.last();
        }
        Some((frames, self.position > before))
    }

    /// The sign of life, which also moves the client over what its set left
    /// out. `None` while the next read has something to say anyway that comes
    /// before this position: a snapshot, or the past of symbols that joined.
    pub fn heartbeat(&mut self) -> Option<Frame> {
        if self.snapshot.is_some() || self.catch_up.is_some() {
            return None;
        }
        self.skip();
        let from = std::mem::replace(&mut self.sent, self.position);
        self.heartbeat_between(from, self.sent)
    }

    /// Reads until there is nothing more. The caller has just read and sent
    /// what there was, so this is little.
    fn drain(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            let more = self.read();
            if more.is_empty() {
                return frames;
            }
            frames.extend(more);
        }
    }

    /// The position of a cursor in this log, or why it has none.
    fn place(&self, cursor: Option<Cursor>) -> Result<u64, SnapshotReason> {
        let cursor = cursor.ok_or(SnapshotReason::Start)?;
        let published = self.market.published();
        if cursor.epoch != self.market.run.epoch || cursor.seq > published.log.head() {
            Err(SnapshotReason::Restarted)
        } else if cursor.seq < published.log.tail() {
            Err(SnapshotReason::Lagged)
        } else {
            Ok(cursor.seq)
        }
    }

    /// A snapshot of the whole set; reading goes on from there.
    fn take_snapshot(&mut self, reason: SnapshotReason) -> Vec<Frame> {
        self.catch_up = None;
        let snapshot = Snapshot::of(&self.market, Arc::clone(self.set()));
        (self.position, self.sent) = (snapshot.cursor.seq, snapshot.cursor.seq);
        snapshot.frames(&self.market, self.encoding, reason)
    }

    /// A sign of life that moves a client from one position to another, between
    /// which there is nothing of its set.
    pub(crate) fn heartbeat_between(&self, from: u64, to: u64) -> Option<Frame> {
        let message = ServerMessage::Heartbeat {
            from: self.market.cursor_at(from),
            cursor: self.market.cursor_at(to),
            server_time: clock::now(),
        };
        Frame::new(self.encoding, &message)
    }
}
