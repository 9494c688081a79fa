//! An exchange for tests: it speaks a venue's protocol over a real port, knows what
//! really happened, and fails as it is told to.

mod binance;
mod coinbase;
mod kraken;
mod routes;
mod socket;
mod truth;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use self::socket::{Out, Socket};
pub use self::truth::{Bar, Deal, Truth};

/// Which venue it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Kraken, WebSocket v2.
    Kraken,
    /// Coinbase Exchange.
    Coinbase,
    /// Binance Spot.
    Binance,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Kraken, Self::Coinbase, Self::Binance];

    /// The venue's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kraken => "kraken",
            Self::Coinbase => "coinbase",
            Self::Binance => "binance",
        }
    }

    /// A market's symbol, from its currencies, as everybody writes it.
    pub fn symbol(self, base: &str) -> String {
        match self {
            Self::Kraken | Self::Coinbase => format!("{base}-USD"),
            Self::Binance => format!("{base}-USDT"),
        }
    }

    fn wire(self) -> &'static dyn Wire {
        match self {
            Self::Kraken => &kraken::Kraken,
            Self::Coinbase => &coinbase::Coinbase,
            Self::Binance => &binance::Binance,
        }
    }
}

/// What a venue's texts look like. A market is named by its base currency.
trait Wire: Send + Sync {
    /// The frames that answer a message: whether it is a subscription of these markets.
    fn asked(&self, message: &str) -> Asked;
    fn acknowledged(&self, asked: &Asked) -> Vec<String>;
    fn refused(&self, base: &str) -> String;
    fn trade(&self, base: &str, deal: &Deal) -> String;
    fn quote(&self, base: &str, deal: &Deal) -> String;
    fn alive(&self, base: &str, newest: u64) -> Option<String>;
    fn closing(&self) -> Option<String>;
    fn unknown(&self) -> String;
    /// The base currency of a market in an answer's path or query.
    fn listing(&self, bases: &[String]) -> String;
    /// The answer to a call, if it is one for trades or candles.
    fn answer(&self, call: &Call<'_>, venue: &Venue) -> Option<String>;
}

/// A subscription.
#[derive(Clone, Debug, Default)]
struct Asked {
    bases: Vec<String>,
    trades: bool,
    quotes: bool,
    number: u64,
}

/// A call: its path, and a value of its query.
struct Call<'c> {
    path: &'c str,
    query: &'c [(String, String)],
}

impl Call<'_> {
    fn value(&self, key: &str) -> Option<&str> {
        let found = self.query.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }

    fn number(&self, key: &str) -> Option<i64> {
        self.value(key)?.parse().ok()
    }
}

/// What is wrong with the venue now.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Nothing is sent but pongs.
    pub is_silent: bool,
    /// Prices are sent before a subscription is acknowledged.
    pub is_early: bool,
    /// Connections are closed as soon as they are accepted.
    pub hangs_up: bool,
    /// The status with which handshakes and calls are refused.
    pub status: Option<u16>,
    /// So many calls are refused with 429, and a wish to wait for a second.
    pub limited_calls: u32,
    /// All calls for trades fail.
    pub hides_trades: bool,
    /// Candles are behind by so many minutes, the newest of them incomplete.
    pub candles_late_minutes: i64,
    /// Trades are not sent, although everything else is.
    pub forgets_trades: bool,
    /// Markets that it lists, and whose subscription it refuses.
    pub refused: BTreeSet<String>,
}

/// What it was asked so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How many connections were opened.
    pub connections: usize,
    /// How many calls were refused, with a wish to wait.
    pub calls_refused: usize,
    /// How many came although it wanted a rest.
    pub calls_too_early: usize,
    /// The paths of all calls, with their queries.
    pub calls: Vec<String>,
}

/// The state of a mock venue.
#[derive(Debug, Default)]
struct Venue {
    truth: Truth,
    faults: Faults,
    seen: Seen,
    rest_until: Option<std::time::Instant>,
    sockets: Vec<Socket>,
}

impl Venue {
    /// The candles that it gives, which may be behind.
    fn shown_bars(&self, base: &str, span: shared::Span) -> Vec<Bar> {
        let late = shared::Span::from_seconds(60 * self.faults.candles_late_minutes);
        match self.truth.deals(base).last() {
            Some(last) if late > shared::Span::ZERO => {
                self.truth.bars_until(base, span, last.time - late)
            }
            _ => self.truth.bars(base, span),
        }
    }
}

/// A mock venue, which ends when this is dropped.
#[derive(Debug)]
pub struct MockVenue {
    protocol: Protocol,
    address: SocketAddr,
    venue: Arc<Mutex<Venue>>,
    serving: JoinHandle<()>,
}

