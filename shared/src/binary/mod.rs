//! The binary encoding, `tickwire.bin.v1`. `docs/wire.md` describes it for
//! authors of clients in other languages.
//!
//! Frequent messages consist of small integers, encoded with [postcard]; all
//! other messages are the same JSON as in the JSON encoding. Decoding never
//! panics, and its memory use is bounded by the size of the input.

mod read;
mod write;

use serde::{Deserialize, Serialize};

use crate::{Decimal, Side, Time};

pub use self::read::{Instruments, span_of_ticks};
pub use self::write::{write_answer, write_segment, write_step, write_tick, write_ticks_head};

/// The name of this encoding as a WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "tickwire.bin.v1";
/// The media type of a poll's answer in this encoding.
pub const MEDIA_TYPE: &str = "application/vnd.tickwire.v1";

/// The first byte of a message: JSON follows.
pub const KIND_JSON: u8 = 0;
/// The first byte of a message: [`TicksHead`] follows, and then segments.
pub const KIND_TICKS: u8 = 1;

/// Bytes that are not valid in this encoding, or that refer to an unknown
/// instrument.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BinaryError {
    /// The input ends too early, or a number is out of range.
    #[error("not a message of {SUBPROTOCOL}: {0}")]
    Malformed(&'static str),
    /// It refers to an instrument that is not known yet. A snapshot or
    /// `GET /api/symbols` defines the instruments.
    #[error("instrument {0} is not known")]
    UnknownInstrument(u32),
}

impl From<postcard::Error> for BinaryError {
    fn from(error: postcard::Error) -> Self {
        match error {
            postcard::Error::DeserializeUnexpectedEnd => Self::Malformed("it ends too early"),
            _ => Self::Malformed("a value that is not allowed"),
        }
    }
}

/// The positions of a `ticks` message, and the number of ticks left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicksHead {
    /// The run of the server, as a number.
    pub epoch: u32,
    /// The position before the message.
    pub from: u64,
    /// The difference between the positions before and after the message.
    pub length: u64,
    /// How many ticks were left out.
    pub skipped: u64,
}

/// The header of ticks that were published together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentHead {
    /// The earliest `time` of these ticks.
    pub base: Time,
    /// The number of the log entry before the first of them.
    pub before: u64,
    /// Twice the number of ticks; plus one if each tick is preceded by a
    /// number: the difference between its own number and that of the tick
    /// before.
    pub count: u64,
}

impl SegmentHead {
    /// The header of `count` ticks, whose numbers are consecutive unless it
    /// `is_sparse`.
    pub fn new(base: Time, before: u64, count: usize, is_sparse: bool) -> Self {
        Self {
            base,
            before,
            count: 2 * count as u64 + u64::from(is_sparse),
        }
    }
}

/// The index of the instrument in the catalogue, and the time in µs after the
/// segment's base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    index: u32,
    after: u64,
}

/// A tick. Values with the number of decimals of the catalogue are written as
/// integers, without the decimal point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Item<'a> {
    /// A buyer took the best ask.
    Buy(AtQuote),
    /// A seller took the best bid.
    Sell(AtQuote),
    /// A bid and an ask, each with its quantity.
    Quote(TwoSided),
    /// Any other trade.
    AnyTrade(#[serde(borrow)] AnyTrade<'a>),
    /// Any other quote.
    AnyQuote(AnyQuote),
}

/// A trade at the best price of its side, from a source that uses the server's
/// time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AtQuote {
    place: Place,
    price: i64,
    qty: u64,
    /// The ask minus the bid.
    spread: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TwoSided {
    place: Place,
    bid: i64,
    bid_qty: u64,
    /// The ask minus the bid.
    spread: u64,
    ask_qty: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AnyTrade<'a> {
    place: Place,
    /// How many µs after `time` the server received it.
    at: Option<i64>,
    id: Option<&'a str>,
    price: Exact,
    qty: Exact,
    side: Option<Side>,
    bid: Option<Exact>,
    ask: Option<Exact>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AnyQuote {
    place: Place,
    /// As in [`AnyTrade`].
    at: Option<i64>,
    bid: Option<Exact>,
    bid_qty: Option<Exact>,
    ask: Option<Exact>,
    ask_qty: Option<Exact>,
}

/// A decimal: its digits, and how many of them are after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Exact {
    digits: i128,
    decimals: u8,
}

impl Exact {
    fn of(value: Decimal) -> Self {
        Self {
            digits: value.digits(),
            // At most 28.
            decimals: value.scale() as u8,
        }
    }

    fn value(self) -> Result<Decimal, BinaryError> {
        Decimal::from_digits(self.digits, self.decimals.into())
            .ok_or(BinaryError::Malformed("a decimal of too many digits"))
    }
}

/// The number of decimals of an instrument.
#[derive(Clone, Copy, Debug)]
struct Decimals {
    price: u32,
    qty: u32,
}

/// The positions of a poll's answer. The messages follow, each preceded by its
/// length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AnswerHead {
    epoch: u32,
    from: u64,
    cursor: u64,
}
