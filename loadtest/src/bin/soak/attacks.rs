//! Attackers: each reaches for more than a bound of the server allows. They have
//! an address of their own, so that the others are not counted with them.

use std::net::SocketAddr;
use std::time::Duration;

use rand::RngExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

/// The attackers' address.
const ATTACKER: &str = "127.0.0.2:0";
/// How long they hold what they have.
const HOLD: Duration = Duration::from_secs(8);

/// What an attacker does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attack {
    /// More connections than one address may have.
    Connections,
    /// Connections that say nothing.
    Silence,
    /// Heads that do not end, and heads that are too long.
    Heads,
    /// Bodies that do not come.
    Bodies,
    /// Requests for much, of which nothing is read.
    TakesNothing,
    /// More long polls than there may be.
    LongPolls,
    /// More calls of the history than there may be.
    History,
    /// More alerts than one may make.
    Alerts,
    /// A WebSocket with more commands than one may send.
    Commands,
    /// More streams than there may be.
    Streams,
    /// More symbols than one may name.
    Symbols,
    /// Bytes that are no request.
    Garbage,
}

/// All of them.
pub(crate) const ALL: &[Attack] = &[
    Attack::Connections,
    Attack::Silence,
    Attack::Heads,
    Attack::Bodies,
    Attack::TakesNothing,
    Attack::LongPolls,
    Attack::History,
    Attack::Alerts,
    Attack::Commands,
    Attack::Streams,
    Attack::Symbols,
    Attack::Garbage,
];

/// The reasons for refusals that these attacks end in, as `/metrics` names them.
/// Programs of this machine may change as many alerts as they like, so that one
/// is not among them.
pub(crate) const REASONS: [&str; 10] = [
    "connections_each",
    "head",
    "body",
    "slow",
    "unsent",
    "streams",
    "symbols",
    "commands",
    "long_polls",
    "history_calls",
];

/// Attacks again and again.
pub(crate) async fn repeat(attack: Attack, server: SocketAddr) {
    loop {
        let pause = rand::rng().random_range(0..5_000);
        sleep(Duration::from_millis(pause)).await;
        let Ok(log) = log(server).await else {
            continue;
        };
        let (count, request) = what(attack, &log);
        let mut held = Vec::new();
        for _ in 0..count {
            // Whatever the server does with it is right.
            if let Ok(mut connection) = connect(server).await
                && connection.write_all(&request).await.is_ok()
            {
                held.push(connection);
            }
        }
        sleep(HOLD).await;
        // Some read in the end what has come.
        if rand::rng().random_range(0..2) == 0 {
            for connection in &mut held {
                let mut part = [0; 4_096];
                let some = connection.read(&mut part);
                _ = tokio::time::timeout(Duration::from_millis(10), some).await;
            }
        }
    }
}

/// Cursors of the log: where there is much to ask for, and where it ends.
struct Log {
    long_ago: String,
    head: String,
}

async fn log(server: SocketAddr) -> anyhow::Result<Log> {
    let answer = reqwest::get(format!("http://{server}/api/snapshot?symbols=BTC-USD")).await?;
    let now: shared::SnapshotAnswer = answer.error_for_status()?.json().await?;
    let long_ago = now.cursor.seq.saturating_sub(50_000);
    Ok(Log {
        long_ago: format!("{}-{long_ago}", now.cursor.epoch),
        head: now.cursor.to_string(),
    })
}

async fn connect(server: SocketAddr) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(ATTACKER.parse()?)?;
    Ok(socket.connect(server).await?)
}

/// How many connections, and what is written to each.
fn what(attack: Attack, log: &Log) -> (usize, Vec<u8>) {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes();
    match attack {
        Attack::Connections => (800, get("/api/time")),
        Attack::Silence => (40, Vec::new()),
        Attack::Heads => {
            let long = rand::rng().random_range(10..40_000);
            let start = "GET / HTTP/1.1\r\nhost: localhost\r\nx: ";
            (20, format!("{start}{}", "x".repeat(long)).into_bytes())
        }
        Attack::Bodies => (20, post("{\"symbol\":", 500)),
        Attack::TakesNothing => {
            let path = format!("/api/ticks?cursor={}&limit=50000", log.long_ago);
            (30, get(&path).repeat(5))
        }
        Attack::LongPolls => {
            let query = "wait_ms=20000&every_ms=10000&symbols=BTC-USD";
            (450, get(&format!("/api/ticks?{query}&cursor={}", log.head)))
        }
        Attack::History => (
            60,
            get("/api/candles?symbol=BTC-USD&interval=1s&limit=10000"),
        ),
        Attack::Alerts => {
            let alert = r#"{"symbol":"BTC-USD","above":"1","repeat":true}"#;
            (5, post(alert, alert.len()).repeat(60))
        }
        Attack::Commands => (10, commands()),
        Attack::Streams => (650, get("/api/stream?symbols=BTC-USD")),
        Attack::Symbols => {
            let names = vec!["BTC-USD"; 60].join(",");
            (5, get(&format!("/api/ticks?symbols={names}")))
        }
        Attack::Garbage => {
            let mut bytes = vec![0; rand::rng().random_range(1..5_000)];
            rand::rng().fill(&mut bytes[..]);
            (30, bytes)
        }
    }
}

fn post(body: &str, length: usize) -> Vec<u8> {
    let head = "POST /api/alerts HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    format!("{head}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// A handshake, and then commands without an end.
fn commands() -> Vec<u8> {
    let mut bytes = b"GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n\
        upgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        .to_vec();
    let command = br#"{"op":"subscribe","symbols":["BTC-USD"]}"#;
    // A final text frame with a mask of zeroes.
    let mut frame = vec![0x81, 0x80 | command.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(command);
    for _ in 0..500 {
        bytes.extend_from_slice(&frame);
    }
    bytes
}
