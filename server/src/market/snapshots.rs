//! A cache of what readers at the same position share: snapshots, and merged
//! messages up to the log's head.

use std::sync::{Arc, Mutex, PoisonError};

use shared::{SnapshotReason, WireFormat};

use super::once::{OnceMap, Slot};
use super::reader::Merged;
use super::set::SymbolSet;
use crate::encoding::Encoding;

/// How many different entries are cached for one position. A snapshot of 10,000
/// symbols takes two megabytes, and stays cached while the log does not move, and
/// for up to a second longer.
const CACHED_MAX: usize = 16;

/// What is cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A snapshot, in this encoding, for this reason.
    Message(WireFormat, SnapshotReason),
    /// The answer to a call.
    Answer,
    /// All messages since `sent`, the position that a reader was last sent. The
    /// reader has read up to `position`.
    Merged {
        encoding: WireFormat,
        latest: bool,
        sent: u64,
        position: u64,
    },
}

impl Form {
    pub(super) fn message(encoding: &dyn Encoding, reason: SnapshotReason) -> Self {
        Self::Message(encoding.format(), reason)
    }
}

/// The key of the cache: this set in this form.
#[derive(Debug)]
struct SnapshotOf(Arc<SymbolSet>, Form);

impl PartialEq for SnapshotOf {
    fn eq(&self, other: &Self) -> bool {
        // Readers of the same symbols hold the same set.
        Arc::ptr_eq(&self.0, &other.0) && self.1 == other.1
    }
}

/// Encoded snapshots and merged messages, for readers that need the same ones.
#[derive(Debug, Default)]
pub(super) struct Snapshots(Mutex<CachedSnapshots>);

/// The entries of one position of the log.
#[derive(Debug, Default)]
struct CachedSnapshots {
    position: u64,
    frames: OnceMap<SnapshotOf, Option<Merged>>,
}

impl Snapshots {
    /// The cached messages for a set at a position. The first caller encodes
    /// them; others that need the same ones wait for that, and no one else
    /// does.
    pub(super) fn get(
        &self,
        set: &Arc<SymbolSet>,
        form: Form,
        position: u64,
        encode: impl FnOnce() -> Option<Merged>,
    ) -> Option<Merged> {
        match self.place(set, form, position) {
            Some(encoded) => encoded.get_or_init(encode).clone(),
            None => encode(),
        }
    }

    /// Forgets what is of before this position: nobody asks for it any more.
    pub(super) fn forget_before(&self, position: u64) {
        // Consistent after every step, so a poisoned lock is safe to use.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.position < position {
            kept.frames.clear();
        }
    }

    /// The slot for these messages; `None` if they are not cached.
    fn place(
        &self,
        set: &Arc<SymbolSet>,
        form: Form,
        position: u64,
    ) -> Option<Slot<Option<Merged>>> {
        // Consistent after every step, so a poisoned lock is safe to use.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if position > kept.position {
            kept.position = position;
            kept.frames.clear();
        }
        if position < kept.position {
            return None;
        }
        kept.frames
            .slot(SnapshotOf(Arc::clone(set), form), CACHED_MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use bytes::Bytes;

    use super::super::Frame;
    use super::super::set::{Places, Sets};
    use super::*;

    #[test]
    fn what_is_of_before_is_forgotten() {
        let (sets, snapshots) = (Sets::new(1), Snapshots::default());
        let encode = || {
            Some(Merged {
                frames: vec![Frame::of_answer(vec![0; 2_000_000])],
                position: 5,
            })
        };
        let made = snapshots.get(&sets.all(), Form::Answer, 5, encode);
        let bytes = made.unwrap().frames.remove(0).bytes;
        snapshots.forget_before(5);
        assert!(!bytes.is_unique(), "it may still be asked for");
        snapshots.forget_before(6);
        assert!(bytes.is_unique(), "nobody else holds it");
    }

    #[test]
    fn the_same_is_encoded_once() {
        let (sets, snapshots) = (Sets::new(5), Snapshots::default());
        let encoded = Cell::new(0);
        let get = |set: &Arc<SymbolSet>, position| {
            let frame = snapshots.get(set, Form::Answer, position, || {
                encoded.set(encoded.get() + 1);
                let frame = Frame {
                    event: "snapshot",
                    bytes: Bytes::from(position.to_string()),
                    framed: Bytes::new(),
                    cursor: None,
                    ticks: 0,
                };
                let frames = vec![frame];
                Some(Merged { frames, position })
            });
            (frame.unwrap().frames[0].bytes.clone(), encoded.get())
        };
        let (all, some) = (sets.all(), sets.of(Places::of(vec![1, 3]), 0));
        assert_eq!(get(&all, 7), ("7".into(), 1));
        assert_eq!(get(&all, 7), ("7".into(), 1));
        assert_eq!(get(&some, 7), ("7".into(), 2));
        assert_eq!(get(&sets.of(Places::of(vec![1, 3]), 0), 7), ("7".into(), 2));
        assert_eq!(get(&all, 8), ("8".into(), 3));
        // A reader that is behind the cache's position encodes for itself.
        assert_eq!(get(&all, 7), ("7".into(), 4));
        assert_eq!(get(&all, 8), ("8".into(), 4));
    }
}
