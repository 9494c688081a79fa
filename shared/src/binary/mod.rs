//! The binary encoding, `tickwire.bin.v1`: `docs/wire.md` describes it for those
//! who write a client in another language.
//!
//! What comes thousands of times a second is made of small integers, through
//! [postcard]; all other messages are the same JSON as everywhere. Reading never
//! panics, and takes no more memory than what is read warrants.

mod read;
mod write;

use serde::{Deserialize, Serialize};

use crate::{Decimal, Side, Time};

pub use self::read::{Instruments, span_of_ticks};
pub use self::write::{write_answer, write_segment, write_step, write_tick, write_ticks_head};

/// What a client calls this encoding that opens a WebSocket.
pub const SUBPROTOCOL: &str = "tickwire.bin.v1";
/// The media type of a poll's answer in it.
pub const MEDIA_TYPE: &str = "application/vnd.tickwire.v1";

/// The first byte of a message: JSON follows.
pub const KIND_JSON: u8 = 0;
/// The first byte of a message: [`TicksHead`] follows, and then segments.
pub const KIND_TICKS: u8 = 1;

/// What is not in this encoding, or needs what is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BinaryError {
    /// It ends too early, or a number in it is not allowed where it stands.
    #[error("not a message of {SUBPROTOCOL}: {0}")]
    Malformed(&'static str),
    /// It tells of an instrument that is not known yet: a snapshot, or
    /// `GET /api/symbols`, would have said which that is.
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

/// The positions of a `ticks` message, and what was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicksHead {
    /// The run of the server, as a number.
    pub epoch: u32,
    /// The position before the message.
    pub from: u64,
    /// How many entries later the position after it is.
    pub length: u64,
    /// How many ticks were left out.
    pub skipped: u64,
}

/// What stands before ticks that were published together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentHead {
    /// The earliest `time` among them.
    pub base: Time,
    /// The number of the log's entry before them.
    pub before: u64,
    /// Twice how many there are; and one more if a number stands before each of
    /// them, by how much its own is higher than the one before.
    pub count: u64,
}

impl SegmentHead {
    /// The head of so many ticks whose numbers are one after the other, or not.
    pub fn new(base: Time, before: u64, count: usize, is_sparse: bool) -> Self {
        Self {
            base,
            before,
            count: 2 * count as u64 + u64::from(is_sparse),
        }
    }
}

/// Which instrument, by its index in the catalogue, and how many µs after the
/// segment's base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    index: u32,
    after: u64,
}

/// A tick. What has a fixed number of decimals by the catalogue is the number
/// without its point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Item<'a> {
    /// A buyer took the best ask.
    Buy(AtQuote),
    /// A seller took the best bid.
    Sell(AtQuote),
    /// A bid and an ask, and how much of each.
    Quote(TwoSided),
    /// Any other trade.
    AnyTrade(#[serde(borrow)] AnyTrade<'a>),
    /// Any other quote.
    AnyQuote(AnyQuote),
}

/// A trade at the best price of its side, of a source whose time is the
/// server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AtQuote {
    place: Place,
    price: i64,
    qty: u64,
    /// The ask less the bid.
    spread: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TwoSided {
    place: Place,
    bid: i64,
    bid_qty: u64,
    /// The ask less the bid.
    spread: u64,
    ask_qty: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AnyTrade<'a> {
    place: Place,
    /// How many µs later than `time` the server took it in.
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
    /// As of [`AnyTrade`].
    at: Option<i64>,
    bid: Option<Exact>,
    bid_qty: Option<Exact>,
    ask: Option<Exact>,
    ask_qty: Option<Exact>,
}

/// A decimal: its digits, and how many of them stand behind the point.
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

/// How many decimals an instrument has.
#[derive(Clone, Copy, Debug)]
struct Decimals {
    price: u32,
    qty: u32,
}

/// The positions of a poll's answer. Messages follow, each with the number of
/// its bytes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AnswerHead {
    epoch: u32,
    from: u64,
    cursor: u64,
}
