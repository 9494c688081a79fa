//! A reader with a cursor over the log: every transport is built on it.

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
use super::frame::status_message;
use super::set::Listener;
use super::{Frame, Market, SymbolSet};
use crate::clock;
use crate::encoding::Encoding;

/// How many batches a stream reads at once. Later ones stay in the log until
/// these are sent: a slow reader falls behind in the log, and has no queue.
const READ_BATCHES: usize = 64;

/// A client's position in the log.
///
/// Whatever a reader does, it sees each tick of its set once and in order, or a
/// snapshot that covers what it did not see.
#[derive(Debug)]
pub struct Reader {
    market: Arc<Market>,
    encoding: &'static dyn Encoding,
    /// Its set, and its registration to be woken for it.
    listener: Listener,
    pace: Pace,
    /// A stream sends nothing before this time.
    due: Option<Pin<Box<Sleep>>>,
    /// Everything up to this position was read.
    position: u64,
    /// The position that the last message gave. It is behind `position` when
    /// the entries read since then are not of the set.
    sent: u64,
    /// Set when a snapshot must be sent before anything else, with the reason.
    snapshot: Option<SnapshotReason>,
    catch_up: Option<CatchUp>,
    /// How often the standing had changed when it was told last; see
    /// [`Market::stand`].
    standings: u64,
}

/// What a client was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The last position that it was sent.
    pub(crate) sent: u64,
    /// How often the standing had changed when it was told; see [`Market::stand`].
    pub(crate) standings: u64,
}

/// All messages between a poll's cursor and the log's head.
#[derive(Debug)]
pub struct Answer {
    /// The client's position before this answer; for a snapshot, the snapshot's
    /// position.
    pub from: Cursor,
    /// The client's position after this answer.
    pub cursor: Cursor,
    /// The messages between, in order.
    pub frames: Vec<Frame>,
}

impl Reader {
    /// A reader of `set` that resumes from `cursor`, or begins with a snapshot
    /// that gives the reason why it cannot.
    pub fn new(
        market: &Arc<Market>,
        encoding: &'static dyn Encoding,
        set: Arc<SymbolSet>,
        cursor: Option<Cursor>,
    ) -> Self {
        let mut reader = Self::idle(market, encoding);
        reader.take_set(set);
        match reader.place(cursor) {
            Ok(seq) => (reader.position, reader.sent) = (seq, seq),
            Err(reason) => reader.snapshot = Some(reason),
        }
        reader
    }

    /// A reader of `set` that goes on after what its client was told.
    pub(crate) fn resuming(
        market: &Arc<Market>,
        encoding: &'static dyn Encoding,
        set: Arc<SymbolSet>,
        told: Told,
    ) -> Self {
        let mut reader = Self::idle(market, encoding);
        reader.take_set(set);
        reader.resume(told);
        reader
    }

    /// Goes on after what its client was told.
    pub(crate) fn resume(&mut self, told: Told) {
        (self.position, self.sent) = (told.sent, told.sent);
        self.standings = told.standings;
    }

    /// Stops being woken until it is polled again.
    pub(crate) fn rest(&mut self) {
        self.listener.rest();
    }

    /// Whether it only waits for the next entries of its set, without a pace.
    pub(crate) fn is_plain(&self) -> bool {
        !self.has_news() && self.pace == Pace::default()
    }

