//! What answers may take: bytes, time, and calls at once.

use anyhow::Context as _;
use reqwest::StatusCode;
use serde_json::Value;
use shared::binary::Instruments;
use shared::{Cursor, ServerMessage, SnapshotAnswer, SymbolsAnswer, TicksAnswer};
use testkit::TestServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::{LOOK_AGAIN, PATIENCE, ask, check_refused, get, refusals, until_refused};

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_take_nothing() -> anyhow::Result<()> {
    let arguments = [
        "--slow-limit-s=1",
        "--symbols=200",
        "--rate=20000",
        "--log-capacity=4000000",
    ];
    for path in [
        "/api/stream?symbols=*",
        "/api/ticks?symbols=*&limit=50000&wait_ms=5000&pace_ms=1000",
        "/ws?symbols=*&encoding=json",
    ] {
        let server = TestServer::start(&arguments).await?;
        let start: Value = get(&server, "/api/snapshot").await?.json().await?;
        let cursor = start["cursor"].as_str().context("a cursor")?;
        let cursor = match path.contains("/api/ticks") {
            true => format!("&cursor={cursor}"),
            false => String::new(),
        };
        let upgrade = match path.starts_with("/ws") {
            true => {
                "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            }
            false => "",
        };
        if path.contains("/api/ticks") {
            // So that the answer is longer than what the system keeps.
            let poll = format!("/api/ticks?limit=50000{cursor}");
            let long = async {
                while get(&server, &poll).await?.content_length() < Some(2_000_000) {
                    sleep(LOOK_AGAIN).await;
                }
                anyhow::Ok(())
            };
            timeout(PATIENCE, long).await??;
        }
        let path = path.replace("&wait_ms=5000&pace_ms=1000", "");
        let request = format!("GET {path}{cursor} HTTP/1.1\r\nhost: localhost\r\n{upgrade}\r\n");
        let mut tcp = TcpStream::connect(server.address()).await?;
        socket2::SockRef::from(&tcp).set_recv_buffer_size(4_096)?;
        tcp.write_all(request.as_bytes()).await?;
        until_refused(&server, "slow").await?;
        // It is closed, whatever was still on its way.
        let mut rest = Vec::new();
        let _ = timeout(PATIENCE, tcp.read_to_end(&mut rest)).await?;
        assert_eq!(get(&server, "/api/time").await?.status(), 200, "{path}");
        server.stop().await?;
    }
    Ok(())
}

/// A poll is answered with as much as an answer may have, and the next one goes
/// on from there: nothing is left out.
#[tokio::test]
async fn bytes_of_one_answer() -> anyhow::Result<()> {
    // The log keeps minutes of this.
    let arguments = [
        "--max-answer-bytes=65536",
        "--rate=5000",
        "--log-capacity=4000000",
    ];
    let server = TestServer::start(&arguments).await?;
    let mut from = head(&server).await?;
    let filled = async {
        while head(&server).await?.seq < from.seq + 10_000 {
            sleep(LOOK_AGAIN).await;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, filled).await??;
    for _ in 0..3 {
        let path = format!("/api/ticks?cursor={from}&limit=50000");
        let answer = get(&server, &path).await?;
        check_length(&answer)?;
        let answer: TicksAnswer = answer.json().await?;
        assert_eq!(answer.from, from);
        assert_eq!(ticks_of(&answer), 65_536 / 160);
        from = answer.cursor;
    }
    let mut instruments = Instruments::default();
    let symbols: SymbolsAnswer = get(&server, "/api/symbols").await?.json().await?;
    instruments.learn_all(&symbols.symbols);
    let path = format!("/api/ticks?cursor={from}&limit=50000&encoding=binary");
    let answer = get(&server, &path).await?;
    check_length(&answer)?;
    let answer = instruments.read_answer(&answer.bytes().await?)?;
    assert_eq!(answer.from, from);
    assert_eq!(ticks_of(&answer), 65_536 / 20);
    server.stop().await
}

/// The newest position of a server.
async fn head(server: &TestServer) -> anyhow::Result<Cursor> {
    let answer: SnapshotAnswer = get(server, "/api/snapshot").await?.json().await?;
    Ok(answer.cursor)
}

/// Some ticks are longer than others, but not by much.
fn check_length(answer: &reqwest::Response) -> anyhow::Result<()> {
    let bytes = answer.content_length().context("a length")?;
    assert!((16_000..130_000).contains(&bytes), "{bytes} bytes");
    Ok(())
}

fn ticks_of(answer: &TicksAnswer) -> usize {
    let counts = answer.events.iter().map(|event| match event {
        ServerMessage::Ticks { ticks, .. } => ticks.len(),
        _ => 0,
    });
    counts.sum()
}

/// Clients that ask for much and take nothing: what they hold is bounded in all,
/// and comes back when they are gone.
#[tokio::test]
async fn bytes_of_all_answers() -> anyhow::Result<()> {
    let arguments = [
        "--max-unsent-bytes=40000000",
        "--slow-limit-s=2",
        // This machine is no proxy here, so that its clients have shares.
        "--trust-proxy=10.9.8.7",
        "--rate=20000",
        "--log-capacity=4000000",
    ];
    let server = TestServer::start(&arguments).await?;
    let cursor = head(&server).await?;
    let path = format!("/api/ticks?cursor={cursor}&limit=50000");
    let long = async {
        loop {
            let answer = get(&server, &path).await?;
            if answer
                .content_length()
                .is_some_and(|bytes| bytes > 3_000_000)
            {
                return anyhow::Ok(());
            }
            sleep(LOOK_AGAIN).await;
        }
    };
    timeout(PATIENCE, long).await??;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let mut held = Vec::new();
    let refused = async {
        // Each waits until the one before is answered: otherwise the bound on
        // connections is met first.
        loop {
            let mut tcp = TcpStream::connect(server.address()).await?;
            socket2::SockRef::from(&tcp).set_recv_buffer_size(4_096)?;
            let answer = ask(&mut tcp, &request).await?;
            if !answer.starts_with("HTTP/1.1 200 ") {
                return anyhow::Ok(answer);
            }
            held.push(tcp);
        }
    };
    let refused = timeout(PATIENCE, refused).await??;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refusals(&server, "unsent").await? > 0);
    // Others are unharmed, and so are short answers to the same client.
    let other = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    other.bind(&std::net::SocketAddr::from(([127, 0, 0, 2], 0)).into())?;
    other.connect(&server.address().into())?;
    other.set_nonblocking(true)?;
    let mut other = TcpStream::from_std(other.into())?;
    let answer = ask(&mut other, &request).await?;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(get(&server, "/api/time").await?.status(), 200);
    let free = async {
        while get(&server, &path).await?.status() != StatusCode::OK {
            sleep(LOOK_AGAIN).await;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, free).await??;
    assert!(refusals(&server, "slow").await? > 0);
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn history_calls_at_once() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let store = format!("--store={}", folder.path().join("history.db").display());
    let server = TestServer::start(&["--max-history-calls=1", &store]).await?;
    // What is older than the memory is read from the file, which takes a moment.
    let path = "/api/candles?symbol=BTC-USD&interval=1m";
    let refused = async {
        loop {
            let calls = (0..20).map(|_| get(&server, path));
            let answers = futures_util::future::try_join_all(calls).await?;
            let (good, bad): (Vec<_>, Vec<_>) = answers
                .into_iter()
                .partition(|answer| answer.status() == StatusCode::OK);
            assert!(!good.is_empty());
            if let Some(refused) = bad.into_iter().next() {
                return anyhow::Ok(refused);
            }
        }
    };
    let refused = timeout(PATIENCE, refused).await??;
    check_refused(refused, 503, "unavailable").await?;
    assert!(refusals(&server, "history_calls").await? >= 1);
    for _ in 0..3 {
        // One after the other they are answered.
        assert_eq!(get(&server, path).await?.status(), 200);
    }
    server.stop().await
}
