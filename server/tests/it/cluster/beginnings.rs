//! Where a server begins that finds something else than it left, or than it knows.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use shared::{SnapshotAnswer, SnapshotReason};
use testkit::Nats;

use super::nodes::{Node, until};
use super::{MARKET, candles, some_nodes};

/// NATS comes back with an empty disk: that is another run.
#[tokio::test(flavor = "multi_thread")]
async fn nats_loses_everything() -> anyhow::Result<()> {
    let mut nats = Nats::start(1).await?;
    let (nodes, book) = some_nodes(["a", "b"], &nats.log(), 800).await?;
    nats.lose_everything().await?;
    nats.start_all().await?;
    until("both show another run", async || {
        Ok(book.newest_epochs(&nodes) == 1 && book.epochs() == 2)
    })
    .await?;
    ensure!(book.reasons().contains(&SnapshotReason::Restarted));
    book.check()
}

/// The feed has other symbols by the time that another server leads: nobody could go on
/// with the old ones.
#[tokio::test(flavor = "multi_thread")]
async fn nats_a_feed_with_other_symbols_is_another_run() -> anyhow::Result<()> {
    let nats = Nats::start(1).await?;
    let first = Node::start("a", &nats.log(), &MARKET).await?;
    until("it leads", async || Ok(first.leads().await? == Some(true))).await?;
    let alert = json!({"symbol": "BTC-USD", "below": "0.01"});
    let made = reqwest::Client::new().post(first.url("/api/alerts"));
    made.json(&alert).send().await?.error_for_status()?;
    let mut other = MARKET;
    other[1] = "9";
    let second = Node::start("b", &nats.log(), &other).await?;
    let count = async || -> anyhow::Result<usize> {
        let Ok(answer) = reqwest::get(second.url("/api/snapshot")).await else {
            return Ok(0);
        };
        Ok(answer.json::<SnapshotAnswer>().await?.symbols.len())
    };
    ensure!(count().await? == 8, "it shows what the leader has");
    first.kill().await?;
    until("it leads with its own", async || {
        Ok(second.leads().await? == Some(true) && count().await? == 9)
    })
    .await?;
    let alerts: Value = second.get("/api/alerts").await?;
    ensure!(alerts.to_string().contains("0.01"), "{alerts}");
    Ok(())
}

/// After an upgrade, checkpoints can be those of another version, which nobody reads.
#[tokio::test(flavor = "multi_thread")]
async fn nats_a_checkpoint_that_nobody_reads_is_not_waited_for() -> anyhow::Result<()> {
    let nats = Nats::start(1).await?;
    let first = Node::start("a", &nats.log(), &MARKET).await?;
    until("it leads", async || Ok(first.leads().await? == Some(true))).await?;
    first.kill().await?;
    let client = async_nats::connect(nats.log()).await?;
    let context = async_nats::jetstream::new(client);
    let objects = context.get_object_store("TW_tickwire").await?;
    for name in ["checkpoint-0", "checkpoint-1"] {
        objects.put(name, &mut &b"of another version"[..]).await?;
    }
    let second = Node::start("b", &nats.log(), &MARKET).await?;
    until("it leads", async || Ok(second.leads().await? == Some(true))).await
}

/// Alerts that changed while a server was away change in its file, too.
#[tokio::test(flavor = "multi_thread")]
async fn nats_a_server_keeps_the_alerts_of_all() -> anyhow::Result<()> {
    let nats = Nats::start(1).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("b.db");
    let file = file.to_str().context("a path that is text")?;
    let store = [&MARKET[..], &["--store", file]].concat();
    let first = Node::start("a", &nats.log(), &MARKET).await?;
    until("it leads", async || Ok(first.leads().await? == Some(true))).await?;
    let client = reqwest::Client::new();
    let make = async |level: &str| -> anyhow::Result<Value> {
        let alert = json!({"symbol": "BTC-USD", "below": level});
        let made = client.post(first.url("/api/alerts")).json(&alert);
        Ok(made.send().await?.error_for_status()?.json().await?)
    };
    let gone = make("0.01").await?;
    let second = Node::start("b", &nats.log(), &store).await?;
    until("it knows the first", async || {
        let known: Value = second.get("/api/alerts").await?;
        Ok(known.to_string().contains("0.01"))
    })
    .await?;
    second.kill().await?;
    let path = format!("/api/alerts/{}", gone["id"]);
    let deleted = client.delete(first.url(&path)).send().await?;
    deleted.error_for_status()?;
    make("0.02").await?;
    let second = Node::start("b", &nats.log(), &store).await?;
    let ours: Value = first.get("/api/alerts").await?;
    until("it knows the second", async || {
        Ok(second.get::<Value>("/api/alerts").await? == ours)
    })
    .await?;
    second.signal("TERM")?;
    let mut process = second.process;
    process.child.wait().await?;
    let alone = Node::alone("b", &store).await?;
    let kept: Value = alone.get("/api/alerts").await?;
    ensure!(kept == ours, "{kept} instead of {ours}");
    Ok(())
}

/// The past of many symbols is made when it is asked for: it is the same, whoever leads.
#[tokio::test(flavor = "multi_thread")]
async fn nats_a_made_past_is_the_same_whoever_leads() -> anyhow::Result<()> {
    let nats = Nats::start(1).await?;
    let market = [&["--symbols", "250", "--past", "on"], &MARKET[2..]].concat();
    let first = Node::start("a", &nats.log(), &market).await?;
    until("it leads", async || Ok(first.leads().await? == Some(true))).await?;
    let run: SnapshotAnswer = first.get("/api/snapshot").await?;
    let mut ours = candles(&first, "1d").await?;
    // Today is not over.
    ours.pop();
    ensure!(ours.len() > 500, "{} days", ours.len());
    let second = Node::start("b", &nats.log(), &market).await?;
    let is_same = async || Ok(candles(&second, "1d").await?.starts_with(&ours));
    until("the other has the same", is_same).await?;
    first.kill().await?;
    until("it leads", async || Ok(second.leads().await? == Some(true))).await?;
    ensure!(is_same().await?, "it has another past");
    let same: SnapshotAnswer = second.get("/api/snapshot").await?;
    ensure!(same.cursor.epoch == run.cursor.epoch, "it has begun anew");
    Ok(())
}
