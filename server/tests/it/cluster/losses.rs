//! NATS loses what it had acknowledged.

use anyhow::ensure;
use shared::{Epoch, SnapshotAnswer, SnapshotReason};
use testkit::Nats;

use super::nodes::{Node, until};
use super::{MARKET, some_nodes};

/// The run that a server shows; `None` if it does not say.
async fn run_of(node: &Node) -> Option<Epoch> {
    let snapshot: SnapshotAnswer = node.get("/api/snapshot").await.ok()?;
    Some(snapshot.cursor.epoch)
}

/// Those who showed what is lost begin another run.
#[tokio::test(flavor = "multi_thread")]
async fn nats_loses_what_all_have_shown() -> anyhow::Result<()> {
    let mut nats = Nats::start(1).await?;
    let (nodes, book) = some_nodes(["a", "b"], &nats.log(), 800).await?;
    nats.remember().await?;
    book.until(&nodes, "they go on", 1_600).await?;
    nats.forget().await?;
    nats.start_all().await?;
    until("both show another run", async || {
        Ok(book.newest_epochs(&nodes) == 1 && book.epochs() == 2)
    })
    .await?;
    book.check()
}

/// A server that has not shown what is lost goes on with the old run while the others
/// sleep. When they wake, that run is over for it, too: there are never two of them for
/// long.
#[tokio::test(flavor = "multi_thread")]
async fn nats_loses_what_only_some_have_shown() -> anyhow::Result<()> {
    let mut nats = Nats::start(1).await?;
    let (mut nodes, book) = some_nodes(["a", "b"], &nats.log(), 800).await?;
    let restarts = || {
        let reasons = book.reasons().into_iter();
        let restarts = reasons.filter(|reason| *reason == SnapshotReason::Restarted);
        restarts.count()
    };
    let (old, before) = (run_of(&nodes[0]).await, restarts());
    nats.remember().await?;
    book.until(&nodes, "they go on", 1_600).await?;
    for node in &nodes {
        node.signal("STOP")?;
    }
    nats.forget().await?;
    nats.start_all().await?;
    let other = Node::start("c", &nats.log(), &MARKET).await?;
    until("it leads", async || Ok(other.leads().await? == Some(true))).await?;
    ensure!(run_of(&other).await == old, "it goes on with what there is");
    let written: SnapshotAnswer = other.get("/api/snapshot").await?;
    until("it has written more", async || {
        let now: SnapshotAnswer = other.get("/api/snapshot").await?;
        Ok(now.cursor.seq > written.cursor.seq + 800)
    })
    .await?;
    for node in &nodes {
        node.signal("CONT")?;
    }
    nodes.push(other);
    until("all show one other run", async || {
        let mut runs = Vec::new();
        for node in &nodes {
            runs.push(run_of(node).await);
        }
        Ok(runs[0].is_some() && runs[0] != old && runs.iter().all(|run| *run == runs[0]))
    })
    .await?;
    // Both readers are told.
    until("readers are told", async || Ok(restarts() >= before + 2)).await
}
