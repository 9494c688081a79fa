//! The wire as JSON; `shared/src/message.rs` describes it.

use bytes::Bytes;
use shared::{Cursor, ServerMessage, Tick};

use super::{Chosen, EncodedTicks, Encoding};

/// About as many bytes as a tick takes.
const TICK_BYTES: usize = 160;

#[derive(Debug)]
pub(super) struct Json;

impl Encoding for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn subprotocol(&self) -> &'static str {
        "tickwire.json.v1"
    }

    /// As the inside of an array.
    fn ticks(&self, ticks: &[(usize, Tick)]) -> EncodedTicks {
        let mut bytes = Vec::with_capacity(ticks.len() * TICK_BYTES);
        let mut ends = Vec::with_capacity(ticks.len());
        for (_, tick) in ticks {
            separate(&mut bytes);
            let begun = bytes.len();
            if let Err(error) = serde_json::to_writer(&mut bytes, tick) {
                // Plain data with string keys always encodes; if ever not, what
                // is sent stays JSON.
                tracing::error!(%error, seq = tick.seq, "could not encode a tick");
                bytes.truncate(begun);
                bytes.extend_from_slice(b"null");
            }
            ends.push(bytes.len());
        }
        EncodedTicks {
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

    fn ticks_message(&self, from: Cursor, cursor: Cursor, inside: &[u8]) -> Bytes {
        let head = format!(r#"{{"event":"ticks","from":"{from}","cursor":"{cursor}","ticks":["#);
        let mut json = Vec::with_capacity(head.len() + inside.len() + 2);
        json.extend_from_slice(head.as_bytes());
        json.extend_from_slice(inside);
        json.extend_from_slice(b"]}");
        json.into()
    }

    fn message(&self, message: &ServerMessage) -> Option<Bytes> {
        if *message == ServerMessage::Unknown {
            return None;
        }
        // Plain data with string keys always encodes.
        Some(serde_json::to_vec(message).ok()?.into())
    }
}

fn separate(items: &mut Vec<u8>) {
    if !items.is_empty() {
        items.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use shared::{Decimal, Epoch};

    use super::*;

    fn tick(seq: u64) -> (usize, Tick) {
        let tick = Tick {
            seq,
            symbol: "A".to_owned(),
            time: 5,
            at: None,
            price: Decimal::from(seq),
            qty: Decimal::ONE,
            side: None,
            bid: None,
            ask: None,
        };
        (0, tick)
    }

    #[test]
    fn a_message_is_put_together_from_ticks_of_several_batches() {
        let (one, other) = ([tick(1), tick(2), tick(3)], [tick(4), tick(5)]);
        let (first, second) = (Json.ticks(&one), Json.ticks(&other));
        let cursor = |seq| Cursor {
            epoch: Epoch::from_number(7),
            seq,
        };
        let read = |inside: &[u8]| {
            let bytes = Json.ticks_message(cursor(0), cursor(5), inside);
            serde_json::from_slice::<ServerMessage>(&bytes).unwrap()
        };
        for (chosen, expect) in [
            (Chosen::All, vec![1, 2, 3, 4, 5]),
            (Chosen::Some(&[0, 2]), vec![1, 3, 4, 5]),
            (Chosen::Some(&[1]), vec![2, 4, 5]),
        ] {
            let mut inside = Vec::new();
            Json.add(&mut inside, &first, chosen);
            Json.add(&mut inside, &second, Chosen::All);
            let all = one.iter().chain(&other).map(|(_, tick)| tick);
            let ticks = all.filter(|tick| expect.contains(&tick.seq)).cloned();
            let message = ServerMessage::Ticks {
                from: cursor(0),
                cursor: cursor(5),
                ticks: ticks.collect(),
            };
            assert_eq!(read(&inside), message);
            // Word for word as any other message.
            let bytes = Json.ticks_message(cursor(0), cursor(5), &inside);
            assert_eq!(Json.message(&message), Some(bytes));
        }
    }
}
