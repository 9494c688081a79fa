//! The clock on the wall is set while the server runs, and between two runs. No
//! root is needed: a library tells the process another time, which the tests
//! write into a file.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use serde_json::{Value, json};
use shared::{CandlesAnswer, Span, Time};
use tempfile::TempDir;
use testkit::Process;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Where distributions put the library that fakes times.
fn library() -> anyhow::Result<PathBuf> {
    let named = std::env::var_os("FAKETIME_LIBRARY").map(PathBuf::from);
    let folders = ["x86_64-linux-gnu", "aarch64-linux-gnu", ""];
    let usual = folders.map(|folder| {
        Path::new("/usr/lib")
            .join(folder)
            .join("faketime")
            .join("libfaketime.so.1")
    });
    let mut all = named.into_iter().chain(usual);
    let found = all.find(|path| path.exists());
    found.context("no libfaketime: run `cargo xtask test`, or install the package faketime")
}

/// A server whose wall's clock is off by what a file says.
struct Wall {
    folder: TempDir,
}

impl Wall {
    fn new() -> anyhow::Result<Self> {
        let wall = Self {
            folder: tempfile::tempdir()?,
        };
        wall.set("+0")?;
        Ok(wall)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }

    /// As in `+3600` or `-3600`: seconds.
    fn set(&self, offset: &str) -> anyhow::Result<()> {
        // In one step: it is read at any moment.
        let new = self.folder.path().join("new");
        std::fs::write(&new, offset)?;
        Ok(std::fs::rename(new, self.file())?)
    }

    async fn start(&self) -> anyhow::Result<Process> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
        let store = self.folder.path().join("history.db");
        command
            .env("LD_PRELOAD", library()?)
            .env("FAKETIME_TIMESTAMP_FILE", self.file())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .arg(format!("--store={}", store.display()))
            .args(["--symbols=BTC-USD", "--rate=200", "--seed=7"]);
        Process::start(command).await
    }
}

fn real_now() -> anyhow::Result<Time> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Time::EPOCH + Span::from(since))
}

async fn get(server: &Process, path: &str) -> anyhow::Result<String> {
    Ok(reqwest::get(server.url(path)).await?.text().await?)
}

/// The starts of the newest candles of a second.
async fn seconds(server: &Process) -> anyhow::Result<Vec<Time>> {
    let path = "/api/candles?symbol=BTC-USD&interval=1s&limit=50";
    let answer: CandlesAnswer = serde_json::from_str(&get(server, path).await?)?;
    Ok(answer.candles.iter().map(|candle| candle.time).collect())
}

/// Waits until there are so many candles after this time.
async fn until_candles(server: &Process, after: Time, count: usize) -> anyhow::Result<Vec<Time>> {
    let end = Instant::now() + PATIENCE;
    loop {
        let all = seconds(server).await?;
        let new: Vec<_> = all.into_iter().filter(|time| *time > after).collect();
        if new.len() >= count {
            return Ok(new);
        }
        assert!(
            Instant::now() < end,
            "candles stand still: {new:?} after {after}"
        );
        sleep(LOOK_AGAIN).await;
    }
}

async fn until_ready_says(server: &Process, part: &str) -> anyhow::Result<String> {
    let end = Instant::now() + PATIENCE;
    loop {
        let text = get(server, "/readyz").await?;
        if text.contains(part) {
            return Ok(text);
        }
        assert!(Instant::now() < end, "{text:?} lacks {part:?}");
        sleep(LOOK_AGAIN).await;
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_stops_nothing() -> anyhow::Result<()> {
    let wall = Wall::new()?;
    let server = wall.start().await?;
    let before = until_candles(&server, Time::EPOCH, 2).await?;
    let newest = *before.last().context("no candle")?;
    wall.set("-3600")?;
    // Candles go on, and it is told.
    let after = until_candles(&server, newest, 3).await?;
    assert!(after.windows(2).all(|two| two[0] < two[1]), "{after:?}");
    let ready = until_ready_says(&server, "clock: the server's clock was set back").await?;
    assert!(ready.starts_with("ready\n"), "{ready}");
    // So does a server that is started then, from what is stored.
    let last = *seconds(&server).await?.last().context("no candle")?;
    let end = Instant::now() + PATIENCE;
    while !get(&server, "/readyz").await?.contains("saved 0.") {
        assert!(Instant::now() < end, "nothing is saved");
    }
    server.kill().await?;
    let server = wall.start().await?;
    let again = until_candles(&server, last, 3).await?;
    assert!(
        again[0] > real_now()? - Span::from_seconds(60),
        "an hour was lost: {again:?}"
    );
    until_ready_says(&server, "clock: the server's clock was set back").await?;
    // What was stored before is there.
    let all = seconds(&server).await?;
    assert!(all.contains(&newest), "{newest} is not in {all:?}");
    server.kill().await
}

#[tokio::test]
async fn a_clock_that_is_set_ahead_and_back_silences_no_alert() -> anyhow::Result<()> {
    let wall = Wall::new()?;
    let server = wall.start().await?;
    let newest = *until_candles(&server, Time::EPOCH, 1)
        .await?
        .last()
        .context("no candle")?;
    let client = reqwest::Client::new();
    // It would fire at once if an hour of the wall's clock were an hour.
    let patient = json!({"symbol": "BTC-USD", "silent_s": 1800});
    // One that fires again and again, if its rest of two seconds is two seconds.
    let often = json!({"symbol": "BTC-USD", "above": "0.01", "repeat": true, "cooldown_s": 2});
    for alert in [&patient, &often] {
        let made = client.post(server.url("/api/alerts")).json(alert).send();
        made.await?.error_for_status()?;
    }
    wall.set("+3600")?;
    let ahead = until_candles(&server, newest + Span::from_seconds(3_000), 1).await?;
    wall.set("+0")?;
    until_ready_says(&server, "clock: the server's clock was set back").await?;
    until_candles(&server, ahead[0], 3).await?;
    let alerts: Value = serde_json::from_str(&get(&server, "/api/alerts").await?)?;
    assert_eq!(
        alerts["alerts"][0]["fired"], 0,
        "silence of half an hour: {alerts}"
    );
    server.kill().await
}
