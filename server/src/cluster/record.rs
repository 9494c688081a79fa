//! One message of the stream: entries as readers get them, and beside them what only
//! servers share.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use shared::binary::{BinaryError, Instruments};
use shared::{Alert, Cursor, Epoch, Time};

use crate::alerts::StoredAlert;
use crate::deliveries::FiringName;
use crate::entries::{Entries, Known, PastCandles};
use crate::feed::{Places, Unfit};

/// One message of the stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) head: Head,
    /// Messages for readers of all symbols, in the binary encoding. Together they lead
    /// from the head's first position to its last.
    pub(crate) messages: Vec<Bytes>,
    pub(crate) beside: Beside,
}

/// What is said of a message of the stream without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Its name, which no other message has.
    pub(crate) name: String,
    /// The name of the message before it, if the writer knows it. Another one says that
    /// the stream has lost what it had, and was written on.
    pub(crate) follows: Option<String>,
    pub(crate) epoch: Epoch,
    /// The positions before and after it.
    pub(crate) before: u64,
    pub(crate) last: u64,
    /// Who wrote it, and under which lease.
    pub(crate) node: String,
    pub(crate) term: u64,
    /// When, by the leader's clock.
    pub(crate) sent: Time,
}

/// What servers share, and readers are not told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Beside {
    /// Alerts that are new or changed, by number; `None` for a deleted one.
    pub(crate) alerts: Vec<(u64, Option<KeptAlert>)>,
    /// Of each receiver, what was delivered or given up.
    pub(crate) settled: Vec<(String, Vec<FiringName>)>,
    /// The candles of instruments whose past has become known, in the order of the
    /// messages that say so.
    pub(crate) candles: Vec<PastCandles>,
    /// Whether the run is over for all servers: something of it was shown, and is lost.
    #[serde(default)]
    pub(crate) is_over: bool,
}

/// An alert, and whether it is armed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptAlert {
    pub(crate) alert: Alert,
    pub(crate) armed: bool,
}

impl From<StoredAlert> for KeptAlert {
    fn from(kept: StoredAlert) -> Self {
        Self {
            alert: Alert::clone(&kept.alert),
            armed: kept.armed,
        }
    }
}

impl From<KeptAlert> for StoredAlert {
    fn from(kept: KeptAlert) -> Self {
        Self {
            alert: Arc::new(kept.alert),
            armed: kept.armed,
        }
    }
}

/// The body of a message, as it is sent.
#[derive(Serialize, Deserialize)]
struct Body<'b> {
    #[serde(borrow)]
    messages: Vec<&'b [u8]>,
    #[serde(borrow)]
    beside: &'b [u8],
}

