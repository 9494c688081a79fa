//! Several servers with one log, on a real NATS: whatever is killed, stopped or cut,
//! none of them shows what another does not.

mod beginnings;
mod faults;
mod laws;
mod losses;
mod namespaces;
mod nodes;
mod proxy;

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use shared::{Candle, CandlesAnswer, SnapshotAnswer, SnapshotReason};
use testkit::{Gate, Nats, Passage, log_at};
use tokio::time::{Instant, sleep};

use self::laws::Book;
use self::nodes::{Node, PATIENCE, until};

const MARKET: [&str; 6] = ["--symbols", "8", "--rate", "400", "--quotes", "1"];

/// Servers of these names, each watched, that have shown so many entries.
async fn some_nodes<const N: usize>(
    names: [&str; N],
    log: &str,
    entries: u64,
) -> anyhow::Result<(Vec<Node>, Book)> {
    let (mut nodes, mut book) = (Vec::new(), Book::default());
    for name in names {
        let node = Node::start(name, log, &MARKET).await?;
        book.watch(&node);
        nodes.push(node);
    }
    book.until(&nodes, "all have shown some", entries).await?;
    Ok((nodes, book))
}

/// The servers show the same, and prices go on when the leader is killed.
#[tokio::test(flavor = "multi_thread")]
async fn nats_another_leads_when_the_leader_is_killed() -> anyhow::Result<()> {
    let nats = Nats::start(1).await?;
    let (mut nodes, mut book) = some_nodes(["a", "b", "c"], &nats.log(), 500).await?;
    let leader = Node::leader(&nodes).await?;
    let before = Instant::now();
    let gone = nodes.remove(leader);
    let name = gone.kill().await?;
    book.forget(&name);
    let head = book.head();
    book.until(&nodes, "prices go on", head.seq + 500).await?;
    println!(
        "prices went on after {:.1} s",
        before.elapsed().as_secs_f64()
    );
    ensure!(book.epochs() == 1, "{:?}", book.head());
    book.check()?;
    Ok(())
}

/// What is changed on any server is changed on all of them.
#[tokio::test(flavor = "multi_thread")]
async fn nats_what_is_changed_anywhere_is_changed_everywhere() -> anyhow::Result<()> {
    let nats = Nats::start(1).await?;
    let log = nats.log();
    let (a, b) = tokio::try_join!(
        Node::start("a", &log, &MARKET),
        Node::start("b", &log, &MARKET)
    )?;
    let nodes = [a, b];
    let leader = Node::leader(&nodes).await?;
    let (leader, other) = (&nodes[leader], &nodes[1 - leader]);
    let client = reqwest::Client::new();
    for (at, node) in [other, leader].into_iter().enumerate() {
        let alert = json!({"symbol": "BTC-USD", "above": "0.01", "note": node.name});
        let made = client
            .post(node.url("/api/alerts"))
            .json(&alert)
            .send()
            .await?;
        let made: Value = made.error_for_status()?.json().await?;
        ensure!(made["id"] == at + 1, "{made}");
        // It is there for whoever made it.
        let known: Value = node.get(&format!("/api/alerts/{}", at + 1)).await?;
        ensure!(known["note"] == made["note"], "{known}");
    }
    until("both know both, fired", async || {
        let (ours, theirs): (Value, Value) = (
            leader.get("/api/alerts").await?,
            other.get("/api/alerts").await?,
        );
        let fired: Value = other.get("/api/alerts/fired").await?;
        let count = fired["fired"].as_array().map_or(0, Vec::len);
        Ok(ours == theirs && count == 2)
    })
    .await?;
    let ready = reqwest::get(other.url("/readyz")).await?.text().await?;
    ensure!(
        ready.contains(&format!("behind {} by", leader.name)),
        "{ready}"
    );
    Ok(())
}

