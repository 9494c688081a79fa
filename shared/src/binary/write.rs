//! Writes the binary encoding.

use serde::Serialize;

use super::{
    AnswerHead, AnyQuote, AnyTrade, AtQuote, Decimals, Exact, Item, KIND_TICKS, Place, SegmentHead,
    TicksHead, TwoSided,
};
use crate::{Cursor, Decimal, Instrument, Quote, Side, Tick, Time, Trade};

/// The digits of a price, if it has exactly this many decimals.
fn digits(value: Decimal, decimals: u32) -> Option<i64> {
    let fits = value.scale() == decimals;
    fits.then(|| value.digits().try_into().ok()).flatten()
}

/// How many µs after `time` it was received. The difference wraps, so that any
/// two times survive a round trip.
fn later(at: Option<Time>, time: Time) -> Option<i64> {
    Some(at?.micros().wrapping_sub(time.micros()))
}

fn size(value: Decimal, decimals: u32) -> Option<u64> {
    digits(value, decimals)?.try_into().ok()
}

/// Appends a value in postcard's encoding.
fn write<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    // Fails only if there is no space, or for values of unknown length.
    if let Ok(longer) = postcard::to_extend(value, std::mem::take(out)) {
        *out = longer;
    }
}

/// Appends the difference between the number of a tick and that of the tick
/// before, if they are not consecutive.
pub fn write_step(step: u64, out: &mut Vec<u8>) {
    write(&step, out);
}

/// Appends the header of a segment.
pub fn write_segment(head: &SegmentHead, out: &mut Vec<u8>) {
    write(head, out);
}

/// Appends the header of a `ticks` message.
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

/// Appends a tick of the instrument with this index, without its number; `base`
/// is not after its time.
pub fn write_tick(tick: &Tick, index: u32, instrument: &Instrument, base: Time, out: &mut Vec<u8>) {
    let place = Place {
        index,
        after: tick.time().micros().abs_diff(base.micros()),
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
        at: later(trade.at, trade.time),
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
        at: later(quote.at, quote.time),
        bid: quote.bid.map(Exact::of),
        bid_qty: quote.bid_qty.map(Exact::of),
        ask: quote.ask.map(Exact::of),
        ask_qty: quote.ask_qty.map(Exact::of),
    })
}

/// Encodes the answer of a poll: the messages between the two positions.
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
