//! A request to the real server, byte for byte: heads, queries, bodies of alerts.
//! The server answers none of them with an error of its own.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let answer = fuzz::server::answer(bytes);
    let head = String::from_utf8_lossy(&answer[..answer.len().min(12)]);
    assert!(!head.starts_with("HTTP/1.1 5"), "{head}");
});
