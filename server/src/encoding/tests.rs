//! What is read is what was written, in each encoding and however messages are
//! put together.

use proptest::option;
use proptest::prelude::*;
use shared::binary::Instruments;
use shared::{
    Cursor, Decimal, Epoch, Instrument, Pace, Quote, ServerMessage, Side, Tick, TicksAnswer, Time,
    Trade, WireFormat,
};

use super::{Chosen, EncodedTicks, Encoding, of};

fn catalogue() -> Vec<Instrument> {
    let of = |symbol: &str, decimals, qty_decimals| Instrument {
        symbol: symbol.to_owned(),
        decimals,
        qty_decimals,
        ..Instrument::default()
    };
    vec![of("A", 2, 4), of("B", 0, 0), of("C", 5, 8)]
}

/// A decimal as sources send it, or sometimes an unusual one.
fn decimals(scale: u32) -> impl Strategy<Value = Decimal> {
    prop_oneof![
        6 => (0i64..100_000_000).prop_map(move |digits| Decimal::new(digits, scale)),
        1 => (any::<i64>(), 0u32..=18).prop_map(|(digits, scale)| Decimal::new(digits, scale)),
        1 => Just(Decimal::MAX),
    ]
}

/// A price or a quantity.
type Part = Option<Decimal>;
/// Price, quantity and side; bid and ask; whether it is at the best price of its
/// side; an id.
type TradeParts = (
    (Decimal, Decimal, Option<Side>),
    (Part, Part, bool),
    Option<String>,
);

fn ticks() -> impl Strategy<Value = (usize, Tick)> {
    let catalogue = catalogue();
    (0..catalogue.len()).prop_flat_map(move |place| {
        let instrument = catalogue[place].clone();
        let price = || decimals(instrument.decimals);
        let qty = || decimals(instrument.qty_decimals);
        let side = option::of(prop_oneof![Just(Side::Buy), Just(Side::Sell)]);
        let trade = (
            (price(), qty(), side),
            (option::of(price()), option::of(price()), any::<bool>()),
            option::of("[0-9a-f-]{1,36}"),
        );
        let quote = (
            option::of(price()),
            option::of(qty()),
            option::of(price()),
            option::of(qty()),
        );
        let time = 1_763_836_800_000_000i64..1_763_836_800_100_000;
        let times = (time, option::of(any::<i64>()));
        let symbol = instrument.symbol;
        (times, any::<bool>(), trade, quote).prop_map(
            move |((time, at), is_trade, trade, quote)| {
                let times = (Time::from_micros(time), at.map(Time::from_micros));
                let tick = match is_trade {
                    true => Tick::Trade(trade_of(&symbol, times, trade)),
                    false => Tick::Quote(quote_of(&symbol, times, trade.1.2, quote)),
                };
                (place, tick)
            },
        )
    })
}

fn trade_of(symbol: &str, (time, at): (Time, Option<Time>), parts: TradeParts) -> Trade {
    let ((price, qty, side), (bid, ask, is_touch), id) = parts;
    // Most trades are at the best price of their side.
    let (bid, ask, at, id) = match (is_touch, side) {
        (true, Some(Side::Buy)) => (bid, Some(price), None, None),
        (true, Some(Side::Sell)) => (Some(price), ask, None, None),
        _ => (bid, ask, at, id),
    };
    Trade {
        seq: 0,
        symbol: symbol.to_owned(),
        time,
        at,
        id,
        price,
        qty,
        side,
        bid,
        ask,
    }
}

fn quote_of(
    symbol: &str,
    (time, at): (Time, Option<Time>),
    is_plain: bool,
    (bid, bid_qty, ask, ask_qty): (Part, Part, Part, Part),
) -> Quote {
    Quote {
        seq: 0,
        symbol: symbol.to_owned(),
        time,
        at: at.filter(|_| !is_plain),
        bid,
        bid_qty,
        ask,
        ask_qty,
    }
}

fn at(seq: u64) -> Cursor {
    Cursor {
        epoch: Epoch::from_number(7),
        seq,
    }
}

