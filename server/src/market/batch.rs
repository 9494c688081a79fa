//! A batch of the log: entries as plain data, and the encoded forms that
//! readers share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::{Cursor, Epoch, Firing, ServerMessage, Tick, WireFormat};

use super::frame::{Frame, status_message, store_message};
use super::once::{OnceMap, Slot};
use super::set::{Bits, Concerned, SymbolSet};
use super::ticks_writer::TicksWriter;
use crate::catalogue::Catalogue;
use crate::encoding::{EncodedTicks, Encoding};
use crate::entries::{Entries, Notice};

/// How many different frames of one new batch are cached for readers to share.
/// Beyond that, readers with unusual sets or positions encode their own.
const SHARED_FRAMES: usize = 16;
/// An upper bound for the number of encodings.
const ENCODINGS_MAX: usize = 8;

/// What all entries of a run of the server have in common.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) epoch: Epoch,
    pub(super) catalogue: Arc<Catalogue>,
}

impl Run {
    pub(super) fn cursor_at(&self, seq: u64) -> Cursor {
        Cursor {
            epoch: self.epoch,
            seq,
        }
    }
}

/// Consecutive entries of the log, published together.
#[derive(Debug)]
pub(crate) struct Batch {
    run: Arc<Run>,
    before: u64,
    last: u64,
    entries: Entries,
    concerned: Concerned,
    /// A std mutex: held to look up a slot, never while something is encoded.
    shared: Mutex<Shared>,
}

/// What the readers of a batch share.
#[derive(Debug, Default)]
struct Shared {
    /// Encoded frames, kept while the batch is new.
    frames: OnceMap<FrameOf, Option<Frame>>,
    is_cold: bool,
    /// The encoded ticks, by encoding.
    ticks: OnceMap<WireFormat, EncodedTicks>,
}

/// The key of a shared frame: readers of `set` whose last message ended at
/// `sent` and who read on from `position` get the same bytes.
#[derive(Debug)]
struct FrameOf {
    encoding: WireFormat,
    set: Arc<SymbolSet>,
    sent: u64,
    position: u64,
}

impl PartialEq for FrameOf {
    fn eq(&self, other: &Self) -> bool {
        // Readers of the same symbols hold the same set.
        Arc::ptr_eq(&self.set, &other.set)
            && (self.encoding, self.sent, self.position)
                == (other.encoding, other.sent, other.position)
    }
}

impl Notice {
    /// The message for this change, between these two positions.
    fn change(self, from: Cursor, cursor: Cursor) -> ServerMessage {
        match self {
            Self::Feed(status) => status_message(status, Some((from, cursor))),
            Self::Store(status) => store_message(status, Some((from, cursor))),
            Self::AlertsChanged(changes) => ServerMessage::AlertsChanged {
                from,
                cursor,
                changes,
            },
        }
    }
}

/// Which readers entries concern.
fn concerned(entries: &Entries) -> Concerned {
    let (mut places, mut is_for_all) = (Vec::new(), false);
    entries.each(0, |place, _| match place {
        Some(place) => places.push(place),
        None => is_for_all = true,
    });
    match is_for_all {
        true => Concerned::All,
        false => Concerned::Of(Bits::of(places)),
    }
}

impl Batch {
    /// A batch of these entries, numbered on from `before`.
    pub(super) fn new(run: &Arc<Run>, before: u64, entries: Entries) -> Self {
        Self {
            run: Arc::clone(run),
            before,
            last: before + entries.count(),
            concerned: concerned(&entries),
            entries,
            shared: Mutex::default(),
        }
    }

    /// The same batch without what only the market needs, which takes memory.
    pub(super) fn lightened(self) -> Self {
        Self {
            entries: self.entries.lightened(),
            ..self
        }
    }

    /// What is in it.
    pub(crate) fn entries(&self) -> &Entries {
        &self.entries
    }

    /// The number of the entry just before the first.
    pub(crate) fn before(&self) -> u64 {
        self.before
    }

    /// The number of the last entry.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// The message that takes a reader of `set` from `sent`, the position of
    /// its last message, to the end of the batch. It holds the entries after
    /// `position`. `None` when none of them is of the set.
    ///
    /// Readers of the same set with the same `sent` and `position` share the
    /// bytes.
    pub(super) fn frame(
        &self,
        encoding: &dyn Encoding,
        set: &Arc<SymbolSet>,
        sent: u64,
        position: u64,
    ) -> Option<Frame> {
        if !set.concerns(&self.concerned) {
            return None;
        }
        let position = position.max(self.before);
        let encode = || self.encode(encoding, set, sent, position);
        if !set.is_shared() {
            return encode();
        }
        let mut shared = self.shared();
        let slot = if shared.is_cold {
            None
        } else {
            let key = FrameOf {
                encoding: encoding.format(),
                set: Arc::clone(set),
                sent,
                position,
            };
            shared.frames.slot(key, SHARED_FRAMES)
        };
        drop(shared);
        match slot {
            Some(slot) => slot.get_or_init(encode).clone(),
            None => encode(),
        }
    }

