//! A message as JSON. What can be read is written and read again without a change.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::ServerMessage;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = serde_json::from_slice::<ServerMessage>(bytes)
        && message != ServerMessage::Unknown
    {
        let json = serde_json::to_vec(&message).expect("it can be written");
        let again = serde_json::from_slice::<ServerMessage>(&json).expect("it can be read");
        assert_eq!(again, message);
    }
});
