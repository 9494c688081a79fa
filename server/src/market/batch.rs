//! A piece of the log, with each of its entries encoded exactly once.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use shared::{AlertChanges, Cursor, Epoch, FeedStatus, Firing, ServerMessage, StoreStatus, Tick};

use super::observer::Placed;
use super::set::SymbolSet;

/// How many different frames of one new batch are kept for readers to share.
/// Past that, readers with unusual sets or positions make their own.
const SHARED_FRAMES: usize = 64;

/// A message ready to be sent: its JSON and what it does to a reader.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The kind of message, as its `event` says.
    pub event: &'static str,
    /// The whole message as JSON; shared between readers, free to clone.
    pub json: Bytes,
    /// The position after the message, for those that have one.
    pub cursor: Option<Cursor>,
    /// How many ticks are in it.
    pub ticks: usize,
}

impl Frame {
    /// The answer to a call, which is no message.
    pub(super) fn of_answer(json: Vec<u8>) -> Self {
        Self {
            event: "",
            json: json.into(),
            cursor: None,
            ticks: 0,
        }
    }
}

/// Consecutive entries of the log, published together.
#[derive(Debug)]
pub(super) struct Batch {
    epoch: Epoch,
    before: u64,
    last: u64,
    entries: Entries,
    /// Frames by set and position. A std mutex: held for a short scan or a
    /// copy of encoded ticks, never across an await.
    shared: Mutex<Shared>,
}

/// Frames that readers share while a batch is new.
#[derive(Debug, Default)]
struct Shared {
    /// Bounded by [`SHARED_FRAMES`].
    frames: Vec<SharedFrame>,
    is_cold: bool,
}

/// What readers of this set get who were told this and read on from there.
#[derive(Debug)]
struct SharedFrame {
    set: Arc<SymbolSet>,
    told: u64,
    position: u64,
    frame: Frame,
}

#[derive(Debug)]
enum Entries {
    Ticks {
        /// The instrument of each tick.
        instruments: Vec<usize>,
        /// The ticks' JSON with commas between: the inside of an array.
        json: Bytes,
        /// Where each tick ends in `json`, its comma not included.
        ends: Vec<usize>,
    },
    /// What fired together, and the instrument of each: one entry.
    Firings(Vec<Placed>),
    /// One message for everybody, whatever their set.
    Notice(Notice),
}

/// Something that is not of one symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// The feed's state changed.
    Feed(FeedStatus),
    /// The store's state changed.
    Store(StoreStatus),
    /// People changed alerts.
    AlertsChanged(AlertChanges),
}

impl Notice {
    /// As a message: that it changed, between these two positions.
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

/// What the feed does: a change between two positions, or its present state.
pub(super) fn status_message(
    status: FeedStatus,
    change: Option<(Cursor, Cursor)>,
) -> ServerMessage {
    ServerMessage::Status {
        from: change.map(|(from, _)| from),
        cursor: change.map(|(_, cursor)| cursor),
        status,
    }
}

/// Likewise how the store does.
pub(super) fn store_message(
    status: StoreStatus,
    change: Option<(Cursor, Cursor)>,
) -> ServerMessage {
    ServerMessage::Store {
        from: change.map(|(from, _)| from),
        cursor: change.map(|(_, cursor)| cursor),
        status,
    }
}

impl Batch {
    /// A batch of ticks, numbered on from `before`; `ticks` is not empty.
    pub(super) fn of_ticks(
        epoch: Epoch,
        before: u64,
        ticks: &[(usize, Tick)],
    ) -> Result<Self, serde_json::Error> {
        let mut json = Vec::with_capacity(ticks.len() * 160);
        let mut ends = Vec::with_capacity(ticks.len());
        for (_, tick) in ticks {
            if !json.is_empty() {
                json.push(b',');
            }
            serde_json::to_writer(&mut json, tick)?;
            ends.push(json.len());
        }
        let entries = Entries::Ticks {
            instruments: ticks.iter().map(|(instrument, _)| *instrument).collect(),
            json: json.into(),
            ends,
        };
        Ok(Self::new(epoch, before, ticks.len() as u64, entries))
    }

    /// A batch of the one entry that these fired, each of its instrument; there
    /// is at least one.
    pub(super) fn of_firings(
        epoch: Epoch,
        before: u64,
        firings: Vec<Placed>,
    ) -> Self {
        Self::new(epoch, before, 1, Entries::Firings(firings))
    }

    /// A batch of this one entry.
    pub(super) fn of_notice(epoch: Epoch, before: u64, notice: Notice) -> Self {
        Self::new(epoch, before, 1, Entries::Notice(notice))
    }

    fn new(epoch: Epoch, before: u64, count: u64, entries: Entries) -> Self {
        Self {
            epoch,
            before,
            last: before + count,
            entries,
            shared: Mutex::default(),
        }
    }

    /// The number of the entry just before the first.
    pub(super) fn before(&self) -> u64 {
        self.before
    }

    /// The number of the last entry.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The message that takes a reader of `set` from `told`, the position it
    /// was last told, to the end of the batch, with what comes after
    /// `position`; `None` when nothing there is of its set.
    ///
    /// Readers of the same set who were told the same share the bytes.
    pub(super) fn frame(&self, set: &Arc<SymbolSet>, told: u64, position: u64) -> Option<Frame> {
        let position = position.max(self.before);
        // Frames are only added or all dropped; a panic elsewhere spoils
        // nothing.
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wanted = |frame: &&SharedFrame| {
            Arc::ptr_eq(&frame.set, set) && frame.told == told && frame.position == position
        };
        if let Some(found) = shared.frames.iter().find(is_wanted) {
            return Some(found.frame.clone());
        }
        let frame = self.encode(set, told, position)?;
        if !shared.is_cold && shared.frames.len() < SHARED_FRAMES {
            shared.frames.push(SharedFrame {
                set: Arc::clone(set),
                told,
                position,
                frame: frame.clone(),
            });
        }
        Some(frame)
    }

