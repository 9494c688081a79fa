//! What a person does with a store's file: copy, check, export. The server uses
//! it meanwhile.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use anyhow::Context as _;
use shared::{CandlesAnswer, Decimal};
use testkit::TestServer;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tickwire");
/// How long anything may take. Long, since machines are shared and slow.
const PATIENCE: Duration = Duration::from_secs(120);

async fn tickwire(store: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(PROGRAM);
    command.arg("--store").arg(store).args(arguments);
    Ok(command.output().await?)
}

/// What it printed, when it went well.
async fn printed(store: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = tickwire(store, arguments).await?;
    let errors = String::from_utf8(output.stderr)?;
    anyhow::ensure!(output.status.success(), "{arguments:?}: {errors}");
    Ok(String::from_utf8(output.stdout)?)
}

/// It is refused with one line, which has all of these parts.
async fn check_refused(store: &Path, arguments: &[&str], parts: &[&str]) -> anyhow::Result<()> {
    let output = tickwire(store, arguments).await?;
    let text = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    for part in parts {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
    Ok(())
}

async fn server_with_bars(store: &Path, bars: usize) -> anyhow::Result<TestServer> {
    let store = format!("--store={}", store.display());
    let arguments = [&store, "--symbols=BTC-USD,ETH-USD", "--rate=500"];
    let server = TestServer::start(&arguments).await?;
    let path = store.trim_start_matches("--store=").to_owned();
    let filled = async {
        loop {
            let text = printed(path.as_ref(), &["export", "--interval=1s"]).await?;
            if text.lines().count() > bars {
                return anyhow::Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, filled).await.context("no bars")??;
    Ok(server)
}

#[tokio::test]
async fn a_copy_is_whole_and_goes_on() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (store, copy) = (folder.path().join("a.db"), folder.path().join("copy.db"));
    let server = server_with_bars(&store, 6).await?;
    let to = copy.to_str().context("a path")?;
    printed(&store, &["backup", to]).await?;
    let sound = printed(&copy, &["check"]).await?;
    assert!(
        sound.contains("it is sound") && sound.contains(" 14 series"),
        "{sound}"
    );
    let live = printed(&store, &["check"]).await?;
    assert!(live.contains("it is sound"), "{live}");
    // What is there is not replaced, and nothing is left half done.
    check_refused(&store, &["backup", to], &["copy.db", "already there"]).await?;
    let nowhere = folder.path().join("no/x.db");
    let nowhere = nowhere.to_str().context("a path")?;
    check_refused(&store, &["backup", nowhere], &["no/x.db.part"]).await?;
    server.stop().await?;
    let bars = printed(&copy, &["export", "--interval=1s", "--symbols=BTC-USD"]).await?;
    let server = TestServer::start(&[&format!("--store={to}"), "--symbols=1"]).await?;
    let answer = reqwest::get(server.url("/api/candles?symbol=BTC-USD&interval=1s")).await?;
    let served: CandlesAnswer = answer.error_for_status()?.json().await?;
    let first = bars.lines().nth(1).context("a bar")?;
    let close: Decimal = first.split(',').nth(4).context("a close")?.parse()?;
    assert_eq!(served.candles[0].close, close);
    server.stop().await
}

#[tokio::test]
async fn bars_are_exported_as_they_are_served() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let store = folder.path().join("a.db");
    let server = server_with_bars(&store, 8).await?;
    let answer = reqwest::get(server.url("/api/candles?symbol=ETH-USD&interval=1s")).await?;
    let served: CandlesAnswer = answer.error_for_status()?.json().await?;
    let all = ["export", "--interval", "1s", "--symbols", "ETH-USD"];
    let csv = printed(&store, &all).await?;
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("time,open,high,low,close,volume"));
    // The newest ones may not be stored yet.
    let closed = &served.candles[..served.candles.len().min(3)];
    for (line, bar) in lines.zip(closed) {
        let prices = [bar.open, bar.high, bar.low, bar.close, bar.volume];
        let prices = prices.map(|price| price.to_string()).join(",");
        let (time, found) = line.split_once(',').context("columns")?;
        assert!(time.ends_with('Z') && time.len() == 20, "{time}");
        assert_eq!(found, prices);
    }
    let from = csv.lines().nth(2).context("a bar")?;
    let from = from.split(',').next().context("a time")?;
    let to = csv.lines().nth(4).context("a bar")?;
    let to = to.split(',').next().context("a time")?;
    let json = ["--from", from, "--to", to, "--format=jsonl", "--feed=sim"];
    let json = printed(&store, &[&all[..], &json].concat()).await?;
    let objects: Vec<serde_json::Value> = json
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[0]["utc"], from);
    assert_eq!(objects[0]["symbol"], "ETH-USD");
    assert!(objects[0]["open"].is_string() && objects[0]["trades"].is_u64());
    let out = folder.path().join("bars.csv");
    let to_file = ["--out", out.to_str().context("a path")?];
    printed(&store, &[&all[..], &to_file].concat()).await?;
    assert!(std::fs::read_to_string(&out)?.starts_with("time,"));
    check_refused(&store, &[&all[..], &to_file].concat(), &["already there"]).await?;
    server.stop().await?;

    let of = |symbol: &'static str| ["export", "--interval=1s", "--symbols", symbol];
    check_refused(&store, &of("NOPE"), &["no bars of NOPE", "BTC-USD"]).await?;
    check_refused(
        &store,
        &["export", "--interval=2s"],
        &["--interval", "'2s'"],
    )
    .await?;
    let wrong = ["export", "--interval=1s", "--from=yesterday"];
    check_refused(&store, &wrong, &["--from", "'yesterday'", "2026-11-22"]).await?;
    let wrong = ["export", "--interval=1s", "--format=xml"];
    check_refused(&store, &wrong, &["--format", "csv or jsonl"]).await?;
    let nothing = folder.path().join("nothing.db");
    check_refused(&nothing, &["check"], &["nothing.db", "there is no store"]).await?;
    assert!(!nothing.exists());
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_listed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let store = folder.path().join("a.db");
    let server = server_with_bars(&store, 4).await?;
    server.stop().await?;
    let database = rusqlite::Connection::open(&store)?;
    database.execute(
        r#"INSERT INTO block (series, time, last, bars) VALUES
            (1, 60, 60, '[[0,"1","2","0.5","3","1",1]]'), (1, 70, 71, '[[0,"1","1","1","1","1",1]]'),
            (1, 80, 80, '[[0,"x"]]')"#,
        (),
    )?;
    drop(database);
    let output = tickwire(&store, &["check"]).await?;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout)?;
    for part in [
        "contradicts itself",
        "not in order",
        "block 3",
        "it is damaged",
    ] {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
    Ok(())
}