    /// A reader with an empty set, at the head of the log.
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
            standings: 0,
        }
    }

    /// What its client was told.
    pub(crate) fn told(&self) -> Told {
        Told {
            sent: self.sent,
            standings: self.standings,
        }
    }

    /// The same reader, whose client knows how prices stand.
    #[must_use]
    pub(crate) fn informed(self) -> Self {
        Self {
            standings: self.market.standings(),
            ..self
        }
    }

    /// Whether prices stand otherwise than its client was told.
    pub(crate) fn stands_anew(&self) -> bool {
        self.market.standings() > self.standings
    }

    /// How prices stand at this server, if that has ever been anything else than what
    /// the log says.
    pub(crate) fn standing(&self) -> Option<Frame> {
        if self.market.standings() == 0 {
            return None;
        }
        let published = self.market.published();
        let status = published.standing.as_ref().unwrap_or(&published.feed);
        Frame::new(self.encoding, &status_message(status.clone(), None))
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

    /// Skips entries that are not of its set. A reader that is woken only for
    /// its own set does not fall out of the log while other sets fill it.
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

    /// When its pace allows the next message: at the end of the current
    /// interval. Intervals are the same for all readers of the same pace, so
    /// that they share the encoded messages.
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

    /// Waits until the log has unread entries of its set, or the market is
    /// closed.
    pub async fn wait(&mut self) {
        poll_fn(|context| self.poll_news(context)).await;
    }

    /// Completes when there is something to read, or the market is closed.
    pub(crate) fn poll_news(&mut self, context: &Context<'_>) -> Poll<()> {
        // Registers first, so that no entry is missed in between.
        self.listener.listen(context);
        if self.has_news() || self.market.is_closed() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Whether there is something to read.
    pub(crate) fn has_news(&self) -> bool {
        self.has_news_after(self.position)
            || self.snapshot.is_some()
            || self.catch_up.is_some()
            || self.stands_anew()
    }

    /// Whether the log has entries of its set after this position.
    pub(crate) fn has_news_after(&self, position: u64) -> bool {
        self.set().newest() > position
    }

    /// Its set.
    pub(crate) fn set(&self) -> &Arc<SymbolSet> {
        self.listener.set()
    }

    /// The next messages of a bounded part of the log, if there are any,
    /// without waiting for the interval of its pace. Empty when the reader is
    /// up to date, whether or not it moved.
    pub fn read(&mut self) -> Vec<Frame> {
        loop {
            if let Some(reason) = self.snapshot.take() {
                return self.take_snapshot(reason);
            }
            if self.stands_anew() {
                self.standings = self.market.standings();
                return Vec::from_iter(self.standing());
            }
            if let Some(catch_up) = self.catch_up.take() {
                let frames = self.read_past(catch_up);
                if !frames.is_empty() {
                    return frames;
                }
                continue;
            }
            match self.read_on() {
                None => self.snapshot = Some(self.reason_before(self.position)),
                Some((frames, has_moved)) if frames.is_empty() && has_moved => {}
                Some((frames, _)) => return frames,
            }
        }
    }

    /// The next messages, and whether the position moved; `None` when the log
    /// cannot resume from here. A reader that is far behind gets what it missed
    /// in a few merged messages, so that it does not fall out of the log.
    fn read_on(&mut self) -> Option<(Vec<Frame>, bool)> {
        let set = self.listener.set();
        // `read_merged` reads its batches itself.
        let is_merged = self.pace != Pace::default();
        let count = if is_merged { 0 } else { READ_BATCHES };
        let next = self.market.next_batches(set, &mut self.position, count)?;
        let before = self.position;
        self.market.work.lag(next.lag);
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

    /// A heartbeat, which also moves the client past entries that are not of
    /// its set. `None` while the next read has messages for an earlier
    /// position: a snapshot, or the past of symbols that joined.
    pub fn heartbeat(&mut self) -> Option<Frame> {
        if self.snapshot.is_some() || self.catch_up.is_some() {
            return None;
        }
        self.skip();
        let from = std::mem::replace(&mut self.sent, self.position);
        self.heartbeat_between(from, self.sent)
    }

    /// Reads until nothing is left. The caller has just read and sent
    /// everything, so this is little.
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

    /// The position of a cursor in this log, or the reason why it has none.
    fn place(&self, cursor: Option<Cursor>) -> Result<u64, SnapshotReason> {
        let cursor = cursor.ok_or(SnapshotReason::Start)?;
        let published = self.market.published();
        if cursor.epoch != self.market.run.epoch || cursor.seq > published.log.head() {
            Err(SnapshotReason::Restarted)
        } else if cursor.seq < published.log.tail() {
            Err(published.log.reason_before(cursor.seq))
        } else {
            Ok(cursor.seq)
        }
    }

    /// Why the log cannot resume from this position.
    fn reason_before(&self, position: u64) -> SnapshotReason {
        self.market.published().log.reason_before(position)
    }

    /// A snapshot of the whole set; reading goes on from there.
    fn take_snapshot(&mut self, reason: SnapshotReason) -> Vec<Frame> {
        self.catch_up = None;
        self.market.work.snapshot(reason);
        self.standings = self.market.standings();
        let snapshot = Snapshot::of(&self.market, Arc::clone(self.set()));
        (self.position, self.sent) = (snapshot.cursor.seq, snapshot.cursor.seq);
        snapshot.frames(&self.market, self.encoding, reason)
    }

    /// A heartbeat that moves a client between two positions with nothing of
    /// its set in between.
    pub(crate) fn heartbeat_between(&self, from: u64, to: u64) -> Option<Frame> {
        let message = ServerMessage::Heartbeat {
            from: self.market.cursor_at(from),
            cursor: self.market.cursor_at(to),
            server_time: clock::now(),
        };
        Frame::new(self.encoding, &message)
    }
}
