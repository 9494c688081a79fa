//! Messages as they are sent.

use bytes::Bytes;
use shared::{Cursor, FeedStatus, ServerMessage, StoreStatus};

use crate::encoding::Encoding;

/// A message ready to be sent: its bytes and what it does to a reader.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The kind of message, as its `event` says; empty for what is no message.
    pub event: &'static str,
    /// The whole message, encoded; shared between readers, free to clone.
    pub bytes: Bytes,
    /// The position after the message, for those that have one.
    pub cursor: Option<Cursor>,
    /// How many ticks are in it.
    pub ticks: usize,
}

impl Frame {
    /// A message that is not shared; `None` for one that nobody sends.
    pub(crate) fn new(encoding: &dyn Encoding, message: &ServerMessage) -> Option<Self> {
        Some(Self {
            event: message.event(),
            bytes: encoding.message(message)?,
            cursor: message.cursor(),
            ticks: 0,
        })
    }

    /// The answer to a call, which is no message.
    pub(super) fn of_answer(json: Vec<u8>) -> Self {
        Self {
            event: "",
            bytes: json.into(),
            cursor: None,
            ticks: 0,
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
