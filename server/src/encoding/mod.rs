//! How log entries become bytes. Each encoding is one file; the log and the
//! transports use them only through [`Encoding`].

mod binary;
mod json;

#[cfg(test)]
mod tests;

use std::fmt::Debug;

use bytes::Bytes;
use shared::{Cursor, Instrument, ServerMessage, Tick, Time, WireFormat};

/// JSON, which every client can read.
pub static JSON: &dyn Encoding = &json::Json;

/// Small integers, a tenth as many bytes.
pub static BINARY: &dyn Encoding = &binary::Binary;

/// The encoding that a client asks for.
pub fn of(format: WireFormat) -> &'static dyn Encoding {
    match format {
        WireFormat::Json => JSON,
        WireFormat::Binary => BINARY,
    }
}

/// A way to encode messages.
///
/// Most bytes are ticks. So each tick is encoded once, by itself, and messages
/// are put together from those pieces: from one batch or many, and for all
/// instruments or some.
pub trait Encoding: Debug + Send + Sync {
    /// The name that clients use for it.
    fn format(&self) -> WireFormat;

    /// Writes a tick of the instrument at this index of the catalogue; `base`
    /// is the earliest time of its batch.
    fn tick(&self, tick: &Tick, instrument: (usize, &Instrument), base: Time, out: &mut Vec<u8>);

    /// Adds ticks of one more batch to the body of a `ticks` message.
    fn add(&self, inside: &mut Vec<u8>, ticks: &EncodedTicks, chosen: Chosen<'_>);

    /// Writes the `ticks` message with this body; `skipped` ticks were left
    /// out.
    fn ticks_message(&self, span: (Cursor, Cursor), skipped: u64, inside: &[u8], out: &mut Vec<u8>);

    /// Writes any message; `None` for `Unknown`, which is never sent.
    fn message(&self, message: &ServerMessage, out: &mut Vec<u8>) -> Option<()>;

    /// A poll's answer with these messages between the two positions.
    fn answer(&self, from: Cursor, cursor: Cursor, messages: &[Bytes]) -> Bytes;
}

/// The encoded ticks of a batch.
#[derive(Debug)]
pub struct EncodedTicks {
    /// The number of the log entry before the first tick.
    before: u64,
    /// The earliest time among them.
    base: Time,
    bytes: Bytes,
    /// The end of each tick in `bytes`.
    ends: Vec<usize>,
}

impl EncodedTicks {
    /// Encodes the ticks of a batch, each with the index of its instrument in
    /// `instruments`.
    pub fn new(
        encoding: &dyn Encoding,
        ticks: &[(usize, Tick)],
        instruments: &[Instrument],
    ) -> Self {
        let base = ticks.iter().map(|(_, tick)| tick.time()).min();
        let base = base.unwrap_or_default();
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(ticks.len());
        for (place, tick) in ticks {
            encoding.tick(tick, (*place, &instruments[*place]), base, &mut bytes);
            ends.push(bytes.len());
        }
        Self {
            before: ticks.first().map_or(0, |(_, tick)| tick.seq() - 1),
            base,
            bytes: bytes.into(),
            ends,
        }
    }

    /// The bytes of the tick at this index.
    fn at(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[place]]
    }
}

/// Which ticks of a batch to add.
#[derive(Clone, Copy, Debug)]
pub enum Chosen<'a> {
    /// All of them.
    All,
    /// The ticks at these indices, which are ascending.
    Some(&'a [usize]),
}
