//! A WebSocket client that decodes as little as possible, so that thousands of
//! them fit onto one core.

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest head of the handshake's answer.
const HEAD_MAX: usize = 8 * 1024;
/// The longest message that is accepted. No server sends a longer one.
const MESSAGE_MAX: u64 = 64 * 1024 * 1024;
/// The key of the handshake. It has to be random (RFC 6455, section 4.1) only
/// to protect caches on the way, and there are none here.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// An open WebSocket, and the beginning of a message whose rest has not arrived
/// yet.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    /// The bytes of the incomplete message. Empty and not allocated when there
    /// is none.
    rest: Vec<u8>,
    /// How many bytes have been read so far.
    pub(super) bytes: u64,
}

impl Socket {
    /// Opens a WebSocket.
    pub(super) async fn open(
        host: &str,
        path: &str,
        protocol: Option<&str>,
    ) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(host).await?;
        let protocol = protocol.map_or(String::new(), |name| {
            format!("Sec-WebSocket-Protocol: {name}\r\n")
        });
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{protocol}\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        let end = loop {
            if let Some(at) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if head.len() > HEAD_MAX || stream.read_buf(&mut head).await? == 0 {
                bail!("no answer to the handshake");
            }
        };
        let status = String::from_utf8_lossy(&head[..end]);
        let status = status.lines().next().unwrap_or_default();
        if status.split(' ').nth(1) != Some("101") {
            let told = String::from_utf8_lossy(&head);
            bail!("{told}");
        }
        head.drain(..end);
        Ok(Self {
            stream,
            rest: head,
            bytes: 0,
        })
    }

    /// Waits until data arrives, reads it, and calls `call` with each complete
    /// message. `buffer` is shared by all sockets.
    pub(super) async fn read(
        &mut self,
        buffer: &std::cell::RefCell<Vec<u8>>,
        mut call: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.stream.readable().await?;
        let mut buffer = buffer.borrow_mut();
        let got = match self.stream.try_read(&mut buffer) {
            Ok(0) => bail!("the server closed the connection"),
            Ok(got) => got,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.bytes += got as u64;
        let new = &buffer[..got];
        if self.rest.is_empty() {
            let used = frames(new, &mut call)?;
            self.rest = new[used..].to_vec();
        } else {
            self.rest.extend_from_slice(new);
            let used = frames(&self.rest, &mut call)?;
            if used == self.rest.len() {
                self.rest = Vec::new();
            } else {
                self.rest.drain(..used);
            }
        }
        Ok(())
    }
}

/// Calls `call` with each complete message; returns how many bytes these have,
/// frame heads included.
fn frames(
    bytes: &[u8],
    call: &mut impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<usize> {
    let mut used = 0;
    while let Some((head, length)) = head(&bytes[used..])? {
        let start = used + head;
        let Some(message) = bytes.get(start..start + length) else {
            break;
        };
        let opcode = bytes[used] & 0x0f;
        match opcode {
            1 | 2 => call(message)?,
            8 => bail!(
                "the server said goodbye: {}",
                String::from_utf8_lossy(message.get(2..).unwrap_or_default())
            ),
            _ => {}
        }
        used = start + length;
    }
    Ok(used)
}

/// The length of a frame's head and of its payload; `None` while the head is
/// incomplete (RFC 6455, section 5.2).
fn head(bytes: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let &[first, second, ..] = bytes else {
        return Ok(None);
    };
    if first & 0x80 == 0 || second & 0x80 != 0 {
        bail!("a frame that is a part of a message, or masked");
    }
    let number = |count: usize| {
        let digits = bytes.get(2..2 + count)?;
        Some(
            digits
                .iter()
                .fold(0, |sum, digit| sum << 8 | u64::from(*digit)),
        )
    };
    let (head, length) = match second {
        126 => (4, number(2)),
        127 => (10, number(8)),
        short => (2, Some(short.into())),
    };
    let Some(length) = length else {
        return Ok(None);
    };
    if length > MESSAGE_MAX {
        bail!("a message of {length} bytes");
    }
    let length = usize::try_from(length).context("a long message")?;
    Ok(Some((head, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_however_they_are_cut() {
        let mut bytes = vec![0x82, 3, 1, 2, 3, 0x89, 1, 9];
        bytes.extend([0x81, 126, 1, 0]);
        bytes.extend([7; 256]);
        for cut in 0..bytes.len() {
            let mut found = Vec::new();
            let mut call = |message: &[u8]| {
                found.push(message.to_vec());
                Ok(())
            };
            let used = frames(&bytes[..cut], &mut call).unwrap();
            frames(&bytes[used..], &mut call).unwrap();
            assert_eq!(found, [vec![1, 2, 3], vec![7; 256]], "cut at {cut}");
        }
    }
}
