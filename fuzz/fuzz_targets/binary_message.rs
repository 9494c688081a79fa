//! A message in the binary encoding: no panic, and no more ticks than bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::ServerMessage;
use shared::binary::span_of_ticks;

fuzz_target!(|bytes: &[u8]| {
    let message = fuzz::instruments().read(bytes);
    if let Ok(message @ ServerMessage::Ticks { .. }) = &message {
        if bytes[0] == shared::binary::KIND_TICKS {
            assert_eq!(span_of_ticks(bytes), message.span());
        }
        if let ServerMessage::Ticks { ticks, .. } = message {
            assert!(ticks.len() <= bytes.len());
        }
    }
});
