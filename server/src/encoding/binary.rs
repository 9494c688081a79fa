//! The wire as small integers; `docs/wire.md` describes it.

use bytes::Bytes;
use shared::binary::{self, SegmentHead};
use shared::{Cursor, Instrument, ServerMessage, Tick, WireFormat};

use super::{Chosen, EncodedTicks, Encoding, JSON};

/// About as many bytes as a tick takes.
const TICK_BYTES: usize = 14;
/// What is before the ticks of a message, at most.
const HEAD_BYTES: usize = 40;

#[derive(Debug)]
pub(super) struct Binary;

impl Encoding for Binary {
    fn format(&self) -> WireFormat {
        WireFormat::Binary
    }

    fn ticks(&self, ticks: &[(usize, Tick)], instruments: &[Instrument]) -> EncodedTicks {
        let base = ticks.iter().map(|(_, tick)| tick.time()).min();
        let base = base.unwrap_or_default();
        let mut bytes = Vec::with_capacity(ticks.len() * TICK_BYTES);
        let mut ends = Vec::with_capacity(ticks.len());
        for (place, tick) in ticks {
            // Catalogues are far shorter.
            let index = u32::try_from(*place).unwrap_or(u32::MAX);
            binary::write_tick(tick, index, &instruments[*place], base, &mut bytes);
            ends.push(bytes.len());
        }
        EncodedTicks {
            before: ticks.first().map_or(0, |(_, tick)| tick.seq() - 1),
            base,
            bytes: bytes.into(),
            ends,
        }
    }

    fn add(&self, inside: &mut Vec<u8>, ticks: &EncodedTicks, chosen: Chosen<'_>) {
        let EncodedTicks { before, base, .. } = *ticks;
        let places = match chosen {
            Chosen::All => {
                let head = SegmentHead::new(base, before, ticks.ends.len(), false);
                binary::write_segment(&head, inside);
                inside.extend_from_slice(&ticks.bytes);
                return;
            }
            Chosen::Some(places) => places,
        };
        let head = SegmentHead::new(base, before, places.len(), true);
        binary::write_segment(&head, inside);
        // So many ticks of the batch have a number already.
        let mut passed = 0;
        for &place in places {
            let next = place as u64 + 1;
            binary::write_step(next - passed, inside);
            passed = next;
            let start = place.checked_sub(1).map_or(0, |before| ticks.ends[before]);
            inside.extend_from_slice(&ticks.bytes[start..ticks.ends[place]]);
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
        binary::write_ticks_head(from, cursor, skipped, out);
        out.extend_from_slice(inside);
    }

    fn message(&self, message: &ServerMessage, out: &mut Vec<u8>) -> Option<()> {
        out.push(binary::KIND_JSON);
        JSON.message(message, out)
    }

    fn answer(&self, from: Cursor, cursor: Cursor, messages: &[Bytes]) -> Bytes {
        binary::write_answer(from, cursor, messages.iter().map(|message| &message[..])).into()
    }
}
