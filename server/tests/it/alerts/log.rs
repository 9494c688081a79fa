//! What is told of alerts through the log.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use client::Follower;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::Method;
use serde_json::json;
use shared::{
    Condition, Cursor, Firing, ServerMessage, SnapshotAnswer, SymbolState, Tick, Transport,
};
use testkit::TestServer;

use super::{call, create, get};

/// Reads so many firings of the follower's symbols, in order; each is of a tick
/// that came before it.
async fn firings(
    mut follower: Follower,
    count: usize,
    mut switch: impl FnMut() -> Option<Transport>,
) -> anyhow::Result<Vec<Firing>> {
    let mut firings = Vec::new();
    let mut ticks = HashSet::new();
    while firings.len() < count {
        if let Some(transport) = switch() {
            follower.switch(transport).await?;
        }
        for message in follower.next().await? {
            match message {
                ServerMessage::Ticks { ticks: new, .. } => {
                    let trades = new.iter().filter_map(Tick::trade);
                    ticks.extend(trades.map(|t| (t.symbol.clone(), t.time, t.price)));
                }
                ServerMessage::Alerts { firings: new, .. } => {
                    for firing in &new {
                        let price = firing.price.context("a price")?;
                        let tick = (firing.symbol.clone(), firing.time, price);
                        anyhow::ensure!(ticks.contains(&tick), "before its tick: {firing:?}");
                    }
                    firings.extend(new);
                }
                ServerMessage::Snapshot { reason, .. } => anyhow::bail!("a snapshot: {reason:?}"),
                _ => {}
            }
        }
    }
    let chain = follower.chain();
    assert_eq!((chain.missed(), chain.repeated()), (0, 0));
    firings.truncate(count);
    Ok(firings)
}

