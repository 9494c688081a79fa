//! Clients that follow the log, and whose chains are checked.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use client::Follower;
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use shared::{Pace, Transport, WireFormat};
use tokio::time::{sleep, timeout};

/// If nothing comes for so long, the connection is lost: heartbeats come more
/// often.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// The most that a message may show of what one has followed: after so many, a
/// client does something else.
const MESSAGES_MAX: u32 = 200;

/// What is between a client and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Something that may cut and delay, but changes nothing.
    Sound,
    /// Something that changes bytes: no chain can be checked, but the server
    /// has to bear it.
    Corrupting,
}

/// What happened to all clients.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    messages: AtomicU64,
    switches: AtomicU64,
    lost: AtomicU64,
    vanished: AtomicU64,
    missed: AtomicU64,
}

impl Tally {
    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    pub(crate) fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        write!(
            f,
            "{} messages; {} switches, {} connections lost, {} clients vanished; {} entries missed",
            of(&self.messages),
            of(&self.switches),
            of(&self.lost),
            of(&self.vanished),
            of(&self.missed)
        )
    }
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

/// One client after the other.
pub(crate) async fn live(way: Way, host: String, symbols: Vec<String>, tally: Arc<Tally>) {
    loop {
        let pause = rand::rng().random_range(0..2_000);
        sleep(Duration::from_millis(pause)).await;
        let mut follower = Follower::new(&host, &some(&symbols), None)
            .limit(rand::rng().random_range(1..5_000))
            .interval(Duration::from_millis(rand::rng().random_range(50..2_000)));
        let switches = rand::rng().random_range(1..8);
        for _ in 0..switches {
            let (format, pace) = (a_format(), a_pace());
            follower.change(format, pace);
            add(&tally.switches);
            let transport = a_transport();
            let opened = timeout(SILENCE_MAX, follower.switch(transport)).await;
            if !matches!(opened, Ok(Ok(()))) {
                add(&tally.lost);
                sleep(Duration::from_millis(200)).await;
                continue;
            }
            let missed_before = follower.chain().missed();
            read(&mut follower, &tally).await;
            let missed = follower.chain().missed() - missed_before;
            if way == Way::Sound && missed > 0 {
                println!("{transport:?} {format:?} {pace:?}: {missed} entries missed");
                tally.missed.fetch_add(missed, Ordering::Relaxed);
            }
        }
        // Its connection is dropped as it is.
        add(&tally.vanished);
    }
}

/// Reads for a while, sometimes slowly.
async fn read(follower: &mut Follower, tally: &Tally) {
    let count = rand::rng().random_range(1..MESSAGES_MAX);
    let is_slow = rand::rng().random_range(0..6) == 0;
    for _ in 0..count {
        match timeout(SILENCE_MAX, follower.next()).await {
            Ok(Ok(messages)) => {
                tally
                    .messages
                    .fetch_add(messages.len() as u64, Ordering::Relaxed);
            }
            _ => {
                add(&tally.lost);
                return;
            }
        }
        if is_slow {
            let pause = rand::rng().random_range(0..1_500);
            sleep(Duration::from_millis(pause)).await;
        }
    }
}

/// One, a few, or all of the symbols.
fn some(symbols: &[String]) -> String {
    let mut chance = rand::rng();
    if chance.random_range(0..30) == 0 {
        return "*".to_owned();
    }
    let count = chance.random_range(1..6);
    let chosen: Vec<_> = symbols.sample(&mut chance, count).cloned().collect();
    chosen.join(",")
}

fn a_transport() -> Transport {
    let all = [
        Transport::WebSocket,
        Transport::Sse,
        Transport::LongPoll,
        Transport::Poll,
    ];
    all[rand::rng().random_range(0..all.len())]
}

fn a_format() -> WireFormat {
    match rand::rng().random_range(0..2) {
        0 => WireFormat::Json,
        _ => WireFormat::Binary,
    }
}

fn a_pace() -> Pace {
    let mut chance = rand::rng();
    match chance.random_range(0..4) {
        0 => Pace {
            every_ms: chance.random_range(50..1_000),
            latest: chance.random_range(0..2) == 0,
        },
        _ => Pace::default(),
    }
}
