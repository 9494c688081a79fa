//! The calls over HTTP: answers, faults, headers.

use serde_json::Value;
use shared::{Echo, ServerMessage, SnapshotAnswer, SymbolsAnswer, TicksAnswer};
use testkit::TestServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn get(server: &TestServer, path: &str) -> anyhow::Result<(u16, Value)> {
    let response = reqwest::get(server.url(path)).await?;
    Ok((response.status().as_u16(), response.json().await?))
}

/// Paths, with the status, the code and a part of the message of their answers.
const FAULTS: [(&str, u16, &str, &str); 17] = [
    (
        "/api/ticks?symbols=BTC-EURO",
        400,
        "unknown_symbol",
        "did you mean BTC-USD?",
    ),
    (
        "/api/ticks?symbols=",
        400,
        "bad_parameter",
        "symbols is empty",
    ),
    (
        "/api/ticks?cursor=x",
        400,
        "bad_parameter",
        "'x' is not a cursor",
    ),
    (
        "/api/ticks?wait_ms=60001",
        400,
        "bad_parameter",
        "from 0 to 60000",
    ),
    ("/api/ticks?wait_ms=-1", 400, "bad_parameter", "'-1'"),
    (
        "/api/ticks?limit=0",
        400,
        "bad_parameter",
        "from 1 to 50000",
    ),
    ("/api/ticks?limit=1e3", 400, "bad_parameter", "'1e3'"),
    (
        "/api/stream?cursor=x",
        400,
        "bad_parameter",
        "'x' is not a cursor",
    ),
    (
        "/api/snapshot?symbols=NOPE-NOPE",
        400,
        "unknown_symbol",
        "/api/symbols",
    ),
    (
        "/api/candles?interval=1m",
        400,
        "bad_parameter",
        "symbol is missing",
    ),
    (
        "/api/candles?symbol=NOPE&interval=1m",
        400,
        "unknown_symbol",
        "no symbol 'NOPE'",
    ),
    (
        "/api/candles?symbol=BTC-USD&interval=2m",
        400,
        "bad_parameter",
        "1s, 5s, 1m, 5m, 15m, 1h or 1d",
    ),
    (
        "/api/candles?symbol=BTC-USD&from=2&to=1",
        400,
        "bad_parameter",
        "from 2 is after to 1",
    ),
    (
        "/api/candles?symbol=BTC-USD&limit=10001",
        400,
        "bad_parameter",
        "from 1 to 10000",
    ),
    ("/ws", 400, "bad_parameter", "upgrade"),
    ("/api/nothing", 404, "not_found", "/api/nothing"),
    ("/nothing.js", 404, "not_found", "/nothing.js"),
];

#[tokio::test]
async fn a_fault_has_a_status_a_code_and_what_is_allowed() -> anyhow::Result<()> {
    let server = TestServer::start(&[]).await?;
    for (path, status, code, part) in FAULTS {
        let (found, body) = get(&server, path).await?;
        assert_eq!(
            (found, body["code"].as_str()),
            (status, Some(code)),
            "{path}: {body}"
        );
        let message = body["message"].as_str().unwrap_or_default();
        assert!(message.contains(part), "{path}: {message:?} lacks {part:?}");
    }
    let post = reqwest::Client::new()
        .post(server.url("/api/ticks"))
        .send()
        .await?;
    assert_eq!(post.status(), 405);
    let body: Value = post.json().await?;
    assert_eq!(body["code"], "method_not_allowed");
    server.stop().await
}

#[tokio::test]
async fn the_catalogue_and_the_snapshot_agree() -> anyhow::Result<()> {
    let server = TestServer::start(&["--symbols", "7"]).await?;
    let symbols: SymbolsAnswer = reqwest::get(server.url("/api/symbols"))
        .await?
        .json()
        .await?;
    let snapshot: SnapshotAnswer = reqwest::get(server.url("/api/snapshot"))
        .await?
        .json()
        .await?;
    assert_eq!(symbols.symbols.len(), 7);
    assert_eq!(
        symbols
            .symbols
            .into_iter()
            .map(|s| s.symbol)
            .collect::<Vec<_>>(),
        snapshot
            .symbols
            .into_iter()
            .map(|s| s.symbol)
            .collect::<Vec<_>>()
    );
    server.stop().await
}