/// The answer as a client decodes it.
fn read(encoding: &dyn Encoding, answer: &[u8]) -> TicksAnswer {
    if encoding.format() == WireFormat::Json {
        return serde_json::from_slice(answer).unwrap();
    }
    let mut instruments = Instruments::default();
    instruments.learn_all(&catalogue());
    instruments.read_answer(answer).unwrap()
}

proptest! {
    /// Batches, whole or in part, in one message inside an answer.
    #[test]
    fn what_is_read_is_what_was_written(
        batches in proptest::collection::vec(proptest::collection::vec((ticks(), any::<bool>()), 1..20), 1..4),
        gaps in proptest::collection::vec(0u64..200, 4),
        chooses: bool,
        skipped in 0u64..3,
    ) {
        for encoding in WireFormat::ALL.map(of) {
            let mut head = 1_000;
            let mut inside = Vec::new();
            let mut expect = Vec::new();
            for (batch, gap) in batches.iter().zip(&gaps) {
                head += gap;
                let numbered: Vec<_> = batch
                    .iter()
                    .zip(head + 1..)
                    .map(|(((place, tick), _), seq)| (*place, tick.clone().numbered(seq)))
                    .collect();
                head += numbered.len() as u64;
                let pieces = EncodedTicks::new(encoding, &numbered, &catalogue());
                let is_chosen = |place: &usize| !chooses || batch[*place].1;
                let places: Vec<_> = (0..batch.len()).filter(is_chosen).collect();
                expect.extend(places.iter().map(|place| numbered[*place].1.clone()));
                if !chooses {
                    encoding.add(&mut inside, &pieces, Chosen::All);
                } else if !places.is_empty() {
                    encoding.add(&mut inside, &pieces, Chosen::Some(&places));
                }
            }
            let message = ServerMessage::Ticks {
                from: at(900),
                cursor: at(head),
                ticks: expect,
                skipped,
            };
            let other = ServerMessage::Subscribed { req: Some(1), symbols: vec!["*".to_owned()], pace: Pace::default() };
            let mut bytes = [Vec::new(), Vec::new()];
            encoding.message(&other, &mut bytes[0]).unwrap();
            encoding.ticks_message((at(900), at(head)), skipped, &inside, &mut bytes[1]);
            if encoding.format() == WireFormat::Json {
                // The same bytes as for any other message.
                let mut whole = Vec::new();
                encoding.message(&message, &mut whole).unwrap();
                prop_assert_eq!(&whole, &bytes[1]);
            }
            let bytes = bytes.map(Into::into);
            let answer = read(encoding, &encoding.answer(at(900), at(head), &bytes));
            prop_assert_eq!((answer.from, answer.cursor), (at(900), at(head)));
            prop_assert_eq!(answer.events, [other, message]);
        }
    }

    #[test]
    fn nothing_that_comes_makes_a_reader_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        ticks in proptest::collection::vec(ticks(), 1..20),
        damaged: proptest::sample::Index,
        byte: u8,
    ) {
        let mut instruments = Instruments::default();
        instruments.learn_all(&catalogue());
        let _ = instruments.read(&bytes);
        let _ = instruments.read_answer(&bytes);
        // Nearly valid input reaches more of the code.
        let encoding = super::BINARY;
        let ticks: Vec<_> = ticks
            .into_iter()
            .zip(1..)
            .map(|((place, tick), seq)| (place, tick.numbered(seq)))
            .collect();
        let mut inside = Vec::new();
        encoding.add(&mut inside, &EncodedTicks::new(encoding, &ticks, &catalogue()), Chosen::All);
        let mut message = Vec::new();
        encoding.ticks_message((at(0), at(20)), 0, &inside, &mut message);
        let at = damaged.index(message.len());
        message[at] = byte;
        if let Ok(ServerMessage::Ticks { ticks, .. }) = instruments.read(&message) {
            // Each tick takes some bytes.
            assert!(ticks.len() * 5 <= message.len());
        }
        message.truncate(at);
        let _ = instruments.read(&message);
    }
}
