//! The wire as JSON; `shared/src/message.rs` describes it.

use std::io::Write as _;

use bytes::Bytes;
use shared::{Cursor, Instrument, ServerMessage, Tick, WireFormat};

use super::{Chosen, EncodedTicks, Encoding};

/// About as many bytes as a tick takes.
const TICK_BYTES: usize = 160;
/// What is around the ticks of a message, at most.
const HEAD_BYTES: usize = 160;

#[derive(Debug)]
pub(super) struct Json;

impl Encoding for Json {
    fn format(&self) -> WireFormat {
        WireFormat::Json
    }

    /// As the inside of an array.
    fn ticks(&self, ticks: &[(usize, Tick)], _: &[Instrument]) -> EncodedTicks {
        let mut bytes = Vec::with_capacity(ticks.len() * TICK_BYTES);
        let mut ends = Vec::with_capacity(ticks.len());
        for (_, tick) in ticks {
            separate(&mut bytes);
            let begun = bytes.len();
            if let Err(error) = serde_json::to_writer(&mut bytes, tick) {
                // Plain data with string keys always encodes; if ever not, what
                // is sent stays JSON.
                tracing::error!(%error, seq = tick.seq(), "could not encode a tick");
                bytes.truncate(begun);
                bytes.extend_from_slice(b"null");
            }
            ends.push(bytes.len());
        }
        EncodedTicks {
            before: ticks.first().map_or(0, |(_, tick)| tick.seq() - 1),
            base: 0,
            bytes: bytes.into(),
            ends,
        }
    }

    fn add(&self, inside: &mut Vec<u8>, ticks: &EncodedTicks, chosen: Chosen<'_>) {
        match chosen {
            Chosen::All => {
                separate(inside);
                inside.extend_from_slice(&ticks.bytes);
            }
            Chosen::Some(places) => {
                for &place in places {
                    // After the comma behind the one before.
                    let start = place
                        .checked_sub(1)
                        .map_or(0, |before| ticks.ends[before] + 1);
                    separate(inside);
                    inside.extend_from_slice(&ticks.bytes[start..ticks.ends[place]]);
                }
            }
        }
    }

    fn ticks_message(
        &self,
        (from, cursor): (Cursor, Cursor),
        skipped: u64,
        inside: &[u8],
        out: &mut Vec<u8>,
    ) {
        out.reserve_exact(HEAD_BYTES + inside.len());
        // Writing into memory does not fail.
        let head = r#"{"event":"ticks""#;
        let _ = write!(
            out,
            r#"{head},"from":"{from}","cursor":"{cursor}","ticks":["#
        );
        out.extend_from_slice(inside);
        out.push(b']');
        if skipped > 0 {
            let _ = write!(out, r#","skipped":{skipped}"#);
        }
        out.push(b'}');
    }

    fn message(&self, message: &ServerMessage, out: &mut Vec<u8>) -> Option<()> {
        if *message == ServerMessage::Unknown {
            return None;
        }
        // Plain data with string keys always encodes.
        serde_json::to_writer(out, message).ok()
    }

    /// `{"from","cursor","events":[…]}` out of messages that are JSON already.
    fn answer(&self, from: Cursor, cursor: Cursor, messages: &[Bytes]) -> Bytes {
        let size: usize = messages.iter().map(|message| message.len() + 1).sum();
        let mut json = format!(r#"{{"from":"{from}","cursor":"{cursor}","events":["#).into_bytes();
        json.reserve_exact(size + 2);
        for (message, index) in messages.iter().zip(0..) {
            if index > 0 {
                json.push(b',');
            }
            json.extend_from_slice(message);
        }
        json.extend_from_slice(b"]}");
        json.into()
    }
}

fn separate(items: &mut Vec<u8>) {
    if !items.is_empty() {
        items.push(b',');
    }
}