#[tokio::test]
async fn a_limit_is_kept_and_the_cursor_goes_on_behind_it() -> anyhow::Result<()> {
    let server = TestServer::start(&["--rate", "2000"]).await?;
    let start: TicksAnswer = reqwest::get(server.url("/api/ticks")).await?.json().await?;
    assert!(matches!(start.events[0], ServerMessage::Hello { .. }));
    assert!(matches!(start.events[1], ServerMessage::Snapshot { .. }));
    let mut cursor = start.cursor;
    let mut expected = cursor.seq;
    for _ in 0..5 {
        let url = format!("/api/ticks?cursor={cursor}&limit=3&wait_ms=10000");
        let answer: TicksAnswer = reqwest::get(server.url(&url)).await?.json().await?;
        assert_eq!(answer.from, cursor);
        let [ServerMessage::Ticks { ticks, .. }] = answer.events.as_slice() else {
            anyhow::bail!("not one message of ticks: {answer:?}");
        };
        assert!((1..=3).contains(&ticks.len()));
        for tick in ticks {
            expected += 1;
            assert_eq!(tick.seq(), expected);
        }
        cursor = answer.cursor;
    }
    server.stop().await
}

#[tokio::test]
async fn a_poll_answers_at_once_and_a_long_poll_waits() -> anyhow::Result<()> {
    // One tick in about a quarter of an hour.
    let server = TestServer::start(&["--rate", "0.001", "--seed", "1"]).await?;
    let snapshot: SnapshotAnswer = reqwest::get(server.url("/api/snapshot"))
        .await?
        .json()
        .await?;
    let cursor = snapshot.cursor;
    for wait_ms in [0, 300] {
        let began = std::time::Instant::now();
        let url = format!("/api/ticks?cursor={cursor}&wait_ms={wait_ms}");
        let answer: TicksAnswer = reqwest::get(server.url(&url)).await?.json().await?;
        assert_eq!((answer.from, answer.cursor), (cursor, cursor));
        assert!(answer.events.is_empty());
        assert!(began.elapsed().as_millis() >= wait_ms);
    }
    let (_, stats) = get(&server, "/api/stats").await?;
    let transports = stats["transports"].as_array().unwrap();
    for name in ["poll", "long_poll"] {
        let of = transports.iter().find(|t| t["transport"] == name).unwrap();
        assert_eq!(
            (&of["requests"], &of["empty_answers"]),
            (&1.into(), &1.into()),
            "{stats}"
        );
    }
    server.stop().await
}