impl Drop for MockVenue {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl MockVenue {
    /// Starts it on a free port, with these markets and what happened in them.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub async fn start(protocol: Protocol, truth: Truth) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let venue = Arc::new(Mutex::new(Venue {
            truth,
            ..Venue::default()
        }));
        let router = routes::router(protocol, Arc::clone(&venue));
        let serving = tokio::spawn(async move {
            // It ends with the test.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            protocol,
            address,
            venue,
            serving,
        })
    }

    /// The arguments with which a server follows it.
    pub fn arguments(&self) -> Vec<String> {
        let name = self.protocol.name();
        let address = self.address;
        vec![
            "--feed".to_owned(),
            name.to_owned(),
            format!("--{name}-ws"),
            format!("ws://{address}"),
            format!("--{name}-rest"),
            format!("http://{address}"),
        ]
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its protocol.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn venue(&self) -> MutexGuard<'_, Venue> {
        lock(&self.venue)
    }

    /// What it was asked so far.
    pub fn seen(&self) -> Seen {
        self.venue().seen.clone()
    }

    /// Changes what is wrong with it.
    pub fn fail(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.venue().faults);
    }

    /// What really happened.
    pub fn with_truth<T>(&self, look: impl FnOnce(&Truth) -> T) -> T {
        look(&self.venue().truth)
    }

    /// How many connections are subscribed to a market.
    pub fn listeners(&self, base: &str) -> usize {
        let venue = self.venue();
        let listens = |socket: &&Socket| socket.has(base) && !socket.is_gone();
        venue.sockets.iter().filter(listens).count()
    }

    /// Something is traded now: it is true from now on, and sent.
    pub fn trade(&self, base: &str, deal: Deal) -> Deal {
        let deal = self.happen(base, deal);
        self.send(base, &deal);
        deal
    }

    /// Something is traded at this time, near the last price.
    pub fn walk(&self, base: &str, time: shared::Time, random: &mut impl rand::Rng) -> Deal {
        let deal = self.with_truth(|truth| truth.next(base, time, random));
        self.trade(base, deal)
    }

    /// Something is traded now, and not sent.
    pub fn happen(&self, base: &str, deal: Deal) -> Deal {
        self.venue().truth.add(base, deal)
    }

    /// Sends a trade, as it is or once more. Waits for nobody.
    pub fn send(&self, base: &str, deal: &Deal) {
        let wire = self.protocol.wire();
        let mut venue = self.venue();
        let (is_silent, forgets) = (venue.faults.is_silent, venue.faults.forgets_trades);
        let texts = [wire.trade(base, deal), wire.quote(base, deal)];
        venue.sockets.retain(|socket| !socket.is_gone());
        for socket in venue
            .sockets
            .iter()
            .filter(|socket| socket.has(base) && !is_silent)
        {
            let [trade, quote] = &texts;
            if socket.wants_trades(base) && !forgets {
                socket.send(Out::Text(trade.clone()));
            }
            if socket.wants_quotes(base) {
                socket.send(Out::Text(quote.clone()));
            }
        }
    }

    /// Skips so many identifiers, of which nobody has a trade.
    pub fn lose(&self, base: &str, count: u64) {
        self.venue().truth.skip(base, count);
    }

    /// Sends something that it is not known to send.
    pub fn send_text(&self, text: &str) {
        for socket in &self.venue().sockets {
            socket.send(Out::Text(text.to_owned()));
        }
    }

    /// How many messages its clients have not accepted yet.
    pub fn unsent(&self) -> usize {
        self.venue().sockets.iter().map(Socket::unsent).sum()
    }

    /// Sends a frame of a kind that is not known yet.
    pub fn send_unknown(&self) {
        self.send_text(&self.protocol.wire().unknown());
    }

    /// Says that it is there, and which trade is the newest, where it does that.
    pub fn send_heartbeats(&self) {
        let wire = self.protocol.wire();
        let venue = self.venue();
        if venue.faults.is_silent {
            return;
        }
        for socket in &venue.sockets {
            for base in socket.bases() {
                let newest = venue.truth.newest(&base);
                if let Some(text) = wire.alive(&base, newest) {
                    socket.send(Out::Text(text));
                }
            }
        }
    }

    /// Says that it will close its connections, where it does that.
    pub fn send_closing(&self) {
        if let Some(text) = self.protocol.wire().closing() {
            self.send_text(&text);
        }
    }

    /// Closes all connections with this code.
    pub fn close(&self, code: u16) {
        for socket in self.venue().sockets.drain(..) {
            socket.send(Out::Close(code));
        }
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        for socket in self.venue().sockets.drain(..) {
            socket.send(Out::Cut);
        }
    }
}

fn lock(venue: &Mutex<Venue>) -> MutexGuard<'_, Venue> {
    venue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a socket's task is told.
type Outbox = mpsc::UnboundedSender<Out>;

/// A time as venues write it, in UTC with microseconds.
fn truth_time(time: shared::Time) -> String {
    let written = jiff::Timestamp::from_microsecond(time.micros());
    written.map_or_else(|_| String::new(), |written| written.to_string())
}

impl Deal {
    /// A bid and an ask next to its price.
    fn quotes(&self) -> [shared::Decimal; 2] {
        let step = shared::Decimal::HUNDREDTH;
        [self.price - step, self.price + step]
    }
}
