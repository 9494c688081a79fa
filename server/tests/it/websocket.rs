//! Commands over a WebSocket, and what comes back.

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use shared::{ErrorCode, ServerMessage, Time, WIRE_VERSION};
use testkit::TestServer;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

struct Socket(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

impl Socket {
    async fn open(server: &TestServer, query: &str) -> anyhow::Result<Self> {
        let url = format!("ws://{}/ws{query}", server.address());
        Ok(Self(connect_async(url).await?.0))
    }

    async fn say(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.0.send(Message::text(text)).await?)
    }

    async fn next(&mut self) -> anyhow::Result<ServerMessage> {
        loop {
            match self.0.next().await.context("ended")?? {
                Message::Text(text) => return Ok(serde_json::from_str(&text)?),
                Message::Close(close) => bail!("closed: {close:?}"),
                _ => {}
            }
        }
    }

    /// The next message that is neither ticks nor a heartbeat.
    async fn answer(&mut self) -> anyhow::Result<ServerMessage> {
        loop {
            match self.next().await? {
                ServerMessage::Ticks { .. } | ServerMessage::Heartbeat { .. } => {}
                message => return Ok(message),
            }
        }
    }
}

/// A connection that has said hello and nothing more.
async fn quiet(server: &TestServer) -> anyhow::Result<Socket> {
    let mut socket = Socket::open(server, "").await?;
    assert!(matches!(
        socket.next().await?,
        ServerMessage::Hello {
            version: WIRE_VERSION,
            ..
        }
    ));
    Ok(socket)
}

