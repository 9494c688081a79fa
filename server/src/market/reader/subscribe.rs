//! Changing a reader's set or pace while it reads.

use std::sync::Arc;

use shared::{Cursor, Pace, ServerMessage};

use super::super::{Frame, SymbolSet};
use super::snapshot::Snapshot;
use super::{READ_BATCHES, Reader};

/// The past of symbols that joined a set with a cursor, up to the position that
/// the rest of the set had at that moment.
#[derive(Debug)]
pub(super) struct CatchUp {
    set: Arc<SymbolSet>,
    position: u64,
    sent: u64,
    end: u64,
}

impl Reader {
    /// Adds symbols to the set. The answer holds the messages that the old set
    /// still had to get, then `subscribed`, then the start of the new symbols:
    /// a snapshot of them. With a valid `cursor`, the next reads give what the
    /// symbols missed since then instead.
    pub fn subscribe(
        &mut self,
        req: Option<u64>,
        added: &Arc<SymbolSet>,
        cursor: Option<Cursor>,
    ) -> Vec<Frame> {
        // The cursor is checked before the old set is drained, so that it
        // cannot be ahead of the old set's position.
        let placed = self.place(cursor);
        let (mut frames, snapshot) = self.drain_to_snapshot(added);
        let count = self.market.run.catalogue.instruments().len();
        let had = self.set().indices(count);
        let wanted = added.indices(count);
        let is_new = |i: &usize| !self.set().contains(*i);
        let new: Vec<_> = wanted.iter().copied().filter(is_new).collect();
        let all = had.iter().chain(&wanted).copied().collect();
        self.take_set(self.market.set_of(all));
        frames.extend(self.subscribed(req));
        match placed {
            Ok(seq) if had.is_empty() => (self.position, self.sent) = (seq, seq),
            Ok(seq) => {
                // The whole set continues from the position where the catch-up
                // ends.
                self.sent = self.position;
                self.catch_up = Some(CatchUp {
                    set: self.market.set_of(new),
                    position: seq,
                    sent: seq,
                    end: self.position,
                });
            }
            Err(reason) => {
                self.sent = self.position;
                frames.extend(snapshot.frames(&self.market, self.encoding, reason));
            }
        }
        frames
    }

    /// Removes symbols from the set at once: their unread entries are not sent
    /// any more.
    pub fn unsubscribe(&mut self, req: Option<u64>, removed: &SymbolSet) -> Vec<Frame> {
        self.take_set(self.without(self.set(), removed));
        if let Some(catch_up) = self.catch_up.take() {
            let set = self.without(&catch_up.set, removed);
            self.catch_up = Some(CatchUp { set, ..catch_up });
        }
        Vec::from_iter(self.subscribed(req))
    }

    /// Reads at another pace from now on.
    pub fn set_pace(&mut self, req: Option<u64>, pace: Pace) -> Vec<Frame> {
        self.pace = pace;
        self.due = None;
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
            symbols: self.market.names(self.set()),
            pace: self.pace,
        };
        Frame::new(self.encoding, &message)
    }

    /// Reads up to the head, and takes a snapshot of `set` at exactly that
    /// position.
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

    pub(super) fn read_past(&mut self, mut catch_up: CatchUp) -> Vec<Frame> {
        let Some(batches) = self.market.batches_after(catch_up.position, READ_BATCHES) else {
            self.snapshot = Some(self.reason_before(catch_up.position));
            return Vec::new();
        };
        let mut frames = Vec::new();
        for batch in batches.iter().filter(|batch| batch.last() <= catch_up.end) {
            // The old set was sent the notices already.
            if !batch.is_notice()
                && let Some(frame) = batch.frame(
                    self.encoding,
                    &catch_up.set,
                    catch_up.sent,
                    catch_up.position,
                )
            {
                catch_up.sent = batch.last();
                frames.push(frame);
            }
            catch_up.position = batch.last();
        }
        if catch_up.position < catch_up.end {
            self.catch_up = Some(catch_up);
        } else if catch_up.sent < catch_up.end {
            frames.extend(self.heartbeat_between(catch_up.sent, catch_up.end));
        }
        frames
    }
}
