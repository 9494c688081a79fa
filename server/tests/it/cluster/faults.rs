//! Random faults, one after the other, while an exchange trades, an alert fires, and a
//! reader moves from server to server.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use shared::{Firing, SnapshotAnswer, Time};
use testkit::{Deal, Gate, MockVenue, Nats, Passage, Protocol, Truth, log_at};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::laws::Book;
use super::nodes::{Node, PATIENCE};

/// How many servers share the log.
const NODES: usize = 3;
/// How often the exchange trades.
const TRADES: Duration = Duration::from_millis(20);
/// The variables for a longer run: how many faults, and which.
const FAULTS: &str = "FAULTS";
const SEED: &str = "SEED";

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The leader is killed, and starts again.
    LeaderKilled,
    /// Another server is killed, and starts again.
    FollowerKilled,
    /// The leader is stopped for longer than its lease, and goes on.
    LeaderSleeps,
    /// The leader is cut from NATS, silently, and not from its readers.
    LeaderCut,
    /// Another server is cut from NATS.
    FollowerCut,
    /// What the leader sends arrives, and is not acknowledged.
    AcknowledgementsLost,
    /// NATS is slow.
    Slow,
    /// NATS is killed, and starts again.
    NatsKilled,
}

const ALL: [Fault; 8] = [
    Fault::LeaderKilled,
    Fault::FollowerKilled,
    Fault::LeaderSleeps,
    Fault::LeaderCut,
    Fault::FollowerCut,
    Fault::AcknowledgementsLost,
    Fault::Slow,
    Fault::NatsKilled,
];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

fn now() -> Time {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    Time::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// What was delivered: each firing by its alert and count.
type Delivered = Arc<Mutex<BTreeSet<(u64, u64)>>>;

/// A receiver of alerts.
async fn receiver(delivered: Delivered) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}/hook", listener.local_addr()?);
    let take = async |State(delivered): State<Delivered>, body: Bytes| {
        if let Ok(firing) = serde_json::from_slice::<Firing>(&body) {
            let mut delivered = delivered.lock().unwrap_or_else(PoisonError::into_inner);
            delivered.insert((firing.id, firing.count));
        }
    };
    let router = Router::new()
        .route("/hook", post(take))
        .with_state(delivered);
    tokio::spawn(async move {
        // It ends with the test.
        let _ = axum::serve(listener, router).await;
    });
    Ok(address)
}

/// An exchange that trades all the time.
struct Trading {
    venue: Arc<MockVenue>,
    running: JoinHandle<()>,
}

impl Drop for Trading {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Trading {
    async fn start(seed: u64) -> anyhow::Result<Self> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let truth = Truth::with_past(&["BTC"], 2, now(), &mut random);
        let venue = Arc::new(MockVenue::start(Protocol::Kraken, truth).await?);
        let trading = Arc::clone(&venue);
        let running = tokio::spawn(async move {
            loop {
                sleep(TRADES).await;
                trading.trade("BTC", Deal::at(now(), &mut random));
            }
        });
        Ok(Self { venue, running })
    }

    fn newest(&self) -> u64 {
        self.venue.with_truth(|truth| truth.newest("BTC"))
    }
}

/// Servers, each behind a gate to NATS.
struct World {
    nats: Nats,
    gates: Vec<Gate>,
    nodes: Vec<Node>,
    arguments: Vec<String>,
    book: Book,
    random: ChaCha8Rng,
}

impl World {
    async fn start(venue: &MockVenue, webhook: &str, seed: u64) -> anyhow::Result<Self> {
        let nats = Nats::start(1).await?;
        let more = ["--webhook", webhook, "--log-capacity", "1000000"];
        let arguments = venue.arguments().into_iter();
        let mut world = Self {
            gates: Vec::new(),
            nodes: Vec::new(),
            arguments: arguments.chain(more.map(str::to_owned)).collect(),
            book: Book::default(),
            random: ChaCha8Rng::seed_from_u64(seed),
            nats,
        };
        for at in 0..NODES {
            world
                .gates
                .push(Gate::start(world.nats.addresses()[0]).await?);
            let node = world.node(at).await?;
            world.book.watch(&node);
            world.nodes.push(node);
        }
        world.book.roam(&world.nodes, seed);
        Ok(world)
    }

    async fn node(&self, at: usize) -> anyhow::Result<Node> {
        let log = log_at(&[self.gates[at].address()]);
        let arguments: Vec<_> = self.arguments.iter().map(String::as_str).collect();
        Node::start(&format!("n{at}"), &log, &arguments).await
    }

