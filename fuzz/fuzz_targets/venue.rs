//! What exchanges send and answer. Whatever it is, it is read or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for venue in venues::VENUES {
        let _ = venue.parse(text);
        let _ = venue.parse_trades(text);
        let _ = venue.parse_candles(text);
        let _ = venue.parse_listing(text);
    }
});