/// A server that joins late, or was stopped, shows the same as the others.
#[tokio::test(flavor = "multi_thread")]
async fn nats_a_leader_that_slept_does_not_write_again() -> anyhow::Result<()> {
    let nats = Nats::start(1).await?;
    let (mut nodes, mut book) = some_nodes(["a"], &nats.log(), 300).await?;
    nodes.push(Node::start("b", &nats.log(), &MARKET).await?);
    book.watch(&nodes[1]);
    let head = book.head();
    book.until(&nodes, "both show some", head.seq + 300).await?;
    let leader = Node::leader(&nodes).await?;
    nodes[leader].signal("STOP")?;
    let others = [&nodes[1 - leader]];
    let end = Instant::now() + PATIENCE;
    while others[0].leads().await? != Some(true) {
        ensure!(Instant::now() < end, "nobody leads");
        sleep(Duration::from_millis(50)).await;
    }
    sleep(Duration::from_secs(6)).await;
    nodes[leader].signal("CONT")?;
    let head = book.head();
    book.until(&nodes, "both go on", head.seq + 1_000).await?;
    book.check()?;
    Ok(())
}

/// One of three copies is lost, and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn nats_loses_one_of_three() -> anyhow::Result<()> {
    let mut nats = Nats::start(3).await?;
    let (nodes, book) = some_nodes(["a", "b"], &nats.log(), 300).await?;
    for lost in 0..3 {
        nats.kill_one(lost).await?;
        let (begun, head) = (Instant::now(), book.head());
        book.until(&nodes, "prices go on", head.seq + 500).await?;
        println!(
            "without {lost}: 500 entries after {:.1} s",
            begun.elapsed().as_secs_f64()
        );
        nats.start_one(lost)?;
        let head = book.head();
        book.until(&nodes, "prices go on with all", head.seq + 500)
            .await?;
    }
    ensure!(book.epochs() == 1, "another run was begun");
    book.check()
}

/// The stream is deleted: that is another run, and every reader is told so.
#[tokio::test(flavor = "multi_thread")]
async fn nats_loses_the_log() -> anyhow::Result<()> {
    let nats = Nats::start(1).await?;
    let (nodes, book) = some_nodes(["a", "b"], &nats.log(), 300).await?;
    let client = async_nats::connect(nats.log()).await?;
    async_nats::jetstream::new(client)
        .delete_stream("TW_tickwire")
        .await?;
    until("both show another run", async || {
        Ok(book.newest_epochs(&nodes) == 1 && book.epochs() == 2)
    })
    .await?;
    ensure!(
        book.reasons().contains(&SnapshotReason::Restarted),
        "{:?}",
        book.reasons()
    );
    book.check()
}

/// A server that was cut off for longer than the stream keeps goes on from a checkpoint,
/// and its readers get a snapshot that says so.
#[tokio::test(flavor = "multi_thread")]
async fn nats_keeps_less_than_a_server_missed() -> anyhow::Result<()> {
    let nats = Nats::start(1).await?;
    let many = [
        "--symbols",
        "50",
        "--rate",
        "10000",
        "--quotes",
        "1",
        "--log-mb",
        "1",
    ];
    let leader = Node::start("a", &nats.log(), &many).await?;
    until("it leads", async || Ok(leader.leads().await? == Some(true))).await?;
    let gate = Gate::start(nats.addresses()[0]).await?;
    let cut = Node::start("b", &log_at(&[gate.address()]), &many).await?;
    let nodes = [leader, cut];
    let mut book = Book::default();
    for node in &nodes {
        book.watch(node);
    }
    let head = nodes[0]
        .get::<SnapshotAnswer>("/api/snapshot")
        .await?
        .cursor;
    book.until(&nodes, "both show some", head.seq + 1_000)
        .await?;
    gate.set(Passage::Silent);
    let before = book.head();
    // More than a megabyte, whatever a tick takes.
    let missed = before.seq + 200_000;
    book.until(&nodes[..1], "much was missed", missed).await?;
    gate.set(Passage::Open);
    book.until(&nodes, "it shows the newest again", missed)
        .await?;
    ensure!(
        book.reasons().contains(&SnapshotReason::Lagged),
        "{:?}",
        book.reasons()
    );
    ensure!(book.epochs() == 1, "another run was begun");
    book.check()
}