/// A message of the stream that cannot be read, and why not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordError {
    /// A header is missing, or is not what it should be.
    #[error("its header {0} is missing or wrong")]
    Head(&'static str),
    /// Its body ends too early, or is something else.
    #[error("its body cannot be read")]
    Body,
    /// A message for readers cannot be read.
    #[error(transparent)]
    Message(#[from] BinaryError),
    /// A message for readers is no entry of the log.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Its messages do not lead from its first position to its last.
    #[error("its messages do not follow each other")]
    Gap,
}

impl Record {
    /// The body of the message.
    pub(crate) fn body(&self) -> Bytes {
        let beside = match self.beside == Beside::default() {
            true => Vec::new(),
            // All of it can be written.
            false => serde_json::to_vec(&self.beside).unwrap_or_default(),
        };
        let body = Body {
            messages: self.messages.iter().map(|message| &**message).collect(),
            beside: &beside,
        };
        postcard::to_stdvec(&body).unwrap_or_default().into()
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// Its body is something else.
    pub(crate) fn read(head: Head, body: &Bytes) -> Result<Self, RecordError> {
        let read: Body<'_> = postcard::from_bytes(body).map_err(|_| RecordError::Body)?;
        let beside = match read.beside.is_empty() {
            true => Beside::default(),
            false => serde_json::from_slice(read.beside).map_err(|_| RecordError::Body)?,
        };
        let messages = read.messages.into_iter();
        Ok(Self {
            head,
            messages: messages.map(|part| body.slice_ref(part)).collect(),
            beside,
        })
    }

    /// The entries, each group with the position before it.
    ///
    /// # Errors
    ///
    /// Messages cannot be read, or do not follow each other.
    pub(crate) fn entries(
        &self,
        instruments: &mut Instruments,
        places: &Places,
    ) -> Result<Vec<(u64, Entries)>, RecordError> {
        let mut candles = self.beside.candles.iter();
        let mut all = Vec::new();
        let mut at = Cursor {
            epoch: self.head.epoch,
            seq: self.head.before,
        };
        for message in &self.messages {
            let message = instruments.read(message)?;
            let (from, cursor) = message.span().ok_or(RecordError::Gap)?;
            if from != at || cursor.epoch != at.epoch || cursor.seq <= at.seq {
                return Err(RecordError::Gap);
            }
            let mut entries = places.entries(message, (from.seq, cursor.seq))?;
            if let Entries::Known(known) = &mut entries {
                for known in known {
                    *known = Known {
                        candles: Arc::new(candles.next().ok_or(RecordError::Gap)?.clone()),
                        is_whole: true,
                        ..known.clone()
                    };
                }
            }
            all.push((at.seq, entries));
            at = cursor;
        }
        match at.seq == self.head.last {
            true => Ok(all),
            false => Err(RecordError::Gap),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::cluster::saved::Saved;
    use crate::market::alone::live;
    use shared::{Instrument, ServerMessage};

    fn head(before: u64, last: u64) -> Head {
        Head {
            name: "a-3-1".to_owned(),
            follows: None,
            epoch: Epoch::from_number(77),
            before,
            last,
            node: "a".to_owned(),
            term: 3,
            sent: Time::from_micros(5),
        }
    }

    fn status(from: u64) -> Bytes {
        let at = |seq| {
            Some(Cursor {
                epoch: Epoch::from_number(77),
                seq,
            })
        };
        let message = ServerMessage::Status {
            from: at(from),
            cursor: at(from + 1),
            status: live("sim"),
        };
        let mut bytes = vec![shared::binary::KIND_JSON];
        bytes.extend(serde_json::to_vec(&message).unwrap());
        bytes.into()
    }

    #[test]
    fn a_record_survives_the_stream_and_its_messages_follow_each_other() {
        let places = Places::new(&[Instrument::default()]);
        let entries = |before, last, messages: Vec<Bytes>| {
            let record = Record {
                head: head(before, last),
                messages,
                beside: Beside {
                    settled: vec![("hook".to_owned(), vec![(7, 1)])],
                    ..Beside::default()
                },
            };
            let read = Record::read(head(before, last), &record.body()).unwrap();
            assert_eq!(read, record);
            let found = read.entries(&mut Instruments::default(), &places);
            found.map(|all| all.into_iter().map(|(at, _)| at).collect::<Vec<_>>())
        };
        assert_eq!(entries(4, 6, vec![status(4), status(5)]), Ok(vec![4, 5]));
        assert_eq!(entries(4, 4, Vec::new()), Ok(Vec::new()));
        for (before, last, messages) in [
            (4, 6, vec![status(4)]),
            (4, 5, vec![status(5)]),
            (4, 6, vec![status(4), status(4)]),
        ] {
            assert_eq!(entries(before, last, messages), Err(RecordError::Gap));
        }
        let broken = Record::read(head(0, 1), &Bytes::from_static(b"\x05xx"));
        assert_eq!(broken, Err(RecordError::Body));
    }

    proptest! {
        /// Whatever is in the stream is read, or refused.
        #[test]
        fn what_is_damaged_is_refused(
            places in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in any::<prop::sample::Index>(),
            other in vec(any::<u8>(), 0..64),
        ) {
            let record = Record {
                head: head(4, 6),
                messages: vec![status(4), status(5)],
                beside: Beside {
                    settled: vec![("hook".to_owned(), vec![(7, 1)])],
                    ..Beside::default()
                },
            };
            let mut damaged = record.body().to_vec();
            for (place, byte) in places {
                let place = place.index(damaged.len());
                damaged[place] = byte;
            }
            let cut = damaged[..cut.index(damaged.len())].to_vec();
            let known = Places::new(&[Instrument::default()]);
            for bytes in [damaged, cut, other] {
                let read = Record::read(head(4, 6), &bytes.clone().into());
                if let Ok(read) = read {
                    let _ = read.entries(&mut Instruments::default(), &known);
                }
                prop_assert!(Saved::read(&bytes).is_none());
            }
        }
    }
}
