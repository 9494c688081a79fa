//! The WebSocket over a raw socket: what RFC 6455 asks of a server, and what it
//! has to refuse. The numbers are those of Autobahn's test suite, where there is
//! such a case; the others say which section they are about.

mod cases;
mod frames;

use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::future::join_all;
use testkit::TestServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use cases::{Case, Expect};
use frames::{CLOSE, Frame, PONG, TEXT};

const PATIENCE: Duration = Duration::from_secs(20);
const HANDSHAKE: &str = "GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n\
    upgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// A command whose answer shows that the connection stays.
const PING: &str = r#"{"op":"ping","req":7,"client_time":1}"#;

/// A frame of the server: its opcode and payload.
type Received = (u8, Vec<u8>);

struct Socket {
    tcp: TcpStream,
    rest: Vec<u8>,
}

impl Socket {
    async fn connect(server: &TestServer) -> anyhow::Result<Self> {
        let mut tcp = TcpStream::connect(server.address()).await?;
        tcp.set_nodelay(true)?;
        tcp.write_all(HANDSHAKE.as_bytes()).await?;
        let mut socket = Self {
            tcp,
            rest: Vec::new(),
        };
        let end = loop {
            let end = socket.rest.windows(4).position(|four| four == b"\r\n\r\n");
            match end {
                Some(end) => break end + 4,
                None => anyhow::ensure!(socket.read().await?, "no handshake"),
            }
        };
        anyhow::ensure!(socket.rest.starts_with(b"HTTP/1.1 101 "));
        socket.rest.drain(..end);
        Ok(socket)
    }

    /// Reads what there is; false at the end.
    async fn read(&mut self) -> anyhow::Result<bool> {
        let mut part = [0; 4_096];
        // A connection that was reset has ended, too.
        let count = self.tcp.read(&mut part).await.unwrap_or(0);
        self.rest.extend_from_slice(&part[..count]);
        Ok(count > 0)
    }

    /// The next frame; `None` at the end.
    async fn frame(&mut self) -> anyhow::Result<Option<Received>> {
        loop {
            if let Some((frame, length)) = first_frame(&self.rest)? {
                self.rest.drain(..length);
                return Ok(Some(frame));
            }
            if !self.read().await? {
                return Ok(None);
            }
        }
    }

    /// Sends the bytes of a case, in one piece or byte by byte.
    async fn send(&mut self, case: &Case) -> anyhow::Result<()> {
        let bytes: Vec<u8> = case.frames.iter().flat_map(Frame::bytes).collect();
        if !case.byte_by_byte {
            return Ok(self.tcp.write_all(&bytes).await?);
        }
        for byte in bytes {
            // The server may have refused it by now.
            if self.tcp.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// The first frame and its length, if all of it is there.
fn first_frame(bytes: &[u8]) -> anyhow::Result<Option<(Received, usize)>> {
    let [first, second, ..] = *bytes else {
        return Ok(None);
    };
    if first & 0xf0 != 0x80 || second & 0x80 != 0 {
        bail!("a server sends whole frames, without reserved bits or masks: {first:x} {second:x}");
    }
    let (length_bytes, length) = match second {
        126 => (2, None),
        127 => (8, None),
        length => (0, Some(u64::from(length))),
    };
    let head = 2 + length_bytes;
    let Some(bytes_of_length) = bytes.get(2..head) else {
        return Ok(None);
    };
    let long = |length, byte: &u8| length << 8 | u64::from(*byte);
    let length = length.unwrap_or_else(|| bytes_of_length.iter().fold(0, long));
    let end = head + usize::try_from(length)?;
    let payload = bytes.get(head..end);
    Ok(payload.map(|payload| ((first & 0x0f, payload.to_vec()), end)))
}

async fn check(server: &TestServer, case: &Case) -> anyhow::Result<()> {
    let mut socket = Socket::connect(server).await?;
    socket.send(case).await?;
    let mut pongs = Vec::new();
    if matches!(case.expect, Expect::Stays | Expect::Pongs(_)) {
        let ping = Frame::new(TEXT, PING).bytes();
        socket.tcp.write_all(&ping).await?;
    }
    loop {
        let frame = socket.frame().await?;
        match (&case.expect, frame) {
            (_, Some((PONG, payload))) => pongs.push(payload),
            (Expect::Stays | Expect::Pongs(_), Some((TEXT, text))) => {
                let text = String::from_utf8(text)?;
                if text.contains(r#""event":"pong","req":7"#) {
                    break;
                }
            }
            (Expect::Closes(code), Some((CLOSE, payload))) => {
                let found = payload.first_chunk().copied().map(u16::from_be_bytes);
                anyhow::ensure!(found == *code, "closed with {found:?}, not {code:?}");
                let reason = payload.get(2..).unwrap_or_default();
                anyhow::ensure!(
                    std::str::from_utf8(reason).is_ok(),
                    "a reason that is no text"
                );
                anyhow::ensure!(
                    socket.frame().await?.is_none(),
                    "more after the close frame"
                );
                break;
            }
            (Expect::Closes(_), Some((TEXT, _))) => {}
            (expect, other) => bail!("{other:?}, where {expect:?} was expected"),
        }
    }
    let expected = match &case.expect {
        Expect::Pongs(expected) => &expected[..],
        _ => &[],
    };
    anyhow::ensure!(pongs == expected, "pongs {pongs:?}");
    Ok(())
}

#[tokio::test]
async fn what_the_standard_asks() -> anyhow::Result<()> {
    let server = TestServer::start(&["--rate=0.001"]).await?;
    let cases = cases::all();
    assert!(cases.len() >= 60, "{}", cases.len());
    // Side by side: the server gives a client that it closes some time to read why.
    let checks = cases.iter().map(async |case| {
        let checked = timeout(PATIENCE, check(&server, case)).await;
        checked
            .unwrap_or_else(|late| Err(late.into()))
            .context(case.name)
    });
    let faults = join_all(checks).await.into_iter().filter_map(Result::err);
    let faults: Vec<_> = faults.map(|fault| format!("{fault:#}")).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    println!("{} cases", cases.len());
    server.stop().await
}