/// Makes 67 alerts of this symbol; most fire at once, two again and again.
async fn create_many(server: &TestServer, state: &SymbolState) -> anyhow::Result<()> {
    let level = state.last.context("a price")?.to_string();
    let crosses =
        json!({"symbol": state.symbol, "crosses": level, "repeat": true, "cooldown_s": 1});
    create(server, crosses).await?;
    let moves = json!({"symbol": state.symbol, "moves": {"percent": "0.01", "window_s": 1},
        "repeat": true, "cooldown_s": 1});
    create(server, moves).await?;
    for _ in 0..65 {
        create(server, json!({"symbol": state.symbol, "above": "0.01"})).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn they_arrive_once_and_in_order_over_every_transport_and_any_switching() -> anyhow::Result<()>
{
    const COUNT: usize = 500;
    let arguments = ["--rate=5000", "--symbols=20", "--log-capacity=10000000"];
    let server = TestServer::start(&arguments).await?;
    let snapshot = loop {
        let snapshot: SnapshotAnswer = get(&server, "/api/snapshot").await?;
        if snapshot.symbols.iter().all(|state| state.last.is_some()) {
            break snapshot;
        }
    };
    for state in &snapshot.symbols {
        create_many(&server, state).await?;
    }
    let host = server.address().to_string();
    let start = Cursor {
        seq: 0,
        ..snapshot.cursor
    };
    let some: Vec<_> = snapshot
        .symbols
        .iter()
        .step_by(3)
        .map(|s| s.symbol.clone())
        .collect();
    for symbols in ["*", &some.join(",")] {
        let mut all = Vec::new();
        for transport in Transport::ALL {
            let follower = Follower::new(&host, symbols, Some(start));
            let mut once = Some(transport);
            all.push(firings(follower, COUNT, || once.take()).await?);
        }
        let seed = rand::random();
        let mut rng = StdRng::seed_from_u64(seed);
        let mut connected = false;
        let follower = Follower::new(&host, symbols, Some(start)).limit(250);
        let switching = firings(follower, COUNT, || {
            let change = !std::mem::replace(&mut connected, true) || rng.random_bool(0.5);
            change
                .then(|| Transport::ALL.choose(&mut rng).copied())
                .flatten()
        });
        all.push(switching.await?);
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        for firing in &all[0] {
            let count = counts.entry(firing.id).or_default();
            *count += 1;
            assert_eq!(firing.count, *count, "{firing:?}");
        }
        assert!(counts.len() > 3);
        for (found, expected) in all[1..].iter().zip(&all) {
            assert!(found == expected, "transports differ; seed {seed}");
        }
        println!("{COUNT} alerts of {symbols}: equal over four transports and a switching");
    }
    server.stop().await
}

#[tokio::test]
async fn silence_is_noticed_and_everybody_is_told_of_changes() -> anyhow::Result<()> {
    let server = TestServer::start(&["--symbols=BTC-USD,ETH-USD", "--rate=0.001"]).await?;
    let host = server.address().to_string();
    let mut one = Follower::new(&host, "ETH-USD", None);
    one.switch(Transport::Sse).await?;
    let mut other = Follower::new(&host, "BTC-USD", None);
    other.switch(Transport::WebSocket).await?;
    // Once both are there, so that they are told.
    one.next().await?;
    one.next().await?;
    other.next().await?;
    other.next().await?;
    let silent = create(&server, json!({"symbol": "ETH-USD", "silent_s": 1})).await?;
    let mut told = Vec::new();
    while told.len() < 2 {
        for message in one.next().await? {
            match message {
                ServerMessage::AlertsChanged { .. } => told.push("changed"),
                ServerMessage::Alerts { firings, .. } => {
                    let [firing] = firings.as_slice() else {
                        panic!("{firings:?}");
                    };
                    assert_eq!((firing.id, firing.price), (silent.id, None));
                    assert_eq!(firing.condition, Condition::SilentS(1));
                    told.push("fired");
                }
                _ => {}
            }
        }
    }
    assert_eq!(told, ["changed", "fired"]);
    // Who does not watch the symbol is told of the change only.
    loop {
        let messages = other.next().await?;
        assert!(
            !messages
                .iter()
                .any(|m| matches!(m, ServerMessage::Alerts { .. }))
        );
        if messages
            .iter()
            .any(|m| matches!(m, ServerMessage::Heartbeat { cursor, .. } if cursor.seq >= 2))
        {
            break;
        }
    }
    let chain = other.chain();
    assert_eq!((chain.missed(), chain.repeated()), (0, 0));
    server.stop().await
}

/// Takes in messages until one is as wanted.
async fn until(
    follower: &mut Follower,
    mut is_wanted: impl FnMut(&ServerMessage) -> bool,
) -> anyhow::Result<()> {
    loop {
        let messages = follower.next().await?;
        if messages.iter().any(&mut is_wanted) {
            return Ok(());
        }
    }
}

#[tokio::test]
async fn a_client_that_changes_one_all_the_time_is_told_of_with_the_flush_clock()
-> anyhow::Result<()> {
    const CHANGES: u64 = 200;
    const FLUSH: Duration = Duration::from_millis(100);
    let flush = format!("--flush-ms={}", FLUSH.as_millis());
    let server = TestServer::start(&["--symbols=BTC-USD", "--rate=0.001", &flush]).await?;
    let mut follower = Follower::new(&server.address().to_string(), "BTC-USD", None);
    follower.switch(Transport::WebSocket).await?;
    until(&mut follower, |m| matches!(m, ServerMessage::Status { .. })).await?;
    let began = Instant::now();
    let alert = json!({"symbol": "BTC-USD", "above": "9999999", "note": "0"});
    create(&server, alert.clone()).await?;
    for change in 1..CHANGES {
        let mut alert = alert.clone();
        alert["note"] = json!(change.to_string());
        let put = call(&server, Method::PUT, "/api/alerts/1", None, Some(alert)).await?;
        assert_eq!(put.status(), 200);
    }
    let mut notices = 0;
    until(&mut follower, |message| {
        let ServerMessage::AlertsChanged { changes, .. } = message else {
            return false;
        };
        notices += 1;
        assert_eq!((changes.changed.len(), changes.deleted.len()), (1, 0));
        assert!(!changes.more);
        changes.changed[0].version == CHANGES
    })
    .await?;
    let most = began.elapsed().as_millis() / FLUSH.as_millis() + 1;
    assert!(notices <= most, "{notices} notices, of {most} at most");
    let gone = call(&server, Method::DELETE, "/api/alerts/1", None, None).await?;
    assert_eq!(gone.status(), 204);
    until(&mut follower, |message| {
        matches!(message, ServerMessage::AlertsChanged { changes, .. } if changes.deleted == [1])
    })
    .await?;
    server.stop().await
}
