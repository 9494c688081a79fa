//! The answer of a poll in the binary encoding.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(answer) = fuzz::instruments().read_answer(bytes) {
        assert!(answer.events.len() <= bytes.len());
    }
});
