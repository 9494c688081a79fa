//! Two exchanges with moving prices, and a server that follows both.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rand::{RngExt as _, SeedableRng as _};
use shared::Time;
use testkit::{MockVenue, Protocol, TestServer, Truth};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// The base currencies of each.
const BASES: [&str; 3] = ["BTC", "ETH", "SOL"];
/// How far back their trades go.
const PAST_HOURS: i64 = 72;
/// The time between two trades of an exchange.
const GAP: Duration = Duration::from_millis(250);

/// Two exchanges that trade, and a server.
#[derive(Debug)]
pub struct TwoExchanges {
    /// The server that follows them.
    pub server: TestServer,
    /// The one that can be lost.
    pub kraken: Arc<MockVenue>,
    trading: [JoinHandle<()>; 2],
}

impl Drop for TwoExchanges {
    fn drop(&mut self) {
        self.trading.iter().for_each(JoinHandle::abort);
    }
}

fn now() -> Time {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Time::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

async fn venue(protocol: Protocol, seed: u64) -> anyhow::Result<Arc<MockVenue>> {
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    let truth = Truth::with_past(&BASES, PAST_HOURS, now(), &mut random);
    Ok(Arc::new(MockVenue::start(protocol, truth).await?))
}

fn trade(venue: &Arc<MockVenue>, seed: u64) -> JoinHandle<()> {
    let venue = Arc::clone(venue);
    tokio::spawn(async move {
        let mut random = rand::rngs::StdRng::seed_from_u64(seed);
        loop {
            let base = BASES[random.random_range(0..BASES.len())];
            venue.walk(base, now(), &mut random);
            venue.send_heartbeats();
            sleep(GAP).await;
        }
    })
}

impl TwoExchanges {
    /// Starts them.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub async fn start() -> anyhow::Result<Self> {
        let (kraken, coinbase) = (
            venue(Protocol::Kraken, 1).await?,
            venue(Protocol::Coinbase, 1).await?,
        );
        let addresses = [&kraken, &coinbase];
        let addresses = addresses
            .iter()
            .flat_map(|venue| venue.arguments().split_off(2));
        let feed = ["--feed", "kraken,coinbase"].map(str::to_owned);
        let arguments: Vec<_> = feed.into_iter().chain(addresses).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        Ok(Self {
            server: TestServer::start(&arguments).await?,
            trading: [trade(&kraken, 2), trade(&coinbase, 3)],
            kraken,
        })
    }

    /// One of them is lost, and refuses to come back.
    pub fn lose_kraken(&self) {
        self.kraken.fail(|faults| faults.status = Some(503));
        self.kraken.cut();
    }

    /// It comes back.
    pub fn find_kraken(&self) {
        self.kraken.fail(|faults| faults.status = None);
    }
}
