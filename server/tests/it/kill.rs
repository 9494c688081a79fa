//! The server is killed, again and again, while it writes.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use rand::RngExt as _;
use rusqlite::Connection;
use shared::{Candle, CandlesAnswer, Interval, Span, Time};
use testkit::Process;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

/// How often; `cargo xtask proof` does it more often.
const KILLS: usize = 6;

fn kills() -> usize {
    let set = std::env::var("KILLS").ok();
    set.and_then(|set| set.parse().ok()).unwrap_or(KILLS)
}
/// What has been closed for so long has to be in the file.
const GRACE: Span = Span::from_seconds(2);
const SYMBOLS: [&str; 4] = ["BTC-USD", "EUR-USD", "AAPL", "SIM-0450"];

type Key = (&'static str, Interval, Time);

fn now() -> anyhow::Result<Time> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Time::EPOCH + Span::from(since))
}

/// Adds what the server says of bars that are closed.
async fn ask(server: &Process, served: &mut BTreeMap<Key, Candle>) -> anyhow::Result<()> {
    for symbol in SYMBOLS {
        for interval in [Interval::S1, Interval::S5, Interval::M1] {
            let url = format!("/api/candles?symbol={symbol}&interval={interval}&limit=30");
            let answer = reqwest::get(server.url(&url)).await?.error_for_status()?;
            let mut candles = answer.json::<CandlesAnswer>().await?.candles;
            // The newest one is not closed.
            candles.pop();
            for candle in candles {
                let key = (symbol, interval, candle.time);
                let before = served.insert(key, candle.clone());
                anyhow::ensure!(
                    before.as_ref().is_none_or(|before| *before == candle),
                    "a closed candle changed: {before:?} became {candle:?}"
                );
            }
        }
    }
    Ok(())
}

/// Whether a candle has to be in the file.
fn is_due(interval: Interval, time: Time, killed: Time) -> bool {
    time + interval.span() + GRACE <= killed
}

/// The file is whole and has these candles, as they were served.
fn check(path: &Path, served: &BTreeMap<Key, Candle>) -> anyhow::Result<()> {
    let database = Connection::open(path)?;
    let whole: String = database.query_row("PRAGMA integrity_check", (), |row| row.get(0))?;
    anyhow::ensure!(whole == "ok", "{whole}");
    let twice: i64 = database.query_row(
        "SELECT count(*) - count(DISTINCT symbol || ' ' || interval || ' ' || time) FROM candle",
        (),
        |row| row.get(0),
    )?;
    anyhow::ensure!(twice == 0, "{twice} candles are there twice");
    let mut select = database.prepare(
        "SELECT open, high, low, close, volume, trades FROM candle
         WHERE symbol = ?1 AND interval = ?2 AND time = ?3",
    )?;
    for ((symbol, interval, time), candle) in served {
        let found = select.query_row((symbol, interval.name(), time.micros()), |row| {
            let text = |column| row.get::<_, String>(column);
            Ok([
                text(0)?,
                text(1)?,
                text(2)?,
                text(3)?,
                text(4)?,
                row.get::<_, i64>(5)?.to_string(),
            ])
        });
        let found = found.with_context(|| format!("{symbol} {interval} {candle:?}"))?;
        let Candle {
            open,
            high,
            low,
            close,
            volume,
            trades,
            ..
        } = candle;
        let expected = [open, high, low, close, volume].map(ToString::to_string);
        anyhow::ensure!(
            found[..5] == expected && found[5] == trades.to_string(),
            "{symbol} {interval}: stored {found:?}, served {candle:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn kills_lose_no_candle() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("history.db");
    let mut due = 0;
    let mut served = BTreeMap::new();
    let kills = kills();
    for round in 0..kills {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
        command
            .arg(format!("--store={}", path.display()))
            .args(["--symbols=500", "--rate=5000"]);
        let server = Process::start(command).await?;
        // Most lives are too short to close much; every third is longer.
        let ms = if round % 3 == 2 {
            rand::rng().random_range(4_000..8_000)
        } else {
            rand::rng().random_range(0..3_000)
        };
        let end = Instant::now() + Duration::from_millis(ms);
        while Instant::now() < end {
            ask(&server, &mut served).await?;
            sleep(Duration::from_millis(50)).await;
        }
        server.kill().await?;
        let killed = now()?;
        // What closed later than that may be lost in part.
        served.retain(|(_, interval, time), _| is_due(*interval, *time, killed));
        due = served.len();
        check(&path, &served).with_context(|| format!("kill {round}"))?;
    }
    // So that the test does not pass for want of candles.
    assert!(due > kills, "only {due} candles had to be there");
    println!("{kills} kills; {due} candles were there as they had been served");
    Ok(())
}
