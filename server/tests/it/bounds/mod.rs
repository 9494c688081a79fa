//! What clients can take of the server: at each bound, one past it, and that the
//! others are unharmed.

use std::time::Duration;

use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{self, Message};

mod answers;

const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A client whose connections are closed after each answer.
fn client() -> anyhow::Result<Client> {
    Ok(Client::builder().pool_max_idle_per_host(0).build()?)
}

async fn get(server: &TestServer, path: &str) -> anyhow::Result<Response> {
    Ok(client()?.get(server.url(path)).send().await?)
}

/// The answer is a refusal with this status, this code and a reason.
async fn check_refused(answer: Response, status: u16, code: &str) -> anyhow::Result<()> {
    assert_eq!(answer.status(), status);
    let may_come_again = answer.headers().contains_key("retry-after");
    assert_eq!(may_come_again, [429, 503].contains(&status));
    let body: Value = answer.json().await?;
    assert_eq!(body["code"], code, "{body}");
    assert!(
        body["message"].as_str().is_some_and(|text| text.len() > 20),
        "{body}"
    );
    Ok(())
}

/// How often clients were refused something for this reason.
async fn refusals(server: &TestServer, reason: &str) -> anyhow::Result<u64> {
    let metrics = get(server, "/metrics").await?.text().await?;
    let line = format!("tickwire_refused_total{{reason=\"{reason}\"}} ");
    let count = metrics.lines().find_map(|text| text.strip_prefix(&line));
    Ok(count.context("no such metric")?.parse()?)
}

