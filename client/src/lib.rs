//! A native client of the log, over any transport. It resumes from its cursor.
//! It is used for load tests, for other tests, and by programs that need
//! prices.

mod http;
mod traffic;
mod ws;

use std::time::Duration;

use anyhow::bail;
use shared::binary::Instruments;
use shared::{
    Chain, Cursor, Pace, ServerMessage, SnapshotAnswer, SymbolsAnswer, Transport, WireFormat,
    routes,
};

use self::http::{Events, Polls};
pub use self::traffic::Traffic;
use self::ws::Socket;

/// The most ticks in one answer of the server.
const LIMIT_MAX: u32 = 50_000;
/// The default interval of plain polling.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Follows the log over one transport after the other, and keeps its position
/// between them.
#[derive(Debug)]
pub struct Follower {
    /// `127.0.0.1:8080`.
    host: String,
    /// As in the query: names separated by commas, or `*`.
    symbols: String,
    chain: Chain,
    format: WireFormat,
    pace: Pace,
    /// The instruments that indices in the binary encoding refer to; of one
    /// run.
    instruments: Instruments,
    knows_instruments: bool,
    http: reqwest::Client,
    connection: Connection,
    /// The most ticks that a poll requests at once.
    limit: u32,
    /// The interval of plain polling.
    interval: Duration,
    traffic: Traffic,
}

#[derive(Debug)]
enum Connection {
    None,
    Ws(Box<Socket>),
    Sse(Box<Events>),
    Polls(Polls),
}

impl Follower {
    /// A client of the server at `host` (`127.0.0.1:8080`) for these symbols,
    /// not connected yet. With a cursor, it resumes from there.
    pub fn new(host: &str, symbols: &str, cursor: Option<Cursor>) -> Self {
        let mut chain = Chain::default();
        if let Some(cursor) = cursor {
            chain = Chain::from_cursor(cursor);
        }
        Self {
            host: host.to_owned(),
            symbols: symbols.to_owned(),
            // Without a cursor, the first message is a snapshot, which defines
            // them.
            knows_instruments: chain.cursor().is_none(),
            chain,
            format: WireFormat::Json,
            pace: Pace::default(),
            instruments: Instruments::default(),
            http: reqwest::Client::new(),
            connection: Connection::None,
            limit: LIMIT_MAX,
            interval: POLL_INTERVAL,
            traffic: Traffic::default(),
        }
    }

    /// A client as [`new`](Self::new) makes it, which reads the server's log from its
    /// first entry on.
    ///
    /// # Errors
    ///
    /// The server cannot be asked for its epoch.
    pub async fn from_start(host: &str, symbols: &str) -> anyhow::Result<Self> {
        let answer = reqwest::get(format!("http://{host}/{}", routes::SNAPSHOT)).await?;
        let answer: SnapshotAnswer = answer.error_for_status()?.json().await?;
        let start = Cursor {
            seq: 0,
            ..answer.cursor
        };
        Ok(Self::new(host, symbols, Some(start)))
    }

    /// Sets the most ticks that a poll requests at once.
    #[must_use]
    pub fn limit(self, limit: u32) -> Self {
        Self { limit, ..self }
    }

    /// Sets the interval of plain polling.
    #[must_use]
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Uses this encoding if the transport can carry it: server-sent events
    /// carry only text.
    #[must_use]
    pub fn format(self, format: WireFormat) -> Self {
        Self { format, ..self }
    }

    /// Uses this pace, from the next connection or poll on.
    #[must_use]
    pub fn pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// Changes the encoding and the pace, from the next connection or poll on.
    pub fn change(&mut self, format: WireFormat, pace: Pace) {
        (self.format, self.pace) = (format, pace);
    }

    /// Leaves the current transport, including messages that are not read yet,
    /// and resumes over this one from the same position.
    ///
    /// # Errors
    ///
    /// The server cannot be reached or rejects the request.
    pub async fn switch(&mut self, transport: Transport) -> anyhow::Result<()> {
        if self.format == WireFormat::Binary && !self.knows_instruments {
            let url = format!("http://{}/{}", self.host, routes::SYMBOLS);
            let answer: SymbolsAnswer = self.http.get(url).send().await?.json().await?;
            self.instruments.learn_all(&answer.symbols);
            self.knows_instruments = true;
        }
        let query = self.query();
        let host = &self.host;
        self.connection = match transport {
            Transport::WebSocket => {
                let url = format!("ws://{host}/{}?{query}", routes::WS);
                Connection::Ws(Box::new(
                    Socket::open(&url, self.format, &mut self.traffic).await?,
                ))
            }
            Transport::Sse => {
                let url = format!("http://{host}/{}?{query}", routes::STREAM);
                Connection::Sse(Box::new(
                    Events::open(&self.http, &url, &mut self.traffic).await?,
                ))
            }
            Transport::LongPoll => {
                Connection::Polls(Polls::new(Duration::ZERO, 10_000, self.limit))
            }
            Transport::Poll => {
                let pace = Duration::from_millis(self.pace.every_ms.into());
                Connection::Polls(Polls::new(self.interval.max(pace), 0, self.limit))
            }
        };
        Ok(())
    }

    /// The next messages: at least one, unless the answer of a poll is empty.
    ///
    /// # Errors
    ///
    /// The connection is lost, or the server sends something that is not valid
    /// on the wire.
    pub async fn next(&mut self) -> anyhow::Result<Vec<ServerMessage>> {
        let query = self.query();
        let (messages, answer) = match &mut self.connection {
            Connection::None => bail!("not connected"),
            Connection::Ws(socket) => {
                let next = socket.next(&mut self.instruments, &mut self.traffic);
                (vec![next.await?], None)
            }
            Connection::Sse(events) => (vec![events.next(&mut self.traffic).await?], None),
            Connection::Polls(polls) => {
                let url = format!("http://{}/{}?{query}", self.host, routes::TICKS);
                let request = self.http.get(url);
                let known = &mut self.instruments;
                let answer = polls.ask(request, self.format, known, &mut self.traffic);
                let answer = answer.await?;
                (answer.events.clone(), Some(answer))
            }
        };
        for message in &messages {
            self.instruments.follow(message);
            let _verdict = self.chain.follow(message);
        }
        if let Some(answer) = answer {
            self.chain.finish(&answer);
        }
        Ok(messages)
    }

    /// The chain: the client's position, and whether it missed anything.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The traffic so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    fn query(&self) -> String {
        let pace = self.pace.query();
        match self.chain.cursor() {
            Some(cursor) => format!("symbols={}&cursor={cursor}{pace}", self.symbols),
            None => format!("symbols={}{pace}", self.symbols),
        }
    }
}
