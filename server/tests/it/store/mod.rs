//! What outlives the server: real servers, real files.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use rusqlite::Connection;
use shared::{Candle, CandlesAnswer, Decimal, Interval, TicksAnswer, Time};
use testkit::TestServer;
use tokio::time::{sleep, timeout};

#[cfg(target_os = "linux")]
mod disks;
mod failing;
mod found;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tickwire");

/// A folder with a place for a database in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("history.db")
    }

    fn argument(&self) -> String {
        format!("--store={}", self.file().display())
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        Connection::open(self.file())
    }
}

async fn get(url: String) -> anyhow::Result<reqwest::Response> {
    Ok(reqwest::get(url).await?.error_for_status()?)
}

async fn candles(server: &TestServer, query: &str) -> anyhow::Result<Vec<Candle>> {
    let response = get(server.url(&format!("/api/candles?{query}"))).await?;
    Ok(response.json::<CandlesAnswer>().await?.candles)
}

/// How long anything may take. Long, since machines are shared and slow.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

async fn in_time<T>(
    what: &str,
    wait: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let found = timeout(PATIENCE, wait).await;
    found.with_context(|| format!("not in time: {what}"))?
}

/// Waits until the log has this many entries.
async fn until_seq(server: &TestServer, seq: u64) -> anyhow::Result<()> {
    in_time(&format!("entry {seq}"), has_seq(server, seq)).await
}

