use super::*;
use crate::ClientCommand;
use crate::{Decimal, Quote, Side, Trade};
use proptest::prelude::*;

/// The examples from the design of the wire, unchanged.
const EXAMPLES: [&str; 13] = [
    r#"{"event":"hello","version":4,"epoch":"k3f9zq","server_time":1763836800000000,"heartbeat_ms":5000}"#,
    r#"{"event":"snapshot","reason":"start","cursor":"k3f9zq-128843","symbols":[{"symbol":"BTC-USD","name":"Bitcoin","decimals":2,"qty_decimals":4,"index":0,"last":"64012.50","bid":"64012.00","ask":"64013.00","open":"63100.00","high":"64500.00","low":"62990.10","volume":"1893.4421","time":1763836800000000}]}"#,
    r#"{"event":"ticks","from":"k3f9zq-128843","cursor":"k3f9zq-128845","ticks":[{"seq":128844,"symbol":"BTC-USD","time":1763836800012345,"price":"64012.75","qty":"0.0125","side":"buy","bid":"64012.50","ask":"64013.00"}]}"#,
    r#"{"event":"ticks","from":"k3f9zq-128845","cursor":"k3f9zq-128853","ticks":[{"seq":128852,"symbol":"BTC-USD","time":1763836800012345,"at":1763836800012400,"id":"81236","price":"64012.75","qty":"0.0125"},{"seq":128853,"symbol":"BTC-USD","time":1763836800012346,"bid":"64012.50","bid_qty":"0.4","ask":"64013.00","ask_qty":"1.1"}],"skipped":6}"#,
    r#"{"event":"subscribed","req":1,"symbols":["BTC-USD"],"every_ms":500,"latest":true}"#,
    r#"{"event":"status","feed":"kraken","label":"Kraken","state":"reconnecting","detail":"connection refused","retry_ms":2000}"#,
    r#"{"event":"alerts","from":"k3f9zq-128845","cursor":"k3f9zq-128846","firings":[{"id":7,"symbol":"BTC-USD","above":"64000.00","price":"64012.75","time":1763836800012345,"count":1},{"id":8,"symbol":"BTC-USD","moves":{"percent":"2.5","window_s":60},"price":"64012.75","time":1763836800012345,"at":1763836800013000,"count":3,"note":"hm"}]}"#,
    r#"{"event":"alerts_changed","from":"k3f9zq-128846","cursor":"k3f9zq-128847","changed":[{"id":7,"version":2,"symbol":"BTC-USD","above":"64000.00","repeat":false,"cooldown_s":60,"enabled":true,"note":"","created":1763836800000000,"fired":0}],"deleted":[3,4]}"#,
    r#"{"event":"alerts_changed","from":"k3f9zq-128846","cursor":"k3f9zq-128847","changed":[],"deleted":[],"more":true}"#,
    r#"{"event":"store","from":"k3f9zq-128846","cursor":"k3f9zq-128847","saving":false,"detail":"database or disk is full","lost":3}"#,
    r#"{"event":"heartbeat","from":"k3f9zq-128845","cursor":"k3f9zq-128860","server_time":1763836805000000}"#,
    r#"{"event":"pong","req":9,"client_time":1763836805000000,"server_time":1763836805000100}"#,
    r#"{"event":"error","req":2,"code":"unknown_symbol","message":"no symbol 'BTC-EURO'; did you mean BTC-EUR?"}"#,
];

#[test]
fn the_examples_of_the_design_survive_a_round_trip() {
    for example in EXAMPLES {
        let message: ServerMessage = serde_json::from_str(example).unwrap();
        let json: serde_json::Value = serde_json::from_str(example).unwrap();
        assert_eq!(json["event"], message.event());
        let field = |name: &str| json[name].as_str().map(str::to_owned);
        assert_eq!(
            message.cursor().map(|cursor| cursor.to_string()),
            field("cursor")
        );
        let from = message.span().map(|(from, _)| from.to_string());
        assert_eq!(from, field("from"));
        assert_ne!(message, ServerMessage::Unknown, "{example}");
        assert_eq!(serde_json::to_string(&message).unwrap(), example);
    }
}