/// Waits until a client was refused something for this reason.
async fn until_refused(server: &TestServer, reason: &str) -> anyhow::Result<()> {
    let refused = async {
        while refusals(server, reason).await? == 0 {
            sleep(LOOK_AGAIN).await;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, refused)
        .await
        .context(reason.to_owned())?
}

/// A connection that is open, and was seen by the server.
async fn connect(server: &TestServer) -> anyhow::Result<TcpStream> {
    let mut tcp = TcpStream::connect(server.address()).await?;
    let answer = ask(
        &mut tcp,
        "GET /api/time HTTP/1.1\r\nhost: localhost\r\n\r\n",
    )
    .await?;
    anyhow::ensure!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    Ok(tcp)
}

/// Writes a request; the beginning of the answer, empty if the connection is
/// closed.
async fn ask(tcp: &mut TcpStream, request: &str) -> anyhow::Result<String> {
    tcp.write_all(request.as_bytes()).await?;
    let mut part = [0; 4_096];
    let count = timeout(PATIENCE, tcp.read(&mut part)).await??;
    Ok(String::from_utf8_lossy(&part[..count]).into_owned())
}

#[tokio::test]
async fn connections_in_all() -> anyhow::Result<()> {
    let server = TestServer::start(&["--max-connections=3"]).await?;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(connect(&server).await?);
    }
    check_refused(get(&server, "/api/time").await?, 503, "unavailable").await?;
    check_refused(get(&server, "/").await?, 503, "unavailable").await?;
    // Who watches over the server still sees it.
    assert_eq!(get(&server, "/healthz").await?.text().await?, "alive\n");
    assert!(refusals(&server, "connections").await? >= 3);
    for tcp in &mut open {
        let answer = ask(tcp, "GET /api/time HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    drop(open.pop());
    let free = async {
        while get(&server, "/api/time").await?.status() != StatusCode::OK {
            sleep(LOOK_AGAIN).await;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, free).await??;
    server.stop().await
}

#[tokio::test]
async fn connections_of_one_address() -> anyhow::Result<()> {
    // This machine is no proxy here, so that its connections are counted.
    let arguments = ["--max-connections-each=2", "--trust-proxy=10.9.8.7"];
    let server = TestServer::start(&arguments).await?;
    let (one, other) = (connect(&server).await?, connect(&server).await?);
    check_refused(get(&server, "/api/time").await?, 429, "too_many").await?;
    drop((one, other));
    let free = async {
        while get(&server, "/api/time").await?.status() != StatusCode::OK {
            sleep(LOOK_AGAIN).await;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, free).await??;
    assert!(refusals(&server, "connections_each").await? >= 1);
    server.stop().await
}

#[tokio::test]
async fn heads() -> anyhow::Result<()> {
    let server = TestServer::start(&["--head-limit-s=1"]).await?;
    for (bytes, status) in [(15_000, "200"), (17_000, "431")] {
        let mut tcp = TcpStream::connect(server.address()).await?;
        let filler = "x".repeat(bytes);
        let head = format!("GET /api/time HTTP/1.1\r\nhost: localhost\r\nx: {filler}\r\n\r\n");
        let answer = ask(&mut tcp, &head).await?;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{bytes}: {answer}"
        );
    }
    let mut late = TcpStream::connect(server.address()).await?;
    let answer = ask(&mut late, "GET /api/time HTTP/1.1\r\nhost: loc").await?;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(refusals(&server, "head").await?, 1);
    server.stop().await
}

#[tokio::test]
async fn bodies() -> anyhow::Result<()> {
    let server = TestServer::start(&["--body-limit-s=1"]).await?;
    let post = |length: usize, body: &str| {
        format!(
            "POST /api/alerts HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
    };
    let alert = json!({"symbol": "BTC-USD", "above": "9999999"}).to_string();
    let mut tcp = TcpStream::connect(server.address()).await?;
    let answer = ask(&mut tcp, &post(alert.len(), &alert)).await?;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    // Spaces before it are part of the body.
    for (bytes, status) in [(16_384, "201"), (16_385, "413")] {
        let body = format!("{alert:>bytes$}");
        let mut tcp = TcpStream::connect(server.address()).await?;
        let answer = ask(&mut tcp, &post(bytes, &body)).await?;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{bytes}: {answer}"
        );
    }
    let mut late = TcpStream::connect(server.address()).await?;
    let answer = ask(&mut late, &post(100, "{")).await?;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("within 1 s"), "{answer}");
    assert_eq!(refusals(&server, "body").await?, 1);
    server.stop().await
}

#[tokio::test]
async fn streams() -> anyhow::Result<()> {
    let server = TestServer::start(&["--max-streams=2"]).await?;
    let one = get(&server, "/api/stream").await?;
    assert_eq!(one.status(), 200);
    let url = server.url("/ws").replace("http", "ws");
    let (mut socket, _) = tokio_tungstenite::connect_async(&url).await?;
    check_refused(get(&server, "/api/stream").await?, 503, "unavailable").await?;
    let refused = tokio_tungstenite::connect_async(&url).await;
    let Err(tungstenite::Error::Http(answer)) = refused else {
        anyhow::bail!("{refused:?}");
    };
    assert_eq!(answer.status(), 503);
    assert_eq!(refusals(&server, "streams").await?, 2);
    // Polling goes on, and so do the streams.
    assert_eq!(get(&server, "/api/ticks").await?.status(), 200);
    socket
        .send(Message::text(r#"{"op":"ping","client_time":1}"#))
        .await?;
    let pong = async {
        while let Some(message) = socket.next().await {
            if message?.to_text()?.contains("pong") {
                return Ok(());
            }
        }
        anyhow::bail!("no pong")
    };
    timeout(PATIENCE, pong).await??;
    drop(one);
    let free = async {
        while get(&server, "/api/stream").await?.status() != StatusCode::OK {
            sleep(LOOK_AGAIN).await;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, free).await??;
    server.stop().await
}

#[tokio::test]
async fn long_polls() -> anyhow::Result<()> {
    let server = TestServer::start(&["--max-long-polls=1", "--rate=0.001"]).await?;
    let start: Value = get(&server, "/api/snapshot").await?.json().await?;
    let cursor = start["cursor"].as_str().context("a cursor")?;
    let path = format!("/api/ticks?cursor={cursor}&wait_ms=60000");
    let url = server.url(&path);
    let waiting =
        tokio::spawn(async move { client()?.get(url).send().await.map_err(anyhow::Error::from) });
    let refused = async {
        loop {
            let answer = get(&server, &path.replace("60000", "50")).await?;
            if answer.status() != StatusCode::OK {
                return anyhow::Ok(answer);
            }
        }
    };
    let refused = timeout(PATIENCE, refused).await??;
    check_refused(refused, 503, "unavailable").await?;
    assert_eq!(refusals(&server, "long_polls").await?, 1);
    // Polls that do not wait are answered.
    let poll = format!("/api/ticks?cursor={cursor}");
    assert_eq!(get(&server, &poll).await?.status(), 200);
    waiting.abort();
    server.stop().await
}

#[tokio::test]
async fn commands_a_second() -> anyhow::Result<()> {
    let server = TestServer::start(&["--max-commands=5"]).await?;
    let url = server.url("/ws").replace("http", "ws");
    let (mut socket, _) = tokio_tungstenite::connect_async(&url).await?;
    let (mut other, _) = tokio_tungstenite::connect_async(&url).await?;
    let ping = r#"{"op":"ping","client_time":1}"#;
    for _ in 0..30 {
        // It may be closed by then.
        let _ = socket.send(Message::text(ping)).await;
    }
    let mut pongs = 0;
    let closed = async {
        while let Some(message) = socket.next().await {
            match message? {
                Message::Text(text) if text.contains("pong") => pongs += 1,
                Message::Close(Some(frame)) => return anyhow::Ok(frame),
                _ => {}
            }
        }
        anyhow::bail!("no close frame")
    };
    let frame = timeout(PATIENCE, closed).await??;
    assert_eq!(u16::from(frame.code), 1_008);
    assert!(
        frame.reason.contains("more than 5 commands a second"),
        "{frame:?}"
    );
    assert!(pongs >= 5, "{pongs}");
    assert_eq!(refusals(&server, "commands").await?, 1);
    other.send(Message::text(ping)).await?;
    server.stop().await
}

#[tokio::test]
async fn symbols_of_one_reader() -> anyhow::Result<()> {
    let server = TestServer::start(&["--max-symbols=2"]).await?;
    let two = get(&server, "/api/ticks?symbols=BTC-USD,ETH-USD").await?;
    assert_eq!(two.status(), 200);
    let three = "/api/ticks?symbols=BTC-USD,ETH-USD,EUR-USD";
    check_refused(get(&server, three).await?, 400, "bad_parameter").await?;
    assert_eq!(get(&server, "/api/ticks?symbols=*").await?.status(), 200);
    assert_eq!(refusals(&server, "symbols").await?, 1);
    server.stop().await
}

#[tokio::test]
async fn alerts_in_all_and_in_a_minute() -> anyhow::Result<()> {
    let alert = json!({"symbol": "BTC-USD", "above": "9999999"});
    let create = async |server: &TestServer, address: &str| -> anyhow::Result<Response> {
        let request = client()?.post(server.url("/api/alerts")).json(&alert);
        Ok(request.header("x-forwarded-for", address).send().await?)
    };
    let server = TestServer::start(&["--max-alerts=2"]).await?;
    for _ in 0..2 {
        assert_eq!(create(&server, "10.0.0.1").await?.status(), 201);
    }
    check_refused(create(&server, "10.0.0.1").await?, 409, "conflict").await?;
    server.stop().await?;

    let server = TestServer::start(&["--max-alerts-a-minute=2"]).await?;
    for _ in 0..2 {
        assert_eq!(create(&server, "10.0.0.1").await?.status(), 201);
    }
    check_refused(create(&server, "10.0.0.1").await?, 429, "too_many").await?;
    // Somebody else behind the same proxy.
    assert_eq!(create(&server, "10.0.0.2").await?.status(), 201);
    assert_eq!(refusals(&server, "changes").await?, 1);
    server.stop().await
}
