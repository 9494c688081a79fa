//! What has to hold in WebAssembly, in a browser: numbers that JavaScript would
//! round, and the store that feeds the views.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

use frontend::store::{Field, Flash, Slot, Store};
use leptos::prelude::*;
use shared::{Chain, ServerMessage, Verdict};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const SNAPSHOT: &str = r#"{"event":"snapshot","reason":"start","cursor":"k3f9zq-18446744073709551613","symbols":[
    {"symbol":"BTC-USD","name":"Bitcoin","decimals":2,"last":"64000.00","bid":"63999.50","ask":"64000.50",
     "open":"63000.00","high":"64500.00","low":"62990.10","volume":"1893.4421","time":1763836800000000}]}"#;
const TICKS: &str = r#"{"event":"ticks","from":"k3f9zq-18446744073709551613","cursor":"k3f9zq-18446744073709551614","ticks":[
    {"seq":18446744073709551614,"symbol":"BTC-USD","time":1763836800012345,"price":"64012.75","qty":"0.00000001",
     "side":"buy","bid":"64012.50","ask":"64013.00"}]}"#;

fn message(json: &str) -> ServerMessage {
    serde_json::from_str(json).unwrap()
}

#[wasm_bindgen_test]
fn numbers_beyond_a_double_survive() {
    let mut chain = Chain::default();
    assert_eq!(chain.follow(&message(SNAPSHOT)), Verdict::Apply);
    assert_eq!(chain.follow(&message(TICKS)), Verdict::Apply);
    let cursor = chain.cursor().unwrap().to_string();
    assert_eq!(cursor, "k3f9zq-18446744073709551614");
    assert_eq!((chain.missed(), chain.repeated()), (0, 0));
    let again = serde_json::to_string(&message(TICKS)).unwrap();
    assert!(again.contains(r#""seq":18446744073709551614,"#), "{again}");
    assert!(again.contains(r#""qty":"0.00000001""#), "{again}");
}

/// The text of a number that a place shows.
fn text(slot: &Slot, field: Field) -> Option<String> {
    slot.numbers[field as usize]
        .get_untracked()
        .map(|number| number.value.to_string())
}

fn symbol(slot: &Slot) -> Option<String> {
    slot.listing.get_untracked().map(|listing| listing.symbol)
}

#[wasm_bindgen_test]
fn ticks_reach_the_signals_at_the_next_flush() {
    let owner = Owner::new();
    owner.with(|| {
        let (store, _asked) = Store::new();
        store.look(0, 5);
        store.show("BTC-USD");
        store.apply(&message(SNAPSHOT), Verdict::Apply);
        store.flush();
        let slots = store.slots.get_untracked();
        let row = slots[0];
        assert_eq!(store.counts.get_untracked(), (1, 1));
        assert_eq!(symbol(&row).as_deref(), Some("BTC-USD"));
        assert_eq!(symbol(&slots[1]), None);
        assert_eq!(text(&row, Field::Last).as_deref(), Some("64000.00"));
        assert_eq!(text(&row, Field::Change).as_deref(), Some("1000.00"));
        assert_eq!(text(&row, Field::ChangePercent).as_deref(), Some("1.59"));
        assert_eq!(row.flash.get_untracked(), Flash::None);

        store.apply(&message(TICKS), Verdict::Apply);
        assert_eq!(
            text(&row, Field::Last).as_deref(),
            Some("64000.00"),
            "not before the flush"
        );
        store.flush();
        assert_eq!(text(&row, Field::Last).as_deref(), Some("64012.75"));
        assert_eq!(
            text(&store.headline, Field::Last).as_deref(),
            Some("64012.75")
        );
        assert_eq!(text(&row, Field::Ask).as_deref(), Some("64013.00"));
        assert_eq!(text(&row, Field::Volume).as_deref(), Some("1893.44210001"));
        assert_eq!(row.flash.get_untracked(), Flash::Up(0));
        assert_eq!(store.tape.get_untracked().len(), 1);

        // A tick that came before is not counted again.
        let seen = 18_446_744_073_709_551_614;
        store.apply(&message(TICKS), Verdict::ApplyAfter(seen));
        store.flush();
        assert_eq!(text(&row, Field::Volume).as_deref(), Some("1893.44210001"));
    });
}

#[wasm_bindgen_test]
fn places_show_what_one_has_scrolled_to() {
    let owner = Owner::new();
    owner.with(|| {
        let (store, _asked) = Store::new();
        let state = |symbol: &str| {
            format!(r#"{{"symbol":"{symbol}","name":"{symbol}","decimals":2,"volume":"0"}}"#)
        };
        let states: Vec<_> = (0..5_000).map(|n| state(&format!("S{n:04}"))).collect();
        let snapshot = format!(
            r#"{{"event":"snapshot","reason":"start","cursor":"k-1","symbols":[{}]}}"#,
            states.join(",")
        );
        store.apply(&message(&snapshot), Verdict::Apply);
        store.look(0, 40);
        store.flush();
        store.look(4_980, 40);
        let slots = store.slots.get_untracked();
        assert_eq!(slots.len(), 40, "no more places than can be seen");
        assert_eq!(symbol(&slots[0]).as_deref(), Some("S4980"));
        assert_eq!(symbol(&slots[19]).as_deref(), Some("S4999"));
        assert_eq!(symbol(&slots[20]), None);
        assert_eq!(store.position_of("S4999"), Some(4_999));
    });
}
