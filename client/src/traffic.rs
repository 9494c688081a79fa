//! What a client sent and received, in bytes above TCP.

use reqwest::header::HeaderMap;
use shared::{Sender, frame_head_bytes};

/// Totals of one client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests sent; a stream or a WebSocket is one.
    pub requests: u64,
    /// Polls answered.
    pub answers: u64,
    /// Polls answered with nothing new.
    pub empty: u64,
    /// Bytes of messages received.
    pub payload: u64,
    /// Bytes from the server, with heads, frames and, about, chunks.
    pub down: u64,
    /// Bytes to the server, with heads.
    pub up: u64,
}

impl Traffic {
    /// A request for this address, that took this media type, was answered with
    /// these headers.
    pub(crate) fn exchanged(&mut self, url: &reqwest::Url, accept: &str, headers: &HeaderMap) {
        self.requests += 1;
        let path = url.path().len() + url.query().map_or(0, |query| query.len() + 1);
        let host = url.authority().len();
        // What this library sends, word for word.
        self.up +=
            ("GET  HTTP/1.1\r\naccept: \r\nhost: \r\n\r\n".len() + path + accept.len() + host)
                as u64;
        self.down += "HTTP/1.1 200 OK\r\n\r\n".len() as u64 + lines(headers);
    }

    /// The head of a WebSocket's handshake was answered by another one.
    pub(crate) fn shook_hands(&mut self, path: usize, up: &HeaderMap, down: &HeaderMap) {
        self.requests += 1;
        self.up += ("GET  HTTP/1.1\r\n\r\n".len() + path) as u64 + lines(up);
        self.down += "HTTP/1.1 101 Switching Protocols\r\n\r\n".len() as u64 + lines(down);
    }

    /// A frame with so much in it came .
    pub(crate) fn framed(&mut self, payload: usize) {
        self.payload += payload as u64;
        self.down += payload as u64 + frame_head_bytes(Sender::Server, payload as u64);
    }

    /// Adds another client's.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.answers += other.answers;
        self.empty += other.empty;
        self.payload += other.payload;
        self.down += other.down;
        self.up += other.up;
    }
}

/// `name: value` and the line's end, for each.
fn lines(headers: &HeaderMap) -> u64 {
    let lines = headers.iter();
    let sizes = lines.map(|(name, value)| name.as_str().len() + value.len() + 4);
    sizes.sum::<usize>() as u64
}
