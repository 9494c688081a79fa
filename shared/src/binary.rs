//! The binary encoding, `tickwire.bin.v1`: `docs/wire.md` describes it for those
//! who write a client in another language.
//!
//! What comes thousands of times a second is made of small integers, through
//! [postcard]; all other messages are the same JSON as everywhere. Reading never
//! panics, and takes no more memory than what is read warrants.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Cursor, Decimal, Epoch, Instrument, Micros, Quote, ServerMessage, Side, SymbolState, Tick,
    TicksAnswer, Trade,
};

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
    pub base: Micros,
    /// The number of the log's entry before them.
    pub before: u64,
    /// Twice how many there are; and one more if a number stands before each of
    /// them, by how much its own is higher than the one before.
    pub count: u64,
}

impl SegmentHead {
    /// The head of so many ticks whose numbers are one after the other, or not.
    pub fn new(base: Micros, before: u64, count: usize, is_sparse: bool) -> Self {
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
            digits: value.mantissa(),
            // At most 28.
            decimals: value.scale() as u8,
        }
    }

    fn value(self) -> Result<Decimal, BinaryError> {
        Decimal::try_from_i128_with_scale(self.digits, self.decimals.into())
            .map_err(|_| BinaryError::Malformed("a decimal of too many digits"))
    }
}

/// The positions before and after a `ticks` message, without reading the ticks;
/// `None` for another message.
pub fn span_of_ticks(message: &[u8]) -> Option<(Cursor, Cursor)> {
    let ticks = message.strip_prefix(&[KIND_TICKS])?;
    let (head, _) = postcard::take_from_bytes::<TicksHead>(ticks).ok()?;
    let epoch = Epoch::from_number(head.epoch);
    let at = |seq| Cursor { epoch, seq };
    Some((at(head.from), at(head.from.checked_add(head.length)?)))
}

/// How many decimals an instrument has.
#[derive(Clone, Copy, Debug)]
struct Decimals {
    price: u32,
    qty: u32,
}

/// The digits of a price with just so many decimals.
fn digits(value: Decimal, decimals: u32) -> Option<i64> {
    let fits = value.scale() == decimals;
    fits.then(|| value.mantissa().try_into().ok()).flatten()
}

fn size(value: Decimal, decimals: u32) -> Option<u64> {
    digits(value, decimals)?.try_into().ok()
}

/// Adds what postcard makes of a value.
fn write<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    // Fails only where there is no room, and for what has no known length.
    if let Ok(longer) = postcard::to_extend(value, std::mem::take(out)) {
        *out = longer;
    }
}

/// Adds the number of a tick that does not follow the one before: by how much it
/// is higher.
pub fn write_step(step: u64, out: &mut Vec<u8>) {
    write(&step, out);
}

/// Adds a segment's head.
pub fn write_segment(head: &SegmentHead, out: &mut Vec<u8>) {
    write(head, out);
}

/// Adds the head of a `ticks` message.
pub fn write_ticks_head(from: Cursor, cursor: Cursor, skipped: u64, out: &mut Vec<u8>) {
    out.push(KIND_TICKS);
    let head = TicksHead {
        epoch: from.epoch.number(),
        from: from.seq,
        length: cursor.seq.saturating_sub(from.seq),
        skipped,
    };
    write(&head, out);
}

/// Adds a tick of the instrument with this index, without its number; `base` is
/// not later than its time.
pub fn write_tick(
    tick: &Tick,
    index: u32,
    instrument: &Instrument,
    base: Micros,
    out: &mut Vec<u8>,
) {
    let place = Place {
        index,
        after: tick.time().abs_diff(base),
    };
    let decimals = Decimals {
        price: instrument.decimals,
        qty: instrument.qty_decimals,
    };
    let item = match tick {
        Tick::Trade(trade) => {
            short_trade(trade, place, decimals).unwrap_or_else(|| any_trade(trade, place))
        }
        Tick::Quote(quote) => {
            short_quote(quote, place, decimals).unwrap_or_else(|| any_quote(quote, place))
        }
    };
    write(&item, out);
}

fn short_trade(trade: &Trade, place: Place, decimals: Decimals) -> Option<Item<'_>> {
    if trade.at.is_some() || trade.id.is_some() {
        return None;
    }
    let bid = digits(trade.bid?, decimals.price)?;
    let ask = digits(trade.ask?, decimals.price)?;
    let short = AtQuote {
        place,
        price: digits(trade.price, decimals.price)?,
        qty: size(trade.qty, decimals.qty)?,
        spread: ask.checked_sub(bid)?.try_into().ok()?,
    };
    match trade.side? {
        Side::Buy if short.price == ask => Some(Item::Buy(short)),
        Side::Sell if short.price == bid => Some(Item::Sell(short)),
        _ => None,
    }
}