/// There are so many bars of a second, of each symbol.
async fn has_seconds(server: &TestServer, count: usize) -> anyhow::Result<()> {
    for symbol in ["BTC-USD", "ETH-USD"] {
        let query = format!("symbol={symbol}&interval=1s");
        while candles(server, &query).await?.len() < count {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
    Ok(())
}

async fn has_seq(server: &TestServer, seq: u64) -> anyhow::Result<()> {
    let mut query = String::new();
    loop {
        let answer = get(server.url(&format!("/api/ticks{query}"))).await?;
        let answer: TicksAnswer = answer.json().await?;
        if answer.cursor.seq >= seq {
            return Ok(());
        }
        query = format!("?cursor={}&wait_ms=1000&limit=1000", answer.cursor);
    }
}

/// Waits until the file answers the question with a number that will do.
async fn until_stored(
    folder: &Folder,
    question: &str,
    will_do: impl Fn(i64) -> bool,
) -> anyhow::Result<()> {
    let database = folder.open()?;
    database.busy_timeout(Duration::from_secs(10))?;
    let found = async {
        while !will_do(database.query_row(question, (), |row| row.get(0))?) {
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    };
    in_time(question, found).await
}

/// What the short bars say of each longer one.
fn merged(bars: &[Candle], interval: Interval) -> Vec<Candle> {
    let mut merged: Vec<Candle> = Vec::new();
    for bar in bars {
        let time = interval.start_of(bar.time);
        match merged.last_mut().filter(|last| last.time == time) {
            Some(last) => {
                last.high = last.high.max(bar.high);
                last.low = last.low.min(bar.low);
                last.close = bar.close;
                last.volume += bar.volume;
                last.trades += bar.trades;
            }
            None => merged.push(Candle {
                time,
                ..bar.clone()
            }),
        }
    }
    merged
}

#[tokio::test]
async fn a_restart_is_no_seam() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let store = folder.argument();
    let mut served: Vec<Candle> = Vec::new();
    for _ in 0..3 {
        let server =
            TestServer::start(&[&store, "--symbols=BTC-USD,ETH-USD", "--rate=3000"]).await?;
        let now = candles(&server, "symbol=BTC-USD&interval=1s").await?;
        for bar in &served {
            assert!(now.contains(bar), "a closed bar stays: {bar:?}");
        }
        // However fast the machine is, a second has closed.
        in_time("a second", has_seconds(&server, now.len() + 2)).await?;
        served = candles(&server, "symbol=BTC-USD&interval=1s").await?;
        served.pop();
        server.stop().await?;
    }
    // From here on nothing happens: the same after each other question.
    let server = TestServer::start(&[&store, "--symbols=BTC-USD,ETH-USD", "--rate=0.001"]).await?;
    for symbol in ["BTC-USD", "ETH-USD"] {
        let seconds = candles(&server, &format!("symbol={symbol}&interval=1s")).await?;
        assert!(seconds.len() >= 3);
        let snapshot = get(server.url(&format!("/api/snapshot?symbols={symbol}"))).await?;
        let snapshot: shared::SnapshotAnswer = snapshot.json().await?;
        for interval in Interval::ALL {
            let query = format!("symbol={symbol}&interval={interval}");
            let all = candles(&server, &query).await?;
            assert_eq!(all, merged(&seconds, interval), "{symbol} {interval}");
            let mut paged: Vec<Candle> = Vec::new();
            loop {
                let to = paged.first().map_or(Time::MAX, |bar| bar.time);
                let page = candles(&server, &format!("{query}&to={to}&limit=2")).await?;
                if page.is_empty() {
                    break;
                }
                paged.splice(0..0, page);
            }
            assert_eq!(paged, all, "{symbol} {interval}");
            if interval == Interval::D1 {
                // The session goes on before there is a tick.
                let (day, state) = (&all[all.len() - 1], &snapshot.symbols[0]);
                let found = [state.open, state.high, state.low, state.last];
                assert_eq!(found, [day.open, day.high, day.low, day.close].map(Some));
                assert_eq!(state.volume, day.volume);
            }
        }
    }
    server.stop().await
}

#[tokio::test]
async fn a_person_can_read_the_file() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/sp500-daily.csv");
    let feed = format!("--feed=replay:{sample}");
    let arguments = [&folder.argument(), &*feed, "--speed=2000"];
    let file = std::fs::read_to_string(sample)?;
    let rows: Vec<&str> = file.lines().skip(1).collect();
    // A replay begins again, and so does what is kept of it.
    for _ in 0..2 {
        let server = TestServer::start(&arguments).await?;
        let question = "SELECT count(*) FROM candle WHERE interval = '1d'";
        // The last one is open.
        until_stored(&folder, question, |count| count >= rows.len() as i64 - 1).await?;
        server.stop().await?;
        until_stored(&folder, question, |count| count == rows.len() as i64).await?;
    }
    let database = folder.open()?;
    let mut select = database.prepare(
        "SELECT utc, open, high, low, close FROM candle
         WHERE feed = 'replay' AND symbol = 'SP500-DAILY' AND interval = '1d' ORDER BY time",
    )?;
    let days = select.query_map((), |row| {
        let texts = (0..5).map(|column| row.get::<_, String>(column));
        texts.collect::<rusqlite::Result<Vec<_>>>()
    })?;
    for (day, row) in days.zip(&rows) {
        let (day, row) = (day?, row.split(',').collect::<Vec<_>>());
        assert_eq!(day[0], format!("{} 00:00:00", row[0]));
        let exact = |texts: &[String]| texts.iter().map(|text| text.parse::<Decimal>()).collect();
        let expected: Vec<_> = row[1..5].iter().map(|text| (*text).to_owned()).collect();
        let (found, expected): (Result<Vec<_>, _>, Result<Vec<_>, _>) =
            (exact(&day[1..]), exact(&expected));
        assert_eq!(found?, expected?, "{row:?}");
    }
    let schema: String =
        database.query_row("SELECT group_concat(sql) FROM sqlite_schema", (), |row| {
            row.get(0)
        })?;
    assert!(schema.contains("microseconds since 1970, UTC"), "{schema}");
    Ok(())
}

#[tokio::test]
async fn a_first_start_that_broke_off_is_begun_again() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let database = folder.open()?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    drop(database);
    assert!(std::fs::metadata(folder.file())?.len() > 0);
    let server = TestServer::start(&[&folder.argument(), "--symbols=1"]).await?;
    until_ready_says(server.url("/readyz"), "saved").await?;
    server.stop().await
}

