//! The binary encoding, of small integers; `docs/wire.md` describes it.

use bytes::Bytes;
use shared::binary::{self, SegmentHead};
use shared::{Cursor, Instrument, ServerMessage, Tick, Time, WireFormat};

use super::{Chosen, EncodedTicks, Encoding, JSON};

/// Upper bound of what precedes the ticks of a message, in bytes.
const HEAD_BYTES: usize = 40;

#[derive(Debug)]
pub(super) struct Binary;

impl Encoding for Binary {
    fn format(&self) -> WireFormat {
        WireFormat::Binary
    }

    fn tick(
        &self,
        tick: &Tick,
        (place, instrument): (usize, &Instrument),
        base: Time,
        out: &mut Vec<u8>,
    ) {
        // Catalogues are far shorter than that.
        let index = u32::try_from(place).unwrap_or(u32::MAX);
        binary::write_tick(tick, index, instrument, base, out);
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
        // How many ticks of the batch the numbering has passed.
        let mut passed = 0;
        for &place in places {
            let next = place as u64 + 1;
            binary::write_step(next - passed, inside);
            passed = next;
            inside.extend_from_slice(ticks.at(place));
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