#[test]
fn every_kind_is_streamed_or_an_answer() {
    let mut kinds: Vec<_> = STREAMED.into_iter().chain(["subscribed", "pong"]).collect();
    kinds.sort_unstable();
    let mut known: Vec<String> = EXAMPLES
        .iter()
        .map(|example| serde_json::from_str::<serde_json::Value>(example).unwrap())
        .map(|example| example["event"].as_str().unwrap().to_owned())
        .collect();
    known.sort_unstable();
    known.dedup();
    assert_eq!(kinds, known);
}

#[test]
fn the_commands_of_the_design_survive_a_round_trip() {
    for example in [
        r#"{"op":"subscribe","req":1,"symbols":["BTC-USD","ETH-USD"],"cursor":"k3f9zq-128843"}"#,
        r#"{"op":"unsubscribe","req":2,"symbols":["ETH-USD"]}"#,
        r#"{"op":"pace","req":3,"every_ms":500,"latest":true}"#,
        r#"{"op":"ping","req":9,"client_time":1763836805000000}"#,
    ] {
        let command: ClientCommand = serde_json::from_str(example).unwrap();
        assert_eq!(serde_json::to_string(&command).unwrap(), example);
    }
}

#[test]
fn unknown_kinds_and_fields_are_ignored() {
    let unknown = r#"{"event":"weather","sky":"blue"}"#;
    assert_eq!(
        serde_json::from_str::<ServerMessage>(unknown).unwrap(),
        ServerMessage::Unknown
    );
    let extra = r#"{"event":"pong","client_time":1,"server_time":2,"mood":"good"}"#;
    assert!(matches!(
        serde_json::from_str(extra).unwrap(),
        ServerMessage::Pong { req: None, .. }
    ));
}

#[test]
fn a_decimal_keeps_its_zeros_and_its_digits() {
    let text = r#""5000000000.00000010""#;
    let decimal: Decimal = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&decimal).unwrap(), text);
}

fn decimals() -> impl Strategy<Value = Decimal> {
    (any::<i64>(), 0u32..=18).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale))
}

fn ticks() -> impl Strategy<Value = Tick> {
    let maybe = || proptest::option::of(decimals());
    (
        any::<(u64, i64, Option<i64>)>(),
        "[A-Z]{1,8}(-[A-Z]{3})?",
        proptest::option::of((decimals(), proptest::option::of("[0-9a-z]{1,9}"))),
        decimals(),
        [maybe(), maybe(), maybe(), maybe()],
        proptest::option::of(prop_oneof![Just(Side::Buy), Just(Side::Sell)]),
    )
        .prop_map(|((seq, time, at), symbol, price, qty, quotes, side)| {
            let [bid, bid_qty, ask, ask_qty] = quotes;
            let (time, at) = (Time::from_micros(time), at.map(Time::from_micros));
            match price {
                Some((price, id)) => Tick::Trade(Trade {
                    seq,
                    symbol,
                    time,
                    at,
                    id,
                    price,
                    qty,
                    side,
                    bid,
                    ask,
                }),
                None => Tick::Quote(Quote {
                    seq,
                    symbol,
                    time,
                    at,
                    bid,
                    bid_qty,
                    ask,
                    ask_qty,
                }),
            }
        })
}

proptest! {
    #[test]
    fn any_ticks_survive_a_round_trip(
        epoch: u32,
        from: u64,
        to: u64,
        ticks in proptest::collection::vec(ticks(), 0..8),
        skipped in 0u64..3,
    ) {
        let epoch = Epoch::from_number(epoch);
        let message = ServerMessage::Ticks {
            from: Cursor { epoch, seq: from },
            cursor: Cursor { epoch, seq: to },
            ticks,
            skipped,
        };
        let json = serde_json::to_vec(&message).unwrap();
        prop_assert_eq!(serde_json::from_slice::<ServerMessage>(&json).unwrap(), message);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = serde_json::from_slice::<ServerMessage>(&bytes);
        let _ = serde_json::from_slice::<ClientCommand>(&bytes);
    }

    /// Nearly valid input reaches more code than random bytes do.
    #[test]
    fn damaged_messages_never_panic(
        which in 0..EXAMPLES.len(),
        at: proptest::sample::Index,
        byte: u8,
    ) {
        let mut bytes = EXAMPLES[which].as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = serde_json::from_slice::<ServerMessage>(&bytes);
        bytes.truncate(at);
        let _ = serde_json::from_slice::<ServerMessage>(&bytes);
    }
}
