//! A reader with a cursor over the log: what every transport is made of.

use std::sync::Arc;

use shared::{Cursor, FeedStatus, ServerMessage, SnapshotReason, StoreStatus};
use tokio::sync::watch;

use super::batch::TicksWriter;
use super::frame::{status_message, store_message};
use super::snapshots::Form;
use super::states::States;
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
    /// Everything up to here was read.
    position: u64,
    /// The position that the last message gave. Behind `position` when what
    /// was read since is not of the set.
    told: u64,
    /// A snapshot to be given before anything else.
    snapshot: Option<SnapshotReason>,
    catch_up: Option<CatchUp>,
}

/// The past of symbols that joined a set with a cursor, up to the position
/// that the rest of the set had then.
#[derive(Debug)]
struct CatchUp {
    set: Arc<SymbolSet>,
    position: u64,
    told: u64,
    end: u64,
}

/// Where symbols stand at a position, and what the feed does then, and the
/// store.
#[derive(Debug)]
struct Snapshot {
    cursor: Cursor,
    set: Arc<SymbolSet>,
    states: States,
    feed: FeedStatus,
    store: Option<StoreStatus>,
}

impl Snapshot {
    fn of(market: &Market, set: Arc<SymbolSet>) -> Self {
        let published = market.published();
        Self {
            cursor: market.cursor_at(published.log.head()),
            set,
            states: published.states.clone(),
            feed: published.feed.clone(),
            store: published.store.clone(),
        }
    }