#[tokio::test]
async fn subscribe_and_unsubscribe_change_what_comes() -> anyhow::Result<()> {
    let server = TestServer::start(&["--rate", "500", "--symbols", "5"]).await?;
    let mut socket = quiet(&server).await?;
    socket
        .say(r#"{"op":"subscribe","req":1,"symbols":["BTC-USD","AAPL"]}"#)
        .await?;
    let ServerMessage::Subscribed { req, symbols, .. } = socket.answer().await? else {
        bail!("not subscribed");
    };
    assert_eq!((req, symbols.len()), (Some(1), 2));
    let ServerMessage::Snapshot {
        cursor, symbols, ..
    } = socket.answer().await?
    else {
        bail!("no snapshot");
    };
    assert_eq!(symbols.len(), 2);
    let mut at = cursor;
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 2 {
        if let ServerMessage::Ticks {
            from,
            cursor,
            ticks,
            ..
        } = socket.next().await?
        {
            assert_eq!(from, at, "the chain");
            at = cursor;
            seen.extend(ticks.into_iter().map(|tick| tick.symbol().to_owned()));
        }
    }
    assert!(seen.iter().eq(["AAPL", "BTC-USD"]));
    socket
        .say(r#"{"op":"unsubscribe","req":2,"symbols":["AAPL"]}"#)
        .await?;
    let ServerMessage::Subscribed { req, symbols, .. } = socket.answer().await? else {
        bail!("no answer");
    };
    assert_eq!(
        (req, symbols.as_slice()),
        (Some(2), ["BTC-USD".to_owned()].as_slice())
    );
    for _ in 0..20 {
        if let ServerMessage::Ticks { ticks, .. } = socket.next().await? {
            assert!(ticks.iter().all(|tick| tick.symbol() == "BTC-USD"));
        }
    }
    socket.say(r#"{"op":"subscribe","symbols":["*"]}"#).await?;
    let ServerMessage::Subscribed { symbols, .. } = socket.answer().await? else {
        bail!("no answer");
    };
    assert_eq!(symbols, ["*"]);
    server.stop().await
}

/// Commands, with the number, the code and a part of the message of the error.
const FAULTS: [(&str, Option<u64>, ErrorCode, &str); 9] = [
    (
        r#"{"op":"fly","req":3}"#,
        Some(3),
        ErrorCode::UnknownOp,
        "'fly'",
    ),
    (r#"{"req":4}"#, Some(4), ErrorCode::BadMessage, "no 'op'"),
    (
        "not-valid-json{",
        None,
        ErrorCode::BadMessage,
        "not a command",
    ),
    ("[]", None, ErrorCode::BadMessage, "not a command"),
    (
        r#"{"op":"subscribe","req":5}"#,
        Some(5),
        ErrorCode::BadMessage,
        "symbols",
    ),
    (
        r#"{"op":"subscribe","req":6,"symbols":[]}"#,
        Some(6),
        ErrorCode::BadParameter,
        "empty",
    ),
    (
        r#"{"op":"subscribe","req":7,"symbols":["BTC-EURO"]}"#,
        Some(7),
        ErrorCode::UnknownSymbol,
        "did you mean BTC-USD?",
    ),
    (
        r#"{"op":"subscribe","req":8,"symbols":["*"],"cursor":"nonsense"}"#,
        Some(8),
        ErrorCode::BadParameter,
        "'nonsense' is not a cursor",
    ),
    (r#"{"op":"ping","req":-1}"#, None, ErrorCode::BadMessage, ""),
];

#[tokio::test]
async fn what_is_wrong_is_said_and_the_connection_stays() -> anyhow::Result<()> {
    let server = TestServer::start(&[]).await?;
    let mut socket = quiet(&server).await?;
    for (command, expect_req, expect_code, part) in FAULTS {
        socket.say(command).await?;
        let ServerMessage::Error { req, code, message } = socket.answer().await? else {
            bail!("no error for {command}");
        };
        assert_eq!(
            (req, code),
            (expect_req, expect_code),
            "{command}: {message}"
        );
        assert!(message.contains(part), "{command}: {message}");
    }
    socket.0.send(Message::binary(vec![0, 255])).await?;
    assert!(matches!(
        socket.answer().await?,
        ServerMessage::Error { .. }
    ));
    socket
        .say(r#"{"op":"ping","req":9,"client_time":1763836805000000,"mood":"good"}"#)
        .await?;
    let ServerMessage::Pong {
        req,
        client_time,
        server_time,
    } = socket.answer().await?
    else {
        bail!("no pong");
    };
    assert_eq!(
        (req, client_time),
        (Some(9), Time::from_micros(1_763_836_805_000_000))
    );
    assert!(server_time > client_time);
    server.stop().await
}

#[tokio::test]
async fn a_symbol_that_joins_with_a_cursor_gets_what_it_missed() -> anyhow::Result<()> {
    let server = TestServer::start(&["--rate", "500", "--symbols", "5"]).await?;
    let mut socket = Socket::open(&server, "?symbols=BTC-USD").await?;
    let start = loop {
        if let ServerMessage::Snapshot { cursor, .. } = socket.next().await? {
            break cursor;
        }
    };
    for _ in 0..10 {
        socket.next().await?;
    }
    socket
        .say(&format!(
            r#"{{"op":"subscribe","symbols":["AAPL"],"cursor":"{start}"}}"#
        ))
        .await?;
    let ServerMessage::Subscribed { .. } = socket.answer().await? else {
        bail!("not subscribed");
    };
    let mut chain = shared::Chain::from_cursor(start);
    let mut apple = Vec::new();
    while apple.len() < 50 {
        let message = socket.next().await?;
        let _verdict = chain.follow(&message);
        if let ServerMessage::Ticks { ticks, .. } = message {
            apple.extend(ticks.into_iter().filter(|tick| tick.symbol() == "AAPL"));
        }
    }
    assert_eq!((chain.missed(), chain.repeated()), (0, 0));
    let url = format!("/api/ticks?symbols=AAPL&cursor={start}");
    let body = reqwest::get(server.url(&url)).await?.bytes().await?;
    let answer: shared::TicksAnswer = serde_json::from_slice(&body)?;
    let ServerMessage::Ticks { ticks, .. } = &answer.events[0] else {
        bail!("no ticks");
    };
    assert_eq!(ticks[..50], apple[..50]);
    server.stop().await
}

#[tokio::test]
async fn the_subprotocol_is_named_and_none_is_json() -> anyhow::Result<()> {
    let server = TestServer::start(&[]).await?;
    let url = format!("ws://{}/ws", server.address());
    let mut request = url.as_str().into_client_request()?;
    let header = "tickwire.json.v1".parse()?;
    request
        .headers_mut()
        .insert("sec-websocket-protocol", header);
    let (_, response) = connect_async(request).await?;
    assert_eq!(
        response.headers()["sec-websocket-protocol"],
        "tickwire.json.v1"
    );
    let (_, response) = connect_async(url.as_str()).await?;
    assert!(!response.headers().contains_key("sec-websocket-protocol"));
    server.stop().await
}

#[tokio::test]
async fn a_heartbeat_moves_a_quiet_set_on() -> anyhow::Result<()> {
    let server = TestServer::start(&["--feed", "sim", "--rate", "200"]).await?;
    let mut socket = quiet(&server).await?;
    let message = socket.next().await?;
    let ServerMessage::Heartbeat { from, cursor, .. } = message else {
        bail!("not a heartbeat: {message:?}");
    };
    assert!(from.seq < cursor.seq, "the log went on under an empty set");
    server.stop().await
}
