//! Encoded messages, ready to be sent.

use bytes::Bytes;
use shared::{Cursor, FeedStatus, ServerMessage, StoreStatus, WireFormat};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::encoding::Encoding;

/// The longest header of a server's WebSocket frame.
const HEAD_BYTES_MAX: usize = 10;

/// A message ready to be sent: its bytes and what it does to a reader.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The kind of message, the same as its `event`; empty for an answer to a
    /// call, which is not a message.
    pub event: &'static str,
    /// The whole message, encoded; shared between readers, free to clone.
    pub bytes: Bytes,
    /// The same bytes as a WebSocket frame, shared by all WebSocket clients.
    pub framed: Bytes,
    /// The position after the message, for those that have one.
    pub cursor: Option<Cursor>,
    /// How many ticks are in it.
    pub ticks: usize,
}

impl Frame {
    /// A message that is not shared; `None` if it cannot be encoded.
    pub(crate) fn new(encoding: &dyn Encoding, message: &ServerMessage) -> Option<Self> {
        let (event, cursor) = (message.event(), message.cursor());
        Self::of(encoding.format(), event, cursor, |out| {
            encoding.message(message, out)
        })
    }

    /// A message in this encoding, written by `write`; `None` when `write`
    /// fails.
    pub(super) fn of(
        format: WireFormat,
        event: &'static str,
        cursor: Option<Cursor>,
        write: impl FnOnce(&mut Vec<u8>) -> Option<()>,
    ) -> Option<Self> {
        // Reserves room for the longest header, so that nothing is copied.
        let mut out = vec![0; HEAD_BYTES_MAX];
        write(&mut out)?;
        let (head, size) = head_of(format, out.len() - HEAD_BYTES_MAX);
        let begin = HEAD_BYTES_MAX - size;
        out[begin..HEAD_BYTES_MAX].copy_from_slice(&head[..size]);
        let out = Bytes::from(out);
        Some(Self {
            event,
            bytes: out.slice(HEAD_BYTES_MAX..),
            framed: out.slice(begin..),
            cursor,
            ticks: 0,
        })
    }

    /// The answer to a call, which is not a message.
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

/// The header of a WebSocket frame for a payload of `length` bytes, and the
/// size of the header. A server's frames are not masked, so the bytes are the
/// same for all clients (RFC 6455, section 5.2).
fn head_of(format: WireFormat, length: usize) -> ([u8; HEAD_BYTES_MAX], usize) {
    let kind = match format {
        WireFormat::Json => Data::Text,
        WireFormat::Binary => Data::Binary,
    };
    let head = FrameHeader {
        opcode: OpCode::Data(kind),
        ..FrameHeader::default()
    };
    let mut bytes = [0; HEAD_BYTES_MAX];
    let mut rest = &mut bytes[..];
    // The buffer fits the longest header.
    let _ = head.format(length as u64, &mut rest);
    let size = HEAD_BYTES_MAX - rest.len();
    (bytes, size)
}

/// The feed's status: a change between two positions, or the present state.
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

/// The store's status, likewise.
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