    /// Drops the encoded frames and ticks: the batch is so old that most
    /// readers have it. For late readers, its ticks are encoded once more and
    /// kept.
    pub(super) fn cool(&self) {
        let mut shared = self.shared();
        shared.frames.clear();
        shared.ticks.clear();
        shared.is_cold = true;
    }

    fn encode(
        &self,
        encoding: &dyn Encoding,
        set: &SymbolSet,
        sent: u64,
        position: u64,
    ) -> Option<Frame> {
        let (from, cursor) = (self.cursor(sent), self.cursor(self.last));
        match &self.entries {
            Entries::Ticks(_) => {
                let mut ticks = TicksWriter::new(encoding);
                ticks.add(self, set, position, usize::MAX);
                ticks.finish(from, cursor)
            }
            Entries::Firings(firings) => {
                let own = firings.iter().filter(|(place, _)| set.contains(*place));
                let firings: Vec<_> = own.map(|(_, firing)| Firing::clone(firing)).collect();
                if firings.is_empty() {
                    return None;
                }
                let message = ServerMessage::Alerts {
                    from,
                    cursor,
                    firings,
                };
                Frame::new(encoding, &message)
            }
            Entries::Known(known) => {
                let own = known.iter().filter(|known| set.contains(known.instrument));
                let (symbols, bars): (Vec<_>, _) = own
                    .map(|known| (known.state.clone(), known.newest()))
                    .unzip();
                if symbols.is_empty() {
                    return None;
                }
                let message = ServerMessage::States {
                    from,
                    cursor,
                    symbols,
                    bars,
                };
                Frame::new(encoding, &message)
            }
            Entries::Notice(notice) => Frame::new(encoding, &notice.clone().change(from, cursor)),
            // Never kept: a snapshot takes its place.
            Entries::Anew(_) => None,
        }
    }

    /// The ticks, each encoded once.
    pub(super) fn encoded(
        &self,
        encoding: &dyn Encoding,
        ticks: &[(usize, Tick)],
    ) -> Slot<EncodedTicks> {
        let slot = self.shared().ticks.slot(encoding.format(), ENCODINGS_MAX);
        let slot = slot.unwrap_or_default();
        slot.get_or_init(|| EncodedTicks::new(encoding, ticks, self.run.catalogue.instruments()));
        slot
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        // Consistent after every step, so a poisoned lock is safe to use.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cursor(&self, seq: u64) -> Cursor {
        self.run.cursor_at(seq)
    }

    /// How much of the log's memory it takes, measured in ticks.
    pub(super) fn weight(&self) -> u64 {
        self.entries.weight()
    }

    /// The ticks, each with the catalogue index of its instrument; empty in a
    /// batch of anything else.
    pub(super) fn ticks(&self) -> &[(usize, Tick)] {
        match &self.entries {
            Entries::Ticks(ticks) => ticks,
            _ => &[],
        }
    }

    /// Which readers it concerns.
    pub(super) fn concerned(&self) -> &Concerned {
        &self.concerned
    }

    /// Calls `call` for each entry, with the index of its instrument (`None`
    /// for a notice, which is for every reader) and the entry's number.
    pub(super) fn each(&self, call: impl FnMut(Option<usize>, u64)) {
        self.entries.each(self.before, call);
    }

    /// Whether this is a batch of ticks, which several can be merged into one
    /// message.
    pub(super) fn is_ticks(&self) -> bool {
        matches!(self.entries, Entries::Ticks(_))
    }

    /// Whether it may hold something for readers of this set.
    pub(super) fn concerns(&self, set: &SymbolSet) -> bool {
        match &self.entries {
            Entries::Firings(firings) => firings.iter().any(|(place, _)| set.contains(*place)),
            Entries::Known(known) => known.iter().any(|known| set.contains(known.instrument)),
            Entries::Ticks(_) | Entries::Notice(_) | Entries::Anew(_) => true,
        }
    }

    /// Whether it is for every reader, whatever its set.
    pub(super) fn is_notice(&self) -> bool {
        matches!(self.entries, Entries::Notice(_))
    }
}