    fn frames(
        self,
        market: &Market,
        encoding: &dyn Encoding,
        reason: SnapshotReason,
    ) -> Vec<Frame> {
        let (cursor, set) = (self.cursor, &self.set);
        let encode = || {
            let message = ServerMessage::Snapshot {
                reason,
                cursor,
                symbols: market.states(&self.states, set),
            };
            Frame::new(encoding, &message)
        };
        let snapshot =
            market
                .snapshots
                .get(set, Form::message(encoding, reason), cursor.seq, encode);
        let feed = status_message(self.feed, None);
        let store = self.store.map(|status| store_message(status, None));
        let others = [feed].into_iter().chain(store);
        let others = others.filter_map(|message| Frame::new(encoding, &message));
        snapshot.into_iter().chain(others).collect()
    }
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
            position,
            told: position,
            snapshot: None,
            catch_up: None,
        }
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

    /// The next messages, as soon as there are any; never empty.
    pub async fn next(&mut self) -> Vec<Frame> {
        loop {
            let frames = self.read();
            if !frames.is_empty() {
                return frames;
            }
            self.wait().await;
        }
    }

    /// Waits until the log has more of its set than was read.
    pub async fn wait(&mut self) {
        let position = self.position;
        // The sender lives in the set, which this reader keeps alive.
        let _ = self.head.wait_for(|head| *head > position).await;
    }

    /// The next messages, if there are any, of a bounded part of the log. Empty when the reader is up to date, whether or not it moved.
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
            let Some(batches) = self.market.batches_after(self.position, READ_BATCHES) else {
                self.snapshot = Some(SnapshotReason::Lagged);
                continue;
            };
            if batches.is_empty() {
                return Vec::new();
            }
            let mut frames = Vec::new();
            for batch in batches {
                if let Some(frame) = batch.frame(self.encoding, &self.set, self.told, self.position)
                {
                    self.told = batch.last();
                    frames.push(frame);
                }
                self.position = batch.last();
            }
            if !frames.is_empty() {
                return frames;
            }
        }
    }

    /// Everything up to the head, at most `limit` ticks of it, with
    /// neighbouring ticks merged into one message. Called again after an
    /// answer without messages, it begins where that one began.
    pub fn answer(&mut self, limit: usize) -> Answer {
        let told = self.told;
        let frames = match self.snapshot.take() {
            Some(reason) => self.take_snapshot(reason),
            None => match self.read_merged(limit) {
                Some(frames) => frames,
                None => self.take_snapshot(SnapshotReason::Lagged),
            },
        };
        let began_anew = frames.iter().any(|frame| frame.event == "snapshot");
        let from = if began_anew { self.position } else { told };
        // An answer that says nothing is not sent if its poll can wait, so the
        // client still stands where it stood.
        if !frames.is_empty() {
            self.told = self.position;
        }
        Answer {
            from: self.market.cursor_at(from),
            cursor: self.market.cursor_at(self.position),
            frames,
        }
    }

    /// `None` when the log cannot go on from here.
    fn read_merged(&mut self, limit: usize) -> Option<Vec<Frame>> {
        self.skip();
        let mut frames = Vec::new();
        let mut from = self.told;
        let mut room = limit;
        let mut writer = TicksWriter::new(self.encoding);
        // Up to where the log ends now, in pieces: the writer waits for nobody
        // who copies all of a long log at once.
        let head = self.market.cursor().seq;
        let mut batches = self
            .market
            .batches_after(self.position, READ_BATCHES)?
            .into_iter();
        while self.position < head {
            let Some(batch) = batches.next() else {
                batches = self
                    .market
                    .batches_after(self.position, READ_BATCHES)?
                    .into_iter();
                continue;
            };
            if batch.is_ticks() {
                let had = writer.ticks();
                self.position = writer.add(&batch, &self.set, self.position, room);
                room -= writer.ticks() - had;
                if self.position < batch.last() {
                    break;
                }
            } else if batch.concerns(&self.set) {
                let ticks = std::mem::replace(&mut writer, TicksWriter::new(self.encoding));
                let until = self.market.cursor_at(batch.before());
                if let Some(frame) = ticks.finish(self.market.cursor_at(from), until) {
                    frames.push(frame);
                    from = batch.before();
                }
                frames.extend(batch.frame(self.encoding, &self.set, from, self.position));
                self.position = batch.last();
                from = self.position;
            } else {
                self.position = batch.last();
            }
        }
        let until = self.market.cursor_at(self.position);
        frames.extend(writer.finish(self.market.cursor_at(from), until));
        Some(frames)
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

    /// Adds symbols to the set. The answer holds what the old set still had
    /// to get, then `subscribed`, then the start of the new symbols: a
    /// snapshot of them, or, through the next reads, what they missed since
    /// `cursor`.
    pub fn subscribe(
        &mut self,
        req: Option<u64>,
        added: &Arc<SymbolSet>,
        cursor: Option<Cursor>,
    ) -> Vec<Frame> {
        // Placed before the old set is drained, so that the cursor cannot be
        // ahead of where the old set then stands.
        let placed = self.place(cursor);
        let (mut frames, snapshot) = self.drain_to_snapshot(added);
        let count = self.market.run.catalogue.instruments().len();
        let had = self.set.indices(count);
        let wanted = added.indices(count);
        let is_new = |i: &usize| !self.set.contains(*i);
        let new: Vec<_> = wanted.iter().copied().filter(is_new).collect();
        let all = had.iter().chain(&wanted).copied().collect();
        self.take_set(self.market.set_of(all));
        frames.extend(self.subscribed(req));
        match placed {
            Ok(seq) if had.is_empty() => (self.position, self.told) = (seq, seq),
            Ok(seq) => {
                // Where the catching up ends, the whole set goes on.
                self.told = self.position;
                self.catch_up = Some(CatchUp {
                    set: self.market.set_of(new),
                    position: seq,
                    told: seq,
                    end: self.position,
                });
            }
            Err(reason) => {
                self.told = self.position;
                frames.extend(snapshot.frames(&self.market, self.encoding, reason));
            }
        }
        frames
    }

    /// Takes symbols out of the set, at once: what of them is not read yet is
    /// not sent any more.
    pub fn unsubscribe(&mut self, req: Option<u64>, removed: &SymbolSet) -> Vec<Frame> {
        self.take_set(self.without(&self.set, removed));
        if let Some(catch_up) = self.catch_up.take() {
            let set = self.without(&catch_up.set, removed);
            self.catch_up = Some(CatchUp { set, ..catch_up });
        }
        Vec::from_iter(self.subscribed(req))
    }

    fn without(&self, set: &SymbolSet, removed: &SymbolSet) -> Arc<SymbolSet> {
        let had = set
            .indices(self.market.run.catalogue.instruments().len())
            .into_iter();
        self.market
            .set_of(had.filter(|i| !removed.contains(*i)).collect())
    }

    fn subscribed(&self, req: Option<u64>) -> Option<Frame> {
        let message = ServerMessage::Subscribed {
            req,
            symbols: self.market.names(&self.set),
        };
        Frame::new(self.encoding, &message)
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

    /// Reads up to the head, and where `set` stands at exactly that position.
    fn drain_to_snapshot(&mut self, set: &Arc<SymbolSet>) -> (Vec<Frame>, Snapshot) {
        let mut frames = self.drain();
        loop {
            let snapshot = Snapshot::of(&self.market, Arc::clone(set));
            if snapshot.cursor.seq == self.position {
                return (frames, snapshot);
            }
            frames.extend(self.drain());
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

    fn read_past(&mut self, mut catch_up: CatchUp) -> Vec<Frame> {
        let Some(batches) = self.market.batches_after(catch_up.position, READ_BATCHES) else {
            self.snapshot = Some(SnapshotReason::Lagged);
            return Vec::new();
        };
        let mut frames = Vec::new();
        for batch in batches.iter().filter(|batch| batch.last() <= catch_up.end) {
            // Notices were told to the old set already.
            if !batch.is_notice()
                && let Some(frame) = batch.frame(
                    self.encoding,
                    &catch_up.set,
                    catch_up.told,
                    catch_up.position,
                )
            {
                catch_up.told = batch.last();
                frames.push(frame);
            }
            catch_up.position = batch.last();
        }
        if catch_up.position < catch_up.end {
            self.catch_up = Some(catch_up);
        } else if catch_up.told < catch_up.end {
            frames.extend(self.heartbeat_between(catch_up.told, catch_up.end));
        }
        frames
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
