//! What goes over a WebSocket besides messages: goodbyes, and faults of those who
//! do not keep to the protocol.

use anyhow::Context as _;
use testkit::TestServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};

const PATIENCE: Duration = Duration::from_secs(30);
const MASK: [u8; 4] = [1, 2, 3, 4];

/// A connection after the handshake. No library: it would not break the rules.
async fn connect(server: &TestServer) -> anyhow::Result<TcpStream> {
    let mut tcp = TcpStream::connect(server.address()).await?;
    let host = server.address();
    let request = format!(
        "GET /ws HTTP/1.1\r\nhost: {host}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    tcp.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await?);
    }
    Ok(tcp)
}

/// A frame as a client sends it: first byte, and the payload, masked.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | payload.len().min(126) as u8];
    if payload.len() >= 126 {
        frame[1] = 0x80 | 127;
        frame.extend((payload.len() as u64).to_be_bytes());
    }
    frame.extend(MASK);
    frame.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

/// Code and reason of the server's goodbye, and whether the connection then
/// ended.
async fn goodbye(tcp: &mut TcpStream) -> anyhow::Result<(u16, String)> {
    let found = async {
        loop {
            let (first, length) = (tcp.read_u8().await?, tcp.read_u8().await?);
            let length = match length {
                126 => tcp.read_u16().await?.into(),
                127 => tcp.read_u64().await?,
                length => length.into(),
            };
            let mut payload = vec![0; usize::try_from(length)?];
            tcp.read_exact(&mut payload).await?;
            if first == 0x88 {
                let code = payload.first_chunk::<2>().context("no code")?;
                let reason = String::from_utf8(payload[2..].to_vec())?;
                return anyhow::Ok((u16::from_be_bytes(*code), reason));
            }
        }
    };
    let found = timeout(PATIENCE, found).await.context("no goodbye")??;
    let rest = timeout(PATIENCE, tcp.read_to_end(&mut Vec::new())).await;
    let rest = rest.context("the connection stays open")?;
    // What was sent after a fault is not read any more, which resets the
    // connection; a goodbye is the end of it.
    anyhow::ensure!(rest.is_ok() || found.0 != 1000, "{rest:?}");
    Ok(found)
}

async fn check(server: &TestServer, sent: &[u8], code: u16, reason: &str) -> anyhow::Result<()> {
    let mut tcp = connect(server).await?;
    tcp.write_all(sent).await?;
    let (found, why) = goodbye(&mut tcp).await?;
    assert_eq!(found, code, "{why}");
    assert!(why.contains(reason), "{code}: {why:?} lacks {reason:?}");
    Ok(())
}

#[tokio::test]
async fn a_goodbye_is_answered() -> anyhow::Result<()> {
    let server = TestServer::start(&[]).await?;
    check(&server, &frame(0x88, &1000u16.to_be_bytes()), 1000, "").await?;
    let with_reason = [&4321u16.to_be_bytes()[..], b"enough"].concat();
    check(&server, &frame(0x88, &with_reason), 4321, "enough").await?;
    server.stop().await
}

#[tokio::test]
async fn faults_are_told() -> anyhow::Result<()> {
    let server = TestServer::start(&[]).await?;
    let text = |payload: &[u8]| frame(0x81, payload);
    check(&server, &text(b"\xff\xfe"), 1007, "UTF-8").await?;
    check(&server, &text(&vec![b'x'; 512 * 1024 + 1]), 1009, "524288").await?;
    let unmasked = [&[0x81, 2][..], b"{}"].concat();
    check(&server, &unmasked, 1002, "mask").await?;
    check(&server, &frame(0xc1, b"{}"), 1002, "reserved").await?;
    check(&server, &frame(0x83, b"{}"), 1002, "3").await?;
    check(&server, &frame(0x8b, b"{}"), 1002, "").await?;
    check(&server, &frame(0x09, b"ping"), 1002, "fragmented").await?;
    // The others are unharmed.
    let mut tcp = connect(&server).await?;
    tcp.write_all(&frame(0x89, b"still there?")).await?;
    let mut seen = Vec::new();
    let pong = async {
        while !seen.ends_with(b"still there?") {
            seen.push(tcp.read_u8().await?);
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, pong).await.context("no pong")??;
    server.stop().await
}

#[tokio::test]
async fn an_idle_connection_may_stay_as_long_as_is_set() -> anyhow::Result<()> {
    let server = TestServer::start(&["--keep-alive-s=1", "--rate=0.001"]).await?;
    let mut tcp = TcpStream::connect(server.address()).await?;
    let request = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    tcp.write_all(request).await?;
    let mut answer = Vec::new();
    // It ends by itself, after the answer.
    timeout(PATIENCE, tcp.read_to_end(&mut answer))
        .await
        .context("it stays open")??;
    assert!(answer.ends_with(b"alive\n"));
    // What is being answered is not idle.
    let mut tcp = TcpStream::connect(server.address()).await?;
    let stream = b"GET /api/stream?symbols=BTC-USD HTTP/1.1\r\nhost: localhost\r\n\r\n";
    tcp.write_all(stream).await?;
    let mut seen = Vec::new();
    let beats = async {
        while !String::from_utf8_lossy(&seen).contains("event: heartbeat") {
            seen.push(tcp.read_u8().await?);
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, beats).await.context("no heartbeat")??;
    server.stop().await
}