#[tokio::test]
async fn last_event_id_resumes_a_stream() -> anyhow::Result<()> {
    let server = TestServer::start(&["--rate", "2000"]).await?;
    let snapshot: SnapshotAnswer = reqwest::get(server.url("/api/snapshot"))
        .await?
        .json()
        .await?;
    let request = reqwest::Client::new()
        .get(server.url("/api/stream?cursor=zzz-1"))
        .header("last-event-id", snapshot.cursor.to_string());
    let mut response = request.send().await?;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    while !text.contains("\"ticks\":[") {
        text += std::str::from_utf8(&response.chunk().await?.unwrap_or_default())?;
    }
    assert!(!text.contains("event: snapshot"), "{text}");
    assert!(
        text.contains(&format!(r#""from":"{}""#, snapshot.cursor)),
        "{text}"
    );
    server.stop().await
}

#[tokio::test]
async fn health_readiness_and_metrics() -> anyhow::Result<()> {
    let silent = TestServer::start(&["--rate", "0.001", "--seed", "1"]).await?;
    assert_eq!(reqwest::get(silent.url("/healthz")).await?.status(), 200);
    let (status, body) = get(&silent, "/readyz").await?;
    assert_eq!((status, body["code"].as_str()), (503, Some("unavailable")));
    silent.stop().await?;

    let server = TestServer::start(&["--rate", "5000"]).await?;
    let first = "/api/ticks?wait_ms=10000&limit=1&cursor=";
    let cursor = reqwest::get(server.url("/api/snapshot"))
        .await?
        .json::<SnapshotAnswer>()
        .await?
        .cursor;
    reqwest::get(server.url(&format!("{first}{cursor}"))).await?;
    assert_eq!(reqwest::get(server.url("/readyz")).await?.status(), 200);
    let text = reqwest::get(server.url("/metrics")).await?.text().await?;
    assert!(
        text.contains(r#"tickwire_requests_total{transport="long_poll",encoding="json"} 1"#),
        "{text}"
    );
    assert!(text.ends_with("# EOF\n"), "{text}");
    server.stop().await
}

#[tokio::test]
async fn an_echo_is_the_request_byte_for_byte() -> anyhow::Result<()> {
    let server = TestServer::start(&[]).await?;
    let mut tcp = TcpStream::connect(server.address()).await?;
    let request = "GET /api/echo?a=%20b HTTP/1.1\r\nhost: localhost\r\nx-twice: 1\r\nx-twice: 2\r\nconnection: close\r\n\r\n";
    tcp.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await?;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let echo: Echo = serde_json::from_str(body)?;
    assert_eq!(echo.request, request);
    assert_eq!(echo.answer, None);
    server.stop().await
}

#[tokio::test]
async fn a_handshakes_echo_has_both_halves() -> anyhow::Result<()> {
    let server = TestServer::start(&[]).await?;
    let mut tcp = TcpStream::connect(server.address()).await?;
    let request = "GET /ws/echo HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    tcp.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    // The server closes the connection after the frame.
    tcp.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, frame) = answer.split_once("\r\n\r\n").unwrap_or_default();
    // RFC 6455, section 1.3: what the sample nonce is answered by.
    assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    let json = frame.find('{').map(|start| &frame[start..]);
    let json = json.unwrap_or_default();
    let end = json.rfind('}').map_or(0, |end| end + 1);
    let echo: Echo = serde_json::from_str(&json[..end])?;
    assert_eq!(echo.request, request);
    assert_eq!(echo.answer, Some(format!("{head}\r\n\r\n")));
    server.stop().await
}

#[tokio::test]
async fn an_echo_keeps_secrets_and_tells_other_pages_nothing() -> anyhow::Result<()> {
    let server = TestServer::start(&[]).await?;
    let echo = reqwest::Client::new()
        .get(server.url("/api/echo"))
        .header("cookie", "session=SECRET")
        .header("authorization", "Basic abc");
    let echo: Echo = echo.send().await?.json().await?;
    assert!(
        echo.request.contains("cookie: **************\r\n"),
        "{echo:?}"
    );
    assert!(
        echo.request.contains("authorization: *********\r\n"),
        "{echo:?}"
    );
    server.stop().await
}

#[tokio::test]
async fn pages_of_other_servers_get_no_websocket() -> anyhow::Result<()> {
    let server = TestServer::start(&["--allow-host", "prices.example"]).await?;
    let host = server.address().to_string();
    let own = format!("http://{host}");
    for (path, origin, expected) in [
        ("/ws/echo", "https://evil.example", "HTTP/1.1 403 "),
        ("/ws", "https://evil.example", "HTTP/1.1 403 "),
        ("/ws", "null", "HTTP/1.1 403 "),
        ("/ws", "http://localhost.evil.example", "HTTP/1.1 403 "),
        ("/ws", "http://localhost:3000", "HTTP/1.1 101 "),
        ("/ws", "https://prices.example", "HTTP/1.1 101 "),
        ("/ws", &own, "HTTP/1.1 101 "),
        ("/ws/echo", &own, "HTTP/1.1 101 "),
    ] {
        let mut tcp = TcpStream::connect(server.address()).await?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nx-forwarded-host: prices.example\r\norigin: {origin}\r\n\
             connection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        tcp.write_all(request.as_bytes()).await?;
        let mut answer = vec![0; expected.len()];
        tcp.read_exact(&mut answer).await?;
        assert_eq!(
            String::from_utf8_lossy(&answer),
            expected,
            "{path} {origin}"
        );
    }
    server.stop().await
}

#[tokio::test]
async fn processor_time_is_put_down_to_its_transport() -> anyhow::Result<()> {
    let server = TestServer::start(&[]).await?;
    let spent = async |transport: &str| -> anyhow::Result<Option<u64>> {
        let (_, stats) = get(&server, "/api/stats").await?;
        let all = stats["transports"].as_array().cloned().unwrap_or_default();
        let own = all.iter().find(|own| own["transport"] == transport);
        Ok(own.and_then(|own| own["cpu_us"].as_u64()))
    };
    for transport in ["ws", "sse", "long_poll", "poll"] {
        assert_eq!(spent(transport).await?, Some(0), "{transport}");
    }
    // All over one connection, as from a browser.
    let client = reqwest::Client::new();
    let ask = async |path: &str| -> anyhow::Result<()> {
        let answer = client.get(server.url(path)).send().await?;
        answer.error_for_status()?.bytes().await?;
        Ok(())
    };
    for _ in 0..20 {
        ask("/api/ticks?limit=1").await?;
    }
    ask("/healthz").await?;
    let polls = spent("poll").await?;
    assert!(polls > Some(0));
    for _ in 0..20 {
        ask("/api/snapshot").await?;
    }
    assert_eq!(
        spent("poll").await?,
        polls,
        "what is no poll counts for none"
    );
    for transport in ["ws", "sse", "long_poll"] {
        assert_eq!(spent(transport).await?, Some(0), "{transport}");
    }
    server.stop().await
}

#[tokio::test]
async fn the_pages_beside_the_dashboard_are_served() -> anyhow::Result<()> {
    let server = TestServer::start(&[]).await?;
    // Without a built page there is none of them.
    let pages = ["/lab.html", "/guide.html", "/alerts.html"];
    let expected = if testkit::PAGE.is_there() { 200 } else { 404 };
    for page in pages {
        let response = reqwest::get(server.url(page)).await?;
        assert_eq!(response.status(), expected, "{page}");
    }
    server.stop().await
}
