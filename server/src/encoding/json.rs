//! The JSON encoding; `shared/src/message.rs` describes it.

use std::io::Write as _;

use bytes::Bytes;
use shared::{Cursor, Instrument, ServerMessage, Tick, Time, WireFormat};

use super::{Chosen, EncodedTicks, Encoding};

/// Upper bound of what surrounds the ticks of a message, in bytes.
const HEAD_BYTES: usize = 160;

#[derive(Debug)]
pub(super) struct Json;

impl Encoding for Json {
    fn format(&self) -> WireFormat {
        WireFormat::Json
    }

    /// Followed by a comma, so that ticks can be concatenated.
    fn tick(&self, tick: &Tick, _: (usize, &Instrument), _: Time, out: &mut Vec<u8>) {
        let begun = out.len();
        if let Err(error) = serde_json::to_writer(&mut *out, tick) {
            // Plain data with string keys always encodes. If it ever fails, the
            // message stays valid JSON.
            tracing::error!(%error, seq = tick.seq(), "could not encode a tick");
            out.truncate(begun);
            out.extend_from_slice(b"null");
        }
        out.push(b',');
    }

    fn add(&self, inside: &mut Vec<u8>, ticks: &EncodedTicks, chosen: Chosen<'_>) {
        match chosen {
            Chosen::All => inside.extend_from_slice(&ticks.bytes),
            Chosen::Some(places) => {
                for &place in places {
                    inside.extend_from_slice(ticks.at(place));
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
        // Without the comma after the last tick.
        out.extend_from_slice(inside.strip_suffix(b",").unwrap_or(inside));
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

    /// `{"from","cursor","events":[…]}` from messages that are JSON already.
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