    /// Lets this go wrong, and then be as it should be.
    async fn suffer(&mut self, fault: Fault) -> anyhow::Result<()> {
        let leader = Node::leader(&self.nodes).await?;
        let other = (leader + 1 + self.random.random_range(0..NODES - 1)) % NODES;
        let a_while = Duration::from_millis(self.random.random_range(500..4_000));
        match fault {
            Fault::LeaderKilled => self.kill(leader, a_while).await,
            Fault::FollowerKilled => self.kill(other, a_while).await,
            Fault::LeaderSleeps => {
                self.nodes[leader].signal("STOP")?;
                sleep(a_while + Duration::from_secs(3)).await;
                self.nodes[leader].signal("CONT")
            }
            Fault::LeaderCut => self.gate(leader, Passage::Silent, a_while).await,
            Fault::FollowerCut => self.gate(other, Passage::Closed, a_while).await,
            Fault::AcknowledgementsLost => self.gate(leader, Passage::OneWay, a_while).await,
            Fault::Slow => {
                let late = Passage::Late(Duration::from_millis(200));
                self.gate(leader, late, a_while).await
            }
            Fault::NatsKilled => {
                self.nats.kill_all().await?;
                sleep(a_while).await;
                self.nats.start_all().await
            }
        }
    }

    async fn gate(&self, at: usize, passage: Passage, time: Duration) -> anyhow::Result<()> {
        self.gates[at].set(passage);
        sleep(time).await;
        self.gates[at].set(Passage::Open);
        Ok(())
    }

    async fn kill(&mut self, at: usize, pause: Duration) -> anyhow::Result<()> {
        let name = self.nodes.remove(at).kill().await?;
        self.book.forget(&name);
        sleep(pause).await;
        let node = self.node(at).await?;
        self.book.watch(&node);
        self.nodes.insert(at, node);
        self.book.roam_among(&self.nodes);
        Ok(())
    }

    /// Waits until every server shows this trade.
    async fn until_shown(&self, trade: u64) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let newest = self.book.newest_trades();
            let names = self.nodes.iter().map(|node| &node.name);
            let at: Vec<_> = names
                .map(|name| newest.get(name).copied().unwrap_or(0))
                .collect();
            if at.iter().all(|at| *at >= trade) {
                return Ok(());
            }
            ensure!(Instant::now() < end, "{at:?} for {trade}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// All laws hold under faults in a row; `FAULTS` and `SEED` say how many, and which.
#[tokio::test(flavor = "multi_thread")]
async fn nats_faults_break_no_law() -> anyhow::Result<()> {
    let variable = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let count = variable(FAULTS).unwrap_or(10);
    let seed = variable(SEED).unwrap_or_else(rand::random);
    println!("{count} faults, {SEED}={seed}");
    let delivered = Delivered::default();
    let webhook = receiver(Arc::clone(&delivered)).await?;
    let trading = Trading::start(seed).await?;
    let mut world = World::start(&trading.venue, &webhook, seed).await?;
    // What was before is in the candles only, or was shown before anybody watched.
    let first = trading.newest();
    world.until_shown(first).await?;
    let snapshot: SnapshotAnswer = world.nodes[0].get("/api/snapshot").await?;
    let price = snapshot.symbols[0].last.context("no price")?.to_string();
    let alert = json!({"symbol": "BTC-USD", "crosses": price, "repeat": true, "cooldown_s": 1});
    let client = reqwest::Client::new();
    let made = client.post(world.nodes[0].url("/api/alerts")).json(&alert);
    made.send().await?.error_for_status()?;
    for number in 1..=count {
        let fault = ALL[world.random.random_range(0..ALL.len())];
        let begun = Instant::now();
        world
            .suffer(fault)
            .await
            .with_context(|| format!("{number}: {fault}"))?;
        let newest = trading.newest();
        let shown = world.until_shown(newest).await;
        shown.with_context(|| format!("{number}: after {fault}, {SEED}={seed}"))?;
        println!(
            "{number}: {fault}, over after {:.1} s",
            begun.elapsed().as_secs_f64()
        );
    }
    let last = trading.newest();
    world.until_shown(last).await?;
    let held = world.book.check().and_then(|()| {
        ensure!(world.book.epochs() == 1, "another run was begun");
        check_trades(&world.book, first, last)
    });
    held.with_context(|| format!("{SEED}={seed}"))?;
    let fired = world.book.firings();
    let end = Instant::now() + PATIENCE;
    loop {
        let missing: Vec<_> = {
            let delivered = delivered.lock().unwrap_or_else(PoisonError::into_inner);
            fired.difference(&delivered).copied().collect()
        };
        if missing.is_empty() {
            break;
        }
        ensure!(
            Instant::now() < end,
            "never delivered: {missing:?}, {SEED}={seed}"
        );
        sleep(Duration::from_millis(50)).await;
    }
    println!(
        "{} trades, {} firings, all once",
        last - first + 1,
        fired.len()
    );
    Ok(())
}

/// Every trade of the exchange is in the log, and once.
fn check_trades(book: &Book, first: u64, last: u64) -> anyhow::Result<()> {
    let counts = book.trades();
    for id in first..=last {
        let count = counts.get(&id).copied().unwrap_or(0);
        ensure!(
            count == 1,
            "trade {id} is there {count} times; {}",
            book.around(id)
        );
    }
    Ok(())
}
