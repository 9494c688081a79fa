//! The sizes of WebSocket frames (RFC 6455, section 5.2).

/// The sender of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Frames of clients have a mask of four bytes.
    Client,
    /// Frames of servers have no mask.
    Server,
}

/// The size of a frame's header, in bytes, for a payload of this size.
pub fn frame_head_bytes(sender: Sender, payload: u64) -> u64 {
    let mask = match sender {
        Sender::Client => 4,
        Sender::Server => 0,
    };
    let length = match payload {
        0..126 => 2,
        126..65_536 => 4,
        _ => 10,
    };
    length + mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_grow_with_what_follows() {
        for (payload, head) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            assert_eq!(frame_head_bytes(Sender::Server, payload), head);
            assert_eq!(frame_head_bytes(Sender::Client, payload), head + 4);
        }
    }
}