fn any_trade(trade: &Trade, place: Place) -> Item<'_> {
    Item::AnyTrade(AnyTrade {
        place,
        at: trade.at.map(|at| at.wrapping_sub(trade.time)),
        id: trade.id.as_deref(),
        price: Exact::of(trade.price),
        qty: Exact::of(trade.qty),
        side: trade.side,
        bid: trade.bid.map(Exact::of),
        ask: trade.ask.map(Exact::of),
    })
}

fn short_quote(quote: &Quote, place: Place, decimals: Decimals) -> Option<Item<'_>> {
    if quote.at.is_some() {
        return None;
    }
    let bid = digits(quote.bid?, decimals.price)?;
    let ask = digits(quote.ask?, decimals.price)?;
    Some(Item::Quote(TwoSided {
        place,
        bid,
        bid_qty: size(quote.bid_qty?, decimals.qty)?,
        spread: ask.checked_sub(bid)?.try_into().ok()?,
        ask_qty: size(quote.ask_qty?, decimals.qty)?,
    }))
}

fn any_quote(quote: &Quote, place: Place) -> Item<'_> {
    Item::AnyQuote(AnyQuote {
        place,
        at: quote.at.map(|at| at.wrapping_sub(quote.time)),
        bid: quote.bid.map(Exact::of),
        bid_qty: quote.bid_qty.map(Exact::of),
        ask: quote.ask.map(Exact::of),
        ask_qty: quote.ask_qty.map(Exact::of),
    })
}

/// What the numbers in ticks stand for: the instruments of one run of a server,
/// as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct Instruments {
    known: BTreeMap<u32, Known>,
}

#[derive(Clone, Debug)]
struct Known {
    symbol: String,
    decimals: Decimals,
}

impl Instruments {
    /// Learns from the whole catalogue: `GET /api/symbols`.
    pub fn learn_all(&mut self, instruments: &[Instrument]) {
        for (instrument, index) in instruments.iter().zip(0..) {
            let decimals = Decimals {
                price: instrument.decimals,
                qty: instrument.qty_decimals,
            };
            self.learn(index, &instrument.symbol, decimals);
        }
    }

    /// Learns from a message, if it is a snapshot.
    pub fn follow(&mut self, message: &ServerMessage) {
        let ServerMessage::Snapshot { symbols, .. } = message else {
            return;
        };
        for state in symbols {
            let SymbolState {
                index,
                symbol,
                decimals,
                qty_decimals,
                ..
            } = state;
            let decimals = Decimals {
                price: *decimals,
                qty: *qty_decimals,
            };
            self.learn(*index, symbol, decimals);
        }
    }

    fn learn(&mut self, index: u32, symbol: &str, decimals: Decimals) {
        let symbol = symbol.to_owned();
        self.known.insert(index, Known { symbol, decimals });
    }