#[tokio::test]
async fn simulated_prices_go_on_where_they_stood() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let store = folder.argument();
    let symbol = "--symbols=BTC-USD";
    let close = async |arguments: &[&str]| -> anyhow::Result<Decimal> {
        let server = TestServer::start(arguments).await?;
        until_seq(&server, 50).await?;
        let bars = candles(&server, "symbol=BTC-USD&interval=1d").await?;
        server.stop().await?;
        Ok(bars.last().context("no bars")?.close)
    };
    close(&[&store, symbol]).await?;
    folder.open()?.execute_batch(
        "DELETE FROM fresh;
         UPDATE newest SET bars = (
            SELECT json_group_array(json_array(
                json_extract(value, '$[0]'), json_extract(value, '$[1]'),
                '999', '999', '999', '999', '1', 1, 0))
            FROM json_each(bars))",
    )?;
    let near = |price: Decimal, to: u32| {
        let change = (price / Decimal::from(to) - Decimal::ONE).abs();
        change < Decimal::new(5, 2)
    };
    let found = close(&[&store, symbol]).await?;
    assert!(near(found, 999), "{found}");
    // A seed is a market of its own, whatever was before.
    let found = close(&[&store, symbol, "--seed=7"]).await?;
    assert!(near(found, 64_000), "{found}");
    Ok(())
}

/// Reads `/readyz` until its line of the store has `part`.
async fn until_ready_says(url: String, part: &str) -> anyhow::Result<String> {
    let found = async {
        loop {
            let text = reqwest::get(&url).await?.text().await?;
            let mut lines = text.lines();
            if lines.any(|line| line.starts_with("store") && line.contains(part)) {
                return Ok(text);
            }
            sleep(LOOK_AGAIN).await;
        }
    };
    in_time(part, found).await
}

#[tokio::test]
async fn what_is_too_old_goes_and_the_file_shrinks() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let store = folder.argument();
    let server = TestServer::start(&[&store, "--symbols=1"]).await?;
    until_stored(&folder, "SELECT count(*) FROM candle", |count| count >= 7).await?;
    server.stop().await?;
    let database = folder.open()?;
    let newest = "SELECT max(time) / 1000000 FROM candle WHERE interval = '1s'";
    let newest: i64 = database.query_row(newest, (), |row| row.get(0))?;
    let mut insert = database.prepare(
        "INSERT INTO block (series, time, last, bars)
         SELECT id, :first, :first + 99, :bars FROM series WHERE interval = :interval",
    )?;
    let bars: Vec<_> = (0..100)
        .map(|after| (after, "1", "1", "1", "1", "1", 1))
        .collect();
    let bars = serde_json::to_string(&bars)?;
    for first in (1..6_000).map(|block| newest - 100 * block - 100) {
        insert.execute((first, &bars, "1s"))?;
    }
    insert.execute((newest / 60 * 60 - 60, &bars, "1m"))?;
    drop(insert);
    drop(database);
    let before = std::fs::metadata(folder.file())?.len();
    let server = TestServer::start(&[&store, "--symbols=1", "--retain=1s=1m,5s=1d"]).await?;
    let seconds = "SELECT count(*) FROM candle WHERE interval = '1s'";
    // What is too old goes when its whole block is.
    until_stored(&folder, seconds, |count| count <= 62 + 200).await?;
    until_stored(&folder, seconds, |count| count > 30).await?;
    let minutes = "SELECT count(*) FROM candle WHERE interval = '1m'";
    until_stored(&folder, minutes, |count| count >= 100).await?;
    // Space is given back in pieces.
    until_stored(&folder, "PRAGMA page_count", |pages| {
        (pages as u64) * 4_096 < before / 2
    })
    .await?;
    server.stop().await?;
    let after = std::fs::metadata(folder.file())?.len();
    assert!(after < before / 2, "{before} bytes became {after}");
    Ok(())
}
