//! Counts what a client sent and received, in bytes above TCP.

use reqwest::header::HeaderMap;
use shared::{Sender, frame_head_bytes};

/// The totals of a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests sent; a stream or a WebSocket counts as one.
    pub requests: u64,
    /// Polls answered.
    pub answers: u64,
    /// Polls answered without messages.
    pub empty: u64,
    /// Bytes of messages received.
    pub payload: u64,
    /// Bytes from the server, including headers, frame headers and,
    /// approximately, chunk headers.
    pub down: u64,
    /// Bytes to the server, including headers.
    pub up: u64,
}

impl Traffic {
    /// Counts a request for this URL with this `accept` header, answered with
    /// these headers.
    pub(crate) fn exchanged(&mut self, url: &reqwest::Url, accept: &str, headers: &HeaderMap) {
        self.requests += 1;
        let path = url.path().len() + url.query().map_or(0, |query| query.len() + 1);
        let host = url.authority().len();
        // Exactly what the HTTP library sends.
        self.up +=
            ("GET  HTTP/1.1\r\naccept: \r\nhost: \r\n\r\n".len() + path + accept.len() + host)
                as u64;
        self.down += "HTTP/1.1 200 OK\r\n\r\n".len() as u64 + lines(headers);
    }

    /// Counts the request and answer headers of a WebSocket handshake.
    pub(crate) fn shook_hands(&mut self, path: usize, up: &HeaderMap, down: &HeaderMap) {
        self.requests += 1;
        self.up += ("GET  HTTP/1.1\r\n\r\n".len() + path) as u64 + lines(up);
        self.down += "HTTP/1.1 101 Switching Protocols\r\n\r\n".len() as u64 + lines(down);
    }

    /// Counts a received frame with a payload of this size.
    pub(crate) fn framed(&mut self, payload: usize) {
        self.payload += payload as u64;
        self.down += payload as u64 + frame_head_bytes(Sender::Server, payload as u64);
    }

    /// Adds the counts of another client.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.answers += other.answers;
        self.empty += other.empty;
        self.payload += other.payload;
        self.down += other.down;
        self.up += other.up;
    }
}

/// The size of the headers, each as `name: value` and a line end.
fn lines(headers: &HeaderMap) -> u64 {
    let lines = headers.iter();
    let sizes = lines.map(|(name, value)| name.as_str().len() + value.len() + 4);
    sizes.sum::<usize>() as u64
}