    fn get(&self, index: u32) -> Result<&Known, BinaryError> {
        let known = self.known.get(&index);
        known.ok_or(BinaryError::UnknownInstrument(index))
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// It is none of this encoding, or tells of an instrument that is not known.
    pub fn read(&mut self, message: &[u8]) -> Result<ServerMessage, BinaryError> {
        let message = match message.split_first() {
            Some((&KIND_JSON, json)) => crate::from_json(json)
                .map_err(|_| BinaryError::Malformed("a text that is no message"))?,
            Some((&KIND_TICKS, ticks)) => self.ticks(ticks)?,
            // One of a newer server.
            Some(_) => ServerMessage::Unknown,
            None => return Err(BinaryError::Malformed("it is empty")),
        };
        self.follow(&message);
        Ok(message)
    }

    fn ticks(&self, bytes: &[u8]) -> Result<ServerMessage, BinaryError> {
        let (head, mut rest) = postcard::take_from_bytes::<TicksHead>(bytes)?;
        let epoch = Epoch::from_number(head.epoch);
        let too_high = || BinaryError::Malformed("a number that is too high");
        let end = head.from.checked_add(head.length).ok_or_else(too_high)?;
        let mut ticks = Vec::new();
        while !rest.is_empty() {
            let segment;
            (segment, rest) = postcard::take_from_bytes::<SegmentHead>(rest)?;
            let mut seq = segment.before;
            for _ in 0..segment.count / 2 {
                let mut step = 1;
                if segment.count % 2 == 1 {
                    (step, rest) = postcard::take_from_bytes(rest)?;
                }
                seq = seq.checked_add(step).ok_or_else(too_high)?;
                let item;
                (item, rest) = postcard::take_from_bytes::<Item<'_>>(rest)?;
                ticks.push(self.tick(item, seq, segment.base)?);
            }
        }
        Ok(ServerMessage::Ticks {
            from: Cursor {
                epoch,
                seq: head.from,
            },
            cursor: Cursor { epoch, seq: end },
            ticks,
            skipped: head.skipped,
        })
    }

    fn tick(&self, item: Item<'_>, seq: u64, base: Micros) -> Result<Tick, BinaryError> {
        let place = match &item {
            Item::Buy(trade) | Item::Sell(trade) => trade.place,
            Item::Quote(quote) => quote.place,
            Item::AnyTrade(trade) => trade.place,
            Item::AnyQuote(quote) => quote.place,
        };
        let Known { symbol, decimals } = self.get(place.index)?;
        let symbol = symbol.clone();
        let time = base.checked_add_unsigned(place.after);
        let time = time.ok_or(BinaryError::Malformed("a time that is too late"))?;
        let at = |later: Option<i64>| later.map(|later| time.wrapping_add(later));
        let exact = |value: Option<Exact>| value.map(Exact::value).transpose();
        Ok(match item {
            Item::Buy(trade) => {
                let ask = trade.price;
                let bid = below(ask, trade.spread)?;
                let side = Side::Buy;
                Tick::Trade(trade.trade((seq, symbol, time), side, [bid, ask], *decimals)?)
            }
            Item::Sell(trade) => {
                let bid = trade.price;
                let ask = above(bid, trade.spread)?;
                let side = Side::Sell;
                Tick::Trade(trade.trade((seq, symbol, time), side, [bid, ask], *decimals)?)
            }
            Item::Quote(quote) => {
                let ask = above(quote.bid, quote.spread)?;
                Tick::Quote(Quote {
                    seq,
                    symbol,
                    time,
                    at: None,
                    bid: Some(decimal(quote.bid.into(), decimals.price)?),
                    bid_qty: Some(decimal(quote.bid_qty.into(), decimals.qty)?),
                    ask: Some(decimal(ask.into(), decimals.price)?),
                    ask_qty: Some(decimal(quote.ask_qty.into(), decimals.qty)?),
                })
            }
            Item::AnyTrade(trade) => Tick::Trade(Trade {
                seq,
                symbol,
                time,
                at: at(trade.at),
                id: trade.id.map(str::to_owned),
                price: trade.price.value()?,
                qty: trade.qty.value()?,
                side: trade.side,
                bid: exact(trade.bid)?,
                ask: exact(trade.ask)?,
            }),
            Item::AnyQuote(quote) => Tick::Quote(Quote {
                seq,
                symbol,
                time,
                at: at(quote.at),
                bid: exact(quote.bid)?,
                bid_qty: exact(quote.bid_qty)?,
                ask: exact(quote.ask)?,
                ask_qty: exact(quote.ask_qty)?,
            }),
        })
    }

    /// Reads the answer of a poll.
    ///
    /// # Errors
    ///
    /// As of [`Self::read`].
    pub fn read_answer(&mut self, answer: &[u8]) -> Result<TicksAnswer, BinaryError> {
        let (head, mut rest) = postcard::take_from_bytes::<AnswerHead>(answer)?;
        let epoch = Epoch::from_number(head.epoch);
        let mut events = Vec::new();
        while !rest.is_empty() {
            let message: &[u8];
            (message, rest) = postcard::take_from_bytes(rest)?;
            events.push(self.read(message)?);
        }
        Ok(TicksAnswer {
            from: Cursor {
                epoch,
                seq: head.from,
            },
            cursor: Cursor {
                epoch,
                seq: head.cursor,
            },
            events,
        })
    }
}

impl AtQuote {
    fn trade(
        self,
        (seq, symbol, time): (u64, String, Micros),
        side: Side,
        [bid, ask]: [i64; 2],
        decimals: Decimals,
    ) -> Result<Trade, BinaryError> {
        Ok(Trade {
            seq,
            symbol,
            time,
            at: None,
            id: None,
            price: decimal(self.price.into(), decimals.price)?,
            qty: decimal(self.qty.into(), decimals.qty)?,
            side: Some(side),
            bid: Some(decimal(bid.into(), decimals.price)?),
            ask: Some(decimal(ask.into(), decimals.price)?),
        })
    }
}

fn above(price: i64, spread: u64) -> Result<i64, BinaryError> {
    let above = price.checked_add_unsigned(spread);
    above.ok_or(BinaryError::Malformed("a price that is too high"))
}

fn below(price: i64, spread: u64) -> Result<i64, BinaryError> {
    let below = price.checked_sub_unsigned(spread);
    below.ok_or(BinaryError::Malformed("a price that is too low"))
}

fn decimal(digits: i128, decimals: u32) -> Result<Decimal, BinaryError> {
    Decimal::try_from_i128_with_scale(digits, decimals)
        .map_err(|_| BinaryError::Malformed("a decimal of too many digits"))
}

/// The positions of a poll's answer. Messages follow, each with the number of
/// its bytes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AnswerHead {
    epoch: u32,
    from: u64,
    cursor: u64,
}

/// Writes the answer of a poll: the messages between the two positions.
pub fn write_answer<'m>(
    from: Cursor,
    cursor: Cursor,
    messages: impl IntoIterator<Item = &'m [u8]>,
) -> Vec<u8> {
    let mut out = Vec::new();
    let head = AnswerHead {
        epoch: cursor.epoch.number(),
        from: from.seq,
        cursor: cursor.seq,
    };
    write(&head, &mut out);
    for message in messages {
        write(&message.len(), &mut out);
        out.extend_from_slice(message);
    }
    out
}
