//! A message as JSON: the page's own reader, beside serde_json. What both read is
//! the same, and is written and read again without a change.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::ServerMessage;

fuzz_target!(|bytes: &[u8]| {
    let own = shared::from_json::<ServerMessage>(bytes);
    let other = serde_json::from_slice::<ServerMessage>(bytes);
    // The page's reader is the stricter one: of text that is not UTF-8, say.
    if let (Ok(own), Ok(other)) = (&own, &other) {
        assert_eq!(own, other);
    }
    if let Ok(message) = other
        && message != ServerMessage::Unknown
    {
        let json = serde_json::to_vec(&message).expect("it can be written");
        assert_eq!(shared::from_json::<ServerMessage>(&json), Ok(message));
    }
});
