//! Property tests of the log, with random sequences of events: whatever a
//! reader does and however often it reconnects, it sees each tick of its set
//! once and in order, or a snapshot that covers what it did not see.

use std::sync::Arc;

use proptest::prelude::*;
use shared::binary::Instruments;
use shared::{
    Candle, Condition, Decimal, Firing, Instrument, Interval, PriceKind, ServerMessage, Symbols,
    Tick, Time,
};

use super::alone::live;
use super::{Entries, Frame, Market, Placed};
use crate::encoding::{BINARY, JSON};
use crate::feed::{History, PastCandles, Quote, Trade};
use client::Client;
use events::{Event, events};

mod client;
mod events;
mod examples;

const SYMBOLS: [&str; 4] = ["A", "B", "C", "D"];

/// An alert of the symbol fired.
fn fired(symbol: &str) -> Placed {
    let place = SYMBOLS.iter().position(|known| *known == symbol);
    (place.unwrap(), Arc::new(firing(symbol)))
}

fn firing(symbol: &str) -> Firing {
    Firing {
        id: 1,
        symbol: symbol.to_owned(),
        condition: Condition::SilentS(1),
        on: PriceKind::Last,
        price: None,
        time: Time::from_micros(1),
        at: None,
        count: 1,
        note: String::new(),
    }
}

fn trade(instrument: usize) -> Trade {
    Trade {
        instrument,
        time: Time::from_micros(1),
        at: None,
        id: None,
        price: Decimal::ONE,
        qty: Decimal::ONE,
        side: None,
        bid: None,
        ask: None,
    }
}

/// A day of an instrument.
fn past(instrument: usize) -> History {
    let mut candles = PastCandles::default();
    candles[Interval::D1 as usize] = vec![Candle::open(Time::EPOCH, Decimal::ONE, Decimal::TWO)];
    History {
        instrument,
        candles,
    }
}

fn publish_trades(market: &Market, places: &[usize]) {
    let ticks = places.iter().map(|place| market.trade(trade(*place)));
    publish_ticks(market, ticks.collect());
}

fn publish_ticks(market: &Market, mut ticks: Vec<(usize, Tick)>) {
    let entries = market.numbered(&mut ticks);
    publish(market, entries);
}

fn publish(market: &Market, entries: Vec<Entries>) {
    market.publish(market.batches(entries));
}

fn quote(instrument: usize) -> Quote {
    Quote {
        instrument,
        time: Time::from_micros(1),
        at: None,
        bid: Some(Decimal::ONE),
        bid_qty: Some(Decimal::ONE),
        ask: None,
        ask_qty: None,
    }
}

fn names(bits: u8) -> Vec<&'static str> {
    let chosen = (0..SYMBOLS.len()).filter(|i| bits & (1 << i) != 0);
    chosen.map(|i| SYMBOLS[i]).collect()
}

fn set_of(market: &Market, bits: u8) -> Arc<super::SymbolSet> {
    let names = names(bits).into_iter().map(str::to_owned);
    market.set(&Symbols::Named(names.collect())).unwrap()
}

/// The message that a client decodes from a frame, in either encoding.
fn message(frame: &Frame) -> ServerMessage {
    let message = if frame.bytes.first() == Some(&b'{') {
        serde_json::from_slice(&frame.bytes).unwrap()
    } else {
        let mut known = Instruments::default();
        known.learn_all(&instruments());
        known.read(&frame.bytes).unwrap()
    };
    assert_ne!(message, ServerMessage::Unknown);
    message
}

fn instruments() -> [Instrument; SYMBOLS.len()] {
    SYMBOLS.map(|symbol| Instrument {
        symbol: symbol.to_owned(),
        name: symbol.to_lowercase(),
        ..Instrument::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Small logs drop entries that the reader still needs; large ones do not.
    #[test]
    fn each_tick_once_in_order_or_a_snapshot(
        capacity in prop_oneof![1u64..30, Just(10_000)],
        set in 0u8..16,
        events in events(),
        is_binary: bool,
    ) {
        let encoding = if is_binary { BINARY } else { JSON };
        let mut client = Client::with_encoding(encoding, capacity, set);
        for event in &events {
            client.live(event);
        }
        client.finish();
    }

    /// Without a change of the set, the chain has no break from end to end.
    #[test]
    fn the_chain_never_breaks(
        capacity in prop_oneof![1u64..30, Just(10_000)],
        set in 1u8..16,
        events in events(),
    ) {
        let mut client = Client::new(capacity, set);
        for event in &events {
            if !matches!(event, Event::Subscribe(..) | Event::Unsubscribe(_)) {
                client.live(event);
            }
        }
        client.drain();
        prop_assert_eq!((client.chain.missed(), client.chain.repeated()), (0, 0));
    }
}
