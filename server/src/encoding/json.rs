//! The wire as JSON; `shared/src/message.rs` describes it.

use bytes::Bytes;
use shared::{Cursor, Instrument, ServerMessage, Tick, WireFormat};

use super::{Chosen, EncodedTicks, Encoding};

/// About as many bytes as a tick takes.
const TICK_BYTES: usize = 160;

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

    fn ticks_message(&self, from: Cursor, cursor: Cursor, skipped: u64, inside: &[u8]) -> Bytes {
        let head = format!(r#"{{"event":"ticks","from":"{from}","cursor":"{cursor}","ticks":["#);
        let mut json = Vec::with_capacity(head.len() + inside.len() + 2);
        json.extend_from_slice(head.as_bytes());
        json.extend_from_slice(inside);
        json.push(b']');
        if skipped > 0 {
            json.extend_from_slice(format!(r#","skipped":{skipped}"#).as_bytes());
        }
        json.push(b'}');
        json.into()
    }

    fn message(&self, message: &ServerMessage) -> Option<Bytes> {
        if *message == ServerMessage::Unknown {
            return None;
        }
        // Plain data with string keys always encodes.
        Some(serde_json::to_vec(message).ok()?.into())
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
