//! Short texts that clients send: commands, cursors, decimals, lists of symbols.
//! What is read is written as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::{ClientCommand, Cursor, Decimal, Interval, Symbols, Time, WireFormat};

fuzz_target!(|text: &str| {
    let _ = serde_json::from_str::<ClientCommand>(text);
    let _ = text.parse::<Interval>();
    let _ = text.parse::<WireFormat>();
    let _ = text.parse::<Time>();
    let _ = Symbols::from_list(text);
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string(), text);
    }
    if let Ok(decimal) = text.parse::<Decimal>() {
        assert_eq!(decimal.to_string().parse(), Ok(decimal));
    }
});
