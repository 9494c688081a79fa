//! Reads the binary encoding.

use std::collections::BTreeMap;

use super::{
    AnswerHead, AtQuote, BinaryError, Decimals, Exact, Item, KIND_JSON, KIND_TICKS, SegmentHead,
    TicksHead, TwoSided,
};
use crate::{
    Cursor, Decimal, Epoch, Instrument, Quote, ServerMessage, Side, SymbolState, Tick, TicksAnswer,
    Time, Trade,
};

/// The instruments that the indices in ticks refer to, as far as they are
/// known; for one run of a server.
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
    /// Learns all instruments from the catalogue: `GET /api/symbols`.
    pub fn learn_all(&mut self, instruments: &[Instrument]) {
        for (instrument, index) in instruments.iter().zip(0..) {
            let decimals = Decimals {
                price: instrument.decimals,
                qty: instrument.qty_decimals,
            };
            self.learn(index, &instrument.symbol, decimals);
        }
    }

    /// Learns the instruments of a message, if it is a snapshot.
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

    /// Decodes a message.
    ///
    /// # Errors
    ///
    /// It is not valid in this encoding, or refers to an unknown instrument.
    pub fn read(&mut self, message: &[u8]) -> Result<ServerMessage, BinaryError> {
        let message = match message.split_first() {
            Some((&KIND_JSON, json)) => serde_json::from_slice(json)
                .map_err(|_| BinaryError::Malformed("a text that is no message"))?,
            Some((&KIND_TICKS, ticks)) => self.ticks(ticks)?,
            // A kind of message from a newer server.
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

    fn tick(&self, item: Item<'_>, seq: u64, base: Time) -> Result<Tick, BinaryError> {
        let place = match &item {
            Item::Buy(trade) | Item::Sell(trade) => trade.place,
            Item::Quote(quote) => quote.place,
            Item::AnyTrade(trade) => trade.place,
            Item::AnyQuote(quote) => quote.place,
        };
        let Known { symbol, decimals } = self.get(place.index)?;
        let symbol = symbol.clone();
        let time = base.micros().checked_add_unsigned(place.after);
        let time = time
            .map(Time::from_micros)
            .ok_or(BinaryError::Malformed("a time that is too late"))?;
        let at = |later: Option<i64>| {
            later.map(|later| Time::from_micros(time.micros().wrapping_add(later)))
        };
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
            Item::Quote(quote) => Tick::Quote(quote.quote((seq, symbol, time), *decimals)?),
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

    /// Decodes the answer of a poll.
    ///
    /// # Errors
    ///
    /// As in [`Self::read`].
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
        (seq, symbol, time): (u64, String, Time),
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

impl TwoSided {
    fn quote(
        self,
        (seq, symbol, time): (u64, String, Time),
        decimals: Decimals,
    ) -> Result<Quote, BinaryError> {
        let ask = above(self.bid, self.spread)?;
        Ok(Quote {
            seq,
            symbol,
            time,
            at: None,
            bid: Some(decimal(self.bid.into(), decimals.price)?),
            bid_qty: Some(decimal(self.bid_qty.into(), decimals.qty)?),
            ask: Some(decimal(ask.into(), decimals.price)?),
            ask_qty: Some(decimal(self.ask_qty.into(), decimals.qty)?),
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
    Decimal::from_digits(digits, decimals)
        .ok_or(BinaryError::Malformed("a decimal of too many digits"))
}

/// The positions before and after a `ticks` message, without decoding the
/// ticks; `None` for another message.
pub fn span_of_ticks(message: &[u8]) -> Option<(Cursor, Cursor)> {
    let ticks = message.strip_prefix(&[KIND_TICKS])?;
    let (head, _) = postcard::take_from_bytes::<TicksHead>(ticks).ok()?;
    let epoch = Epoch::from_number(head.epoch);
    let at = |seq| Cursor { epoch, seq };
    Some((at(head.from), at(head.from.checked_add(head.length)?)))
}
