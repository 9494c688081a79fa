//! What has to hold in WebAssembly, in a browser: numbers that JavaScript would
//! round, and the store that feeds the views.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test that panics fails")]

use frontend::store::{Flash, Store};
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

#[wasm_bindgen_test]
fn ticks_reach_the_signals_at_the_next_flush() {
    let owner = Owner::new();
    owner.with(|| {
        let store = Store::default();
        store.apply(&message(SNAPSHOT), Verdict::Apply);
        store.flush();
        let row = store.row_signals.get_untracked().remove(0);
        let text = |signal: &ArcRwSignal<Option<shared::Decimal>>| {
            signal.get_untracked().map(|value| value.to_string())
        };
        assert_eq!(text(&row.last).as_deref(), Some("64000.00"));
        assert_eq!(text(&row.change).as_deref(), Some("1000.00"));
        assert_eq!(text(&row.change_percent).as_deref(), Some("1.59"));
        assert_eq!(row.flash.get_untracked(), Flash::None);

        store.apply(&message(TICKS), Verdict::Apply);
        assert_eq!(
            text(&row.last).as_deref(),
            Some("64000.00"),
            "not before the flush"
        );
        store.flush();
        assert_eq!(text(&row.last).as_deref(), Some("64012.75"));
        assert_eq!(text(&row.ask).as_deref(), Some("64013.00"));
        assert_eq!(text(&row.volume).as_deref(), Some("1893.44210001"));
        assert_eq!(row.flash.get_untracked(), Flash::Up(0));
        assert_eq!(store.tape.get_untracked().len(), 1);

        // A tick that came before is not counted again.
        let seen = 18_446_744_073_709_551_614;
        store.apply(&message(TICKS), Verdict::ApplyAfter(seen));
        store.flush();
        assert_eq!(text(&row.volume).as_deref(), Some("1893.44210001"));
    });
}

#[wasm_bindgen_test]
fn a_row_of_another_catalogue_is_another_row() {
    let owner = Owner::new();
    owner.with(|| {
        let store = Store::default();
        store.apply(&message(SNAPSHOT), Verdict::Apply);
        let first = store.row_signals.get_untracked().remove(0);
        store.apply(&message(SNAPSHOT), Verdict::Apply);
        assert_eq!(
            store.row_signals.get_untracked()[0].catalogue,
            first.catalogue
        );
        let finer = SNAPSHOT.replace(r#""decimals":2"#, r#""decimals":3"#);
        store.apply(&message(&finer), Verdict::Apply);
        assert_ne!(
            store.row_signals.get_untracked()[0].catalogue,
            first.catalogue
        );
    });
}