/// A server that joins late has the candles of before, too: also when it leads later it
/// goes on with them.
#[tokio::test(flavor = "multi_thread")]
async fn nats_a_server_that_joins_has_the_same_past() -> anyhow::Result<()> {
    let nats = Nats::start(1).await?;
    let first = Node::start("a", &nats.log(), &MARKET).await?;
    until("it has some seconds", async || {
        Ok(candles(&first, "1s").await?.len() > 4)
    })
    .await?;
    let late = Node::start("b", &nats.log(), &MARKET).await?;
    let ours = candles(&first, "1s").await?;
    until("the other has the same", async || has(&late, &ours).await).await?;
    first.kill().await?;
    until("it leads", async || Ok(late.leads().await? == Some(true))).await?;
    let before = ours.last().map(|bar| bar.time);
    until("its candles go on", async || {
        let newest = candles(&late, "1s").await?.last().map(|bar| bar.time);
        Ok(newest > before)
    })
    .await?;
    ensure!(has(&late, &ours).await?, "it does not have those of before");
    Ok(())
}

/// A server with a store that was away for a while has no hole when it leads later, and
/// says of no time that prices are missing.
#[tokio::test(flavor = "multi_thread")]
async fn nats_a_server_that_was_away_has_no_hole() -> anyhow::Result<()> {
    let nats = Nats::start(1).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("b.db");
    let file = file.to_str().context("a path that is text")?;
    let with_store = [&MARKET[..], &["--store", file]].concat();
    let first = Node::start("a", &nats.log(), &MARKET).await?;
    until("it leads", async || Ok(first.leads().await? == Some(true))).await?;
    let second = Node::start("b", &nats.log(), &with_store).await?;
    until("it has some seconds", async || {
        Ok(candles(&second, "1s").await?.len() > 4)
    })
    .await?;
    second.kill().await?;
    let at = candles(&first, "1s").await?.len();
    until("some seconds pass", async || {
        Ok(candles(&first, "1s").await?.len() > at + 3)
    })
    .await?;
    let second = Node::start("b", &nats.log(), &with_store).await?;
    let snapshot: SnapshotAnswer = first.get("/api/snapshot").await?;
    let mut ours = Vec::new();
    for state in &snapshot.symbols {
        let found: CandlesAnswer = first.get(&seconds_of(&state.symbol)).await?;
        ours.push((state.symbol.clone(), found.candles));
    }
    let has_all = async || {
        for (symbol, ours) in &ours {
            let theirs: CandlesAnswer = second.get(&seconds_of(symbol)).await?;
            // The newest may have changed since.
            let closed = ours.len() - 1;
            let is_same =
                theirs.candles.len() > closed && theirs.candles[..closed] == ours[..closed];
            if !is_same || !theirs.breaks.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    };
    until("it has all while it follows", has_all).await?;
    first.kill().await?;
    until("it leads", async || Ok(second.leads().await? == Some(true))).await?;
    ensure!(has_all().await?, "there is a hole");
    Ok(())
}

fn seconds_of(symbol: &str) -> String {
    format!("/api/candles?symbol={symbol}&interval=1s")
}

/// Whether a server has these candles; the newest may still have changed.
async fn has(node: &Node, ours: &[Candle]) -> anyhow::Result<bool> {
    let theirs = candles(node, "1s").await?;
    let closed = ours.len() - 1;
    Ok(theirs.len() > closed && theirs[..closed] == ours[..closed])
}

async fn candles(node: &Node, interval: &str) -> anyhow::Result<Vec<Candle>> {
    let path = format!("/api/candles?symbol=BTC-USD&interval={interval}");
    Ok(node.get::<CandlesAnswer>(&path).await?.candles)
}
