//! What a server records is replayed as it was.

use std::path::{Path, PathBuf};
use std::process::Command as StdCommand;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use client::Follower;
use shared::{FeedState, ServerMessage, SnapshotReason, Tick, Transport};
use testkit::TestServer;

/// A tick without what differs from run to run: its number, and when this server
/// received it.
fn bare(tick: &Tick) -> Tick {
    let mut tick = tick.clone().numbered(0);
    match &mut tick {
        Tick::Trade(trade) => trade.at = None,
        Tick::Quote(quote) => quote.at = None,
    }
    tick
}

/// Reads at least so many ticks of a server, from its first on; all of them if it
/// comes to its end.
async fn ticks_of(server: &TestServer, least: usize) -> anyhow::Result<Vec<Tick>> {
    ticks_until(server, |count| Ok(count >= least)).await
}

/// Likewise, until that many are enough.
async fn ticks_until(
    server: &TestServer,
    are_enough: impl Fn(usize) -> anyhow::Result<bool>,
) -> anyhow::Result<Vec<Tick>> {
    let mut follower = Follower::from_start(&server.address().to_string(), "*").await?;
    follower.switch(Transport::WebSocket).await?;
    let mut all = Vec::new();
    while !are_enough(all.len())? {
        for message in follower.next().await? {
            match message {
                ServerMessage::Ticks { ticks, .. } => all.extend(ticks.iter().map(bare)),
                ServerMessage::Status { status, .. } if status.state == FeedState::Ended => {
                    return Ok(all);
                }
                ServerMessage::Snapshot { reason, .. } => {
                    ensure!(reason == SnapshotReason::Start, "{reason:?}");
                }
                _ => {}
            }
        }
    }
    Ok(all)
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?;
    let mut files: Vec<_> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    files.sort();
    Ok(files)
}

async fn replayed(path: &Path) -> anyhow::Result<Vec<Tick>> {
    let feed = format!("replay:{}", path.display());
    let server = TestServer::start(&["--feed", &feed, "--speed", "max"]).await?;
    let ticks = ticks_of(&server, usize::MAX).await?;
    server.stop().await?;
    Ok(ticks)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_entries_in_the_same_order() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let recording = folder.path().join("new/recording");
    let path = recording.to_str().context("no path")?;
    let market = [
        "--symbols=20",
        "--rate=5000",
        "--quotes=3",
        "--flush-ms=5",
        // Minutes of this.
        "--log-capacity=4000000",
    ];
    let arguments = market
        .into_iter()
        .chain(["--record", path, "--record-mb", "1"]);
    let server = TestServer::start(&arguments.collect::<Vec<_>>()).await?;
    // How well ticks are packed depends on how many there are in a batch.
    let has_two_files = |_| Ok(files(&recording)?.len() > 1);
    let original = ticks_until(&server, has_two_files).await?;
    server.stop().await?;
    let parts = files(&recording)?;
    let played = replayed(&recording).await?;
    assert!(played.len() >= original.len());
    assert!(
        played[..original.len()] == original[..],
        "others than there were"
    );
    // A recording of the replay is the same again.
    let again = folder.path().join("again");
    let feed = format!("replay:{}", recording.display());
    let again = again.to_str().context("no path")?;
    let arguments = ["--feed", &feed, "--speed", "max", "--record", again];
    let server = TestServer::start(&arguments).await?;
    let second = ticks_of(&server, usize::MAX).await?;
    server.stop().await?;
    assert!(second == played);
    assert!(replayed(Path::new(again)).await? == played);
    // Other programs read it.
    let output = StdCommand::new("gzip")
        .args(["-dc"])
        .arg(&parts[0])
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let mut lines = text.lines();
    assert!(
        lines
            .next()
            .is_some_and(|line| line.starts_with(r#"{"recording":1,"epoch":"#))
    );
    assert!(lines.all(|line| line.starts_with(r#"{"event":""#)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_readable_after_a_cut() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let recording = folder.path().join("recording");
    let path = recording.to_str().context("no path")?;
    let server = TestServer::start(&["--symbols", "5", "--rate", "2000", "--record", path]).await?;
    let original = ticks_of(&server, 2_000).await?;
    let whole = files(&recording)?.pop().context("no file")?;
    // What was flushed is there while the server still writes: within a second
    // or two.
    let cut = folder.path().join("cut.jsonl.gz");
    let mut played = Vec::new();
    while played.len() < original.len() {
        std::fs::copy(&whole, &cut)?;
        played = replayed(&cut).await.unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(played[..original.len()] == original[..]);
    server.stop().await?;
    // Wherever it is cut, what is before that is played.
    let bytes = std::fs::read(&whole)?;
    let mut before = 0;
    for share in [40, 60, 80, 99] {
        std::fs::write(&cut, &bytes[..bytes.len() * share / 100])?;
        let played = replayed(&cut).await.with_context(|| format!("{share} %"))?;
        assert!(played.len() > before, "{} at {share} %", played.len());
        let common = played.len().min(original.len());
        assert!(played[..common] == original[..common]);
        before = played.len();
    }
    // And the server says so.
    let feed = format!("replay:{}", cut.display());
    let server = TestServer::start(&["--feed", &feed]).await?;
    let answer: shared::ReplayAnswer = reqwest::get(server.url("/api/replay"))
        .await?
        .json()
        .await?;
    let file = &answer.replay.context("no replay")?.files[0];
    assert!(file.told[0].what.contains("cut off"), "{file:?}");
    server.stop().await
}

#[tokio::test]
async fn what_cannot_be_recorded_or_replayed_is_refused_in_one_line() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("file");
    std::fs::write(&file, "")?;
    let below = file.join("below");
    let below = below.to_str().context("no path")?;
    let error = TestServer::start(&["--record", below]).await.unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("--record ") && error.contains("name a folder"),
        "{error}"
    );
    // A recording beside something else.
    let recording = folder.path().join("recording");
    let path = recording.to_str().context("no path")?;
    let server = TestServer::start(&["--symbols", "2", "--record", path]).await?;
    ticks_of(&server, 10).await?;
    server.stop().await?;
    std::fs::write(
        recording.join("z.csv"),
        "date,open,high,low,close\n2020-01-02,1,2,1,2\n",
    )?;
    let error = replayed(&recording).await.unwrap_err().to_string();
    assert!(error.contains("is replayed by itself"), "{error}");
    Ok(())
}
