//! How what the log holds becomes bytes. An encoding is one file; the log and
//! the transports know none by name.

mod binary;
mod json;

#[cfg(test)]
mod tests;

use std::fmt::Debug;

use bytes::Bytes;
use shared::{Cursor, Instrument, Micros, ServerMessage, Tick, WireFormat};

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

/// A way to write messages.
///
/// Ticks are what nearly all bytes are spent on, so each is encoded once, by
/// itself, and messages are put together from those pieces: of one batch or of
/// many, of all instruments or of some.
pub trait Encoding: Debug + Send + Sync {
    /// What clients call it.
    fn format(&self) -> WireFormat;

    /// The ticks of a batch, each with the place of its instrument among these.
    fn ticks(&self, ticks: &[(usize, Tick)], instruments: &[Instrument]) -> EncodedTicks;

    /// Adds ticks of one more batch to the inside of a `ticks` message.
    fn add(&self, inside: &mut Vec<u8>, ticks: &EncodedTicks, chosen: Chosen<'_>);

    /// Writes the `ticks` message with this inside; so many ticks were left out.
    fn ticks_message(&self, span: (Cursor, Cursor), skipped: u64, inside: &[u8], out: &mut Vec<u8>);

    /// Writes any message; `None` for one that is not known, which nobody sends.
    fn message(&self, message: &ServerMessage, out: &mut Vec<u8>) -> Option<()>;

    /// The answer of a poll: these messages between the two positions.
    fn answer(&self, from: Cursor, cursor: Cursor, messages: &[Bytes]) -> Bytes;
}

/// The ticks of a batch, each as bytes.
#[derive(Debug)]
pub struct EncodedTicks {
    /// The number of the log's entry before them.
    before: u64,
    /// The earliest time among them.
    base: Micros,
    bytes: Bytes,
    /// Where each tick ends.
    ends: Vec<usize>,
}

/// Which ticks of a batch.
#[derive(Clone, Copy, Debug)]
pub enum Chosen<'a> {
    /// All of them.
    All,
    /// Those at these places, which go up.
    Some(&'a [usize]),
}