    /// Drops the shared frames: the batch is so old that most readers have it.
    /// The ticks stay, encoded as they are.
    pub(super) fn cool(&self) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        *shared = Shared {
            frames: Vec::new(),
            is_cold: true,
        };
    }

    fn encode(&self, set: &SymbolSet, told: u64, position: u64) -> Option<Frame> {
        let cursor = self.cursor(self.last);
        match &self.entries {
            Entries::Ticks { .. } => {
                let mut ticks = TicksWriter::default();
                ticks.add(self, set, position, usize::MAX);
                ticks.finish(self.cursor(told), cursor)
            }
            Entries::Firings(firings) => {
                let own = firings.iter().filter(|(place, _)| set.contains(*place));
                let firings: Vec<_> = own.map(|(_, firing)| Firing::clone(firing)).collect();
                if firings.is_empty() {
                    return None;
                }
                frame_of(&ServerMessage::Alerts {
                    from: self.cursor(told),
                    cursor,
                    firings,
                })
            }
            Entries::Notice(notice) => frame_of(&notice.clone().change(self.cursor(told), cursor)),
        }
    }

    fn cursor(&self, seq: u64) -> Cursor {
        Cursor {
            epoch: self.epoch,
            seq,
        }
    }

    /// What it takes of the log's memory, in ticks: alerts take about as much.
    pub(super) fn weight(&self) -> u64 {
        let count = match &self.entries {
            Entries::Ticks { instruments, .. } => instruments.len(),
            Entries::Firings(firings) => firings.len(),
            Entries::Notice(Notice::AlertsChanged(changes)) => 1 + changes.changed.len(),
            Entries::Notice(_) => 1,
        };
        count as u64
    }

    /// Whether this is a batch of ticks, which several can be merged into one
    /// message.
    pub(super) fn is_ticks(&self) -> bool {
        matches!(self.entries, Entries::Ticks { .. })
    }

    /// Whether there may be something in it for readers of a set.
    pub(super) fn concerns(&self, set: &SymbolSet) -> bool {
        match &self.entries {
            Entries::Firings(firings) => firings.iter().any(|(place, _)| set.contains(*place)),
            Entries::Ticks { .. } | Entries::Notice(_) => true,
        }
    }

    /// Whether this is for everybody, whatever their set.
    pub(super) fn is_notice(&self) -> bool {
        matches!(self.entries, Entries::Notice(_))
    }
}

/// Builds one `ticks` message out of ticks that are already encoded.
#[derive(Debug, Default)]
pub(super) struct TicksWriter {
    ticks: usize,
    /// The ticks' JSON with commas between.
    json: Vec<u8>,
}

impl TicksWriter {
    /// How many ticks were added.
    pub(super) fn ticks(&self) -> usize {
        self.ticks
    }

    /// Adds at most `room` ticks of `set` after `position` and returns the
    /// position up to which the batch was used.
    pub(super) fn add(
        &mut self,
        batch: &Batch,
        set: &SymbolSet,
        position: u64,
        room: usize,
    ) -> u64 {
        let Entries::Ticks {
            instruments,
            json,
            ends,
        } = &batch.entries
        else {
            return position;
        };
        let skip = usize::try_from(position.saturating_sub(batch.before)).unwrap_or(usize::MAX);
        if set.is_all() && skip == 0 && room >= ends.len() {
            self.comma();
            self.json.extend_from_slice(json);
            self.ticks += ends.len();
            return batch.last;
        }
        let mut left = room;
        for (index, instrument) in instruments.iter().enumerate().skip(skip) {
            if !set.contains(*instrument) {
                continue;
            }
            if left == 0 {
                return batch.before + index as u64;
            }
            left -= 1;
            let start = if index == 0 { 0 } else { ends[index - 1] + 1 };
            self.comma();
            self.json.extend_from_slice(&json[start..ends[index]]);
            self.ticks += 1;
        }
        batch.last
    }

    fn comma(&mut self) {
        if !self.json.is_empty() {
            self.json.push(b',');
        }
    }

    /// The message between the two positions; `None` when no tick was added.
    pub(super) fn finish(self, from: Cursor, cursor: Cursor) -> Option<Frame> {
        if self.ticks == 0 {
            return None;
        }
        let head = r#"{"event":"ticks","from":""#;
        let mut json = format!(r#"{head}{from}","cursor":"{cursor}","ticks":["#).into_bytes();
        json.reserve_exact(self.json.len() + 2);
        json.extend_from_slice(&self.json);
        json.extend_from_slice(b"]}");
        Some(Frame {
            event: "ticks",
            json: json.into(),
            cursor: Some(cursor),
            ticks: self.ticks,
        })
    }
}

/// A message that is not shared, as a frame.
pub(crate) fn frame_of(message: &ServerMessage) -> Option<Frame> {
    if *message == ServerMessage::Unknown {
        return None;
    }
    // Plain data with string keys always encodes.
    let json = serde_json::to_vec(message).ok()?;
    Some(Frame {
        event: message.event(),
        json: json.into(),
        cursor: message.cursor(),
        ticks: 0,
    })
}
