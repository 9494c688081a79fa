//! Messages as they are sent.

use bytes::Bytes;
use shared::{Cursor, FeedStatus, ServerMessage, StoreStatus, WireFormat};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::encoding::Encoding;

/// A message ready to be sent: its bytes and what it does to a reader.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The kind of message, as its `event` says; empty for what is no message.
    pub event: &'static str,
    /// The whole message, encoded; shared between readers, free to clone.
    pub bytes: Bytes,
    /// The same as a frame of a WebSocket, for all who read one.
    pub framed: Bytes,
    /// The position after the message, for those that have one.
    pub cursor: Option<Cursor>,
    /// How many ticks are in it.
    pub ticks: usize,
}

impl Frame {
    /// A message that is not shared; `None` for one that nobody sends.
    pub(crate) fn new(encoding: &dyn Encoding, message: &ServerMessage) -> Option<Self> {
        let bytes = encoding.message(message)?;
        Some(Self::of(
            encoding.format(),
            message.event(),
            bytes,
            message.cursor(),
        ))
    }

    /// A message in this encoding.
    pub(super) fn of(
        format: WireFormat,
        event: &'static str,
        message: Bytes,
        cursor: Option<Cursor>,
    ) -> Self {
        let (framed, head) = as_frame(format, &message);
        Self {
            event,
            bytes: framed.slice(head..),
            framed,
            cursor,
            ticks: 0,
        }
    }

    /// The answer to a call, which is no message.
    pub(super) fn of_answer(json: Vec<u8>) -> Self {
        Self {
            event: "",
            bytes: json.into(),
            framed: Bytes::new(),
            cursor: None,
            ticks: 0,
        }
    }
}

/// A message as a frame of a WebSocket, and how many bytes its head has. A
/// server's frames are not masked, and are the same for all (RFC 6455, section
/// 5.2).
fn as_frame(format: WireFormat, message: &[u8]) -> (Bytes, usize) {
    let kind = match format {
        WireFormat::Json => Data::Text,
        WireFormat::Binary => Data::Binary,
    };
    let head = FrameHeader {
        opcode: OpCode::Data(kind),
        ..FrameHeader::default()
    };
    let length = message.len() as u64;
    let mut framed = Vec::with_capacity(head.len(length) + message.len());
    // Writing into memory does not fail.
    let _ = head.format(length, &mut framed);
    let size = framed.len();
    framed.extend_from_slice(message);
    (framed.into(), size)
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
