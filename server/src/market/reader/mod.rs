//! A reader with a cursor over the log: what every transport is made of.

mod merge;
mod snapshot;
mod subscribe;

use std::sync::Arc;

use std::time::Duration;

use shared::{Cursor, Pace, ServerMessage, SnapshotReason};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

pub(super) use self::merge::Merged;
use self::snapshot::Snapshot;
use self::subscribe::CatchUp;
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
    /// Moves with the entries of its set.
    head: watch::Receiver<u64>,
    set: Arc<SymbolSet>,
    pace: Pace,
    /// When a stream may be told of ticks again.
    due: Option<Instant>,
    /// Everything up to here was read.
    position: u64,
    /// The position that the last message gave. Behind `position` when what
    /// was read since is not of the set.
    told: u64,
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
            Ok(seq) => (reader.position, reader.told) = (seq, seq),
            Err(reason) => reader.snapshot = Some(reason),
        }
        reader
    }

    /// A reader of nothing yet, at the head of the log.
    pub fn idle(market: &Arc<Market>, encoding: &'static dyn Encoding) -> Self {
        let set = market.set_of(Vec::new());
        let position = market.cursor().seq;
        Self {
            market: Arc::clone(market),
            encoding,
            head: set.head(),
            set,
            pace: Pace::default(),
            due: None,
            position,
            told: position,
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
        self.head = set.head();
        self.set = set;
    }

    /// Goes on over what is not of its set. Whoever is woken for its own set only
    /// does not fall out of the log while others fill it.
    fn skip(&mut self) {
        self.position = self.market.skipped(&self.set, self.position);
    }

    /// Whether it has read everything up to this position.
    pub fn has_reached(&self, position: u64) -> bool {
        self.position >= position && self.snapshot.is_none() && self.catch_up.is_none()
    }

    /// The next messages, as soon as there are any and its pace allows; never
    /// empty.
    pub async fn next(&mut self) -> Vec<Frame> {
        loop {
            if let Some(due) = self.due {
                sleep_until(due).await;
            }
            let frames = self.read();
            if !frames.is_empty() {
                self.due = self.next_due();
                return frames;
            }
            self.wait().await;
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

    /// Waits until the log has more of its set than was read.
    pub async fn wait(&mut self) {
        let position = self.position;
        // The sender lives in the set, which this reader keeps alive.
        let _ = self.head.wait_for(|head| *head > position).await;
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
            self.skip();
            let before = self.position;
            let frames = if self.pace == Pace::default() && !self.is_far_behind() {
                self.read_batches()
            } else {
                self.read_merged()
            };
            match frames {
                None => self.snapshot = Some(SnapshotReason::Lagged),
                Some(frames) if frames.is_empty() && self.position > before => {}
                Some(frames) => return frames,
            }
        }
    }

    /// A message for each of the next batches; `None` when the log cannot go on
    /// from here.
    fn read_batches(&mut self) -> Option<Vec<Frame>> {
        let mut frames = Vec::new();
        for batch in self.market.batches_after(self.position, READ_BATCHES)? {
            if let Some(frame) = batch.frame(self.encoding, &self.set, self.told, self.position) {
                self.told = batch.last();
                frames.push(frame);
            }
            self.position = batch.last();
        }
        Some(frames)
    }

    /// Whether it has read less than half of what the log holds: then it gets
    /// what it missed in few messages, rather than fall out of the log.
    fn is_far_behind(&self) -> bool {
        let published = self.market.published();
        let (head, tail) = (published.log.head(), published.log.tail());
        tail > 0 && head.saturating_sub(self.position) > (head - tail) / 2
    }

    /// The sign of life, which also moves the client over what its set left
    /// out. `None` while the next read has something to say anyway that comes
    /// before this position: a snapshot, or the past of symbols that joined.
    pub fn heartbeat(&mut self) -> Option<Frame> {
        if self.snapshot.is_some() || self.catch_up.is_some() {
            return None;
        }
        self.skip();
        let from = std::mem::replace(&mut self.told, self.position);
        self.heartbeat_between(from, self.told)
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
        let snapshot = Snapshot::of(&self.market, Arc::clone(&self.set));
        (self.position, self.told) = (snapshot.cursor.seq, snapshot.cursor.seq);
        snapshot.frames(&self.market, self.encoding, reason)
    }

    fn heartbeat_between(&self, from: u64, to: u64) -> Option<Frame> {
        let message = ServerMessage::Heartbeat {
            from: self.market.cursor_at(from),
            cursor: self.market.cursor_at(to),
            server_time: clock::now(),
        };
        Frame::new(self.encoding, &message)
    }
}
