//! What outlives the server: real servers, real files.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use rusqlite::Connection;
use shared::{AlertsAnswer, Candle, CandlesAnswer, Decimal, Interval, TicksAnswer, Time};
use testkit::{Process, TestServer};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

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
        until_seq(&server, 5_000).await?;
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
        until_stored(&folder, question, |count| count == rows.len() as i64).await?;
        server.stop().await?;
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
        "UPDATE candle SET open = '999', high = '999', low = '999', close = '999'",
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

#[tokio::test]
async fn a_file_of_an_older_version_is_taken_on() -> anyhow::Result<()> {
    check_older(1).await?;
    check_older(2).await
}

async fn check_older(version: usize) -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let database = folder.open()?;
    let migrations = [
        include_str!("../src/store/migrations/1_candles.sql"),
        include_str!("../src/store/migrations/2_alerts.sql"),
    ];
    for migration in &migrations[..version] {
        database.execute_batch(migration)?;
    }
    if version > 1 {
        database.execute_batch(
            "INSERT INTO alert VALUES (1, 1, 'BTC-USD', 'below', '1', NULL, NULL, NULL, 1, 0, 1, 1, '', 5, 0, NULL);
             INSERT INTO fired (alert, count, symbol, kind, silent_s, time, note)
             VALUES (1, 1, 'BTC-USD', 'silent', 30, 5, 'old')",
        )?;
    }
    database.pragma_update(None, "application_id", i32::from_be_bytes(*b"TICK"))?;
    database.pragma_update(None, "user_version", version as i64)?;
    database.execute_batch(
        "INSERT INTO candle VALUES ('sim', 'BTC-USD', '1d', 0, '1.50', '2', '1', '1.75', '0.1', 4)",
    )?;
    drop(database);
    let server = TestServer::start(&[&folder.argument(), "--symbols=1"]).await?;
    let days = candles(&server, "symbol=BTC-USD&interval=1d").await?;
    let first = serde_json::to_string(&days[0])?;
    assert_eq!(
        first,
        r#"{"time":0,"open":"1.50","high":"2","low":"1","close":"1.75","volume":"0.1","trades":4}"#
    );
    let alert = reqwest::Client::new()
        .post(server.url("/api/alerts"))
        .json(&serde_json::json!({"symbol": "BTC-USD", "above": "9999999"}));
    assert_eq!(alert.send().await?.status(), 201);
    let fired: shared::FiredAnswer = get(server.url("/api/alerts/fired")).await?.json().await?;
    assert_eq!(fired.fired.len(), version - 1);
    server.stop().await?;
    // One is of before.
    let made = version;
    let database = folder.open()?;
    let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    assert_eq!(version, 5);
    let all = "SELECT count(*), sum(cooldown_s = 0) FROM alert";
    let all: (usize, usize) = database.query_row(all, (), |row| Ok((row.get(0)?, row.get(1)?)))?;
    assert_eq!(all, (made, 0));
    Ok(())
}

/// The server does not start with this file, says why in one line that has all
/// of `parts`, and leaves the file as it is.
async fn check_refused(content: &[u8], parts: &[&str]) -> anyhow::Result<()> {
    let folder = Folder::new()?;
    std::fs::write(folder.file(), content)?;
    let mut command = Command::new(PROGRAM);
    command.args(["--listen=127.0.0.1:0", &folder.argument()]);
    let output = command.output().await?;
    let text = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    let path = folder.file().display().to_string();
    for part in ["--store", &path].iter().chain(parts) {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
    assert!(std::fs::read(folder.file())? == content, "it was changed");
    Ok(())
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_refused_and_left_untouched() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let server = TestServer::start(&[&folder.argument(), "--rate=5000"]).await?;
    until_stored(&folder, "SELECT count(*) FROM candle", |count| count > 300).await?;
    // Another server, while it is in use.
    let path = folder.argument();
    let mut second = Command::new(PROGRAM);
    let output = second
        .args(["--listen=127.0.0.1:0", &path])
        .output()
        .await?;
    let text = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("another server uses it"), "{text}");
    server.stop().await?;

    let good = std::fs::read(folder.file())?;
    check_refused(b"date,open\n2020-01-01,1\n", &["not a database"]).await?;
    check_refused(&good[..good.len() / 2], &["damaged"]).await?;
    let mut holed = good.clone();
    let middle = holed.len() / 2;
    holed[middle - 8_192..middle].fill(0x5A);
    check_refused(&holed, &["damaged"]).await?;

    folder.open()?.pragma_update(None, "user_version", 99)?;
    let newer = std::fs::read(folder.file())?;
    check_refused(&newer, &["version is 99", "newer program"]).await?;

    // A clock that is behind: what was kept is not thrown away.
    let database = folder.open()?;
    database.pragma_update(None, "user_version", 3)?;
    database.execute_batch(
        "INSERT INTO candle SELECT feed, symbol, interval, time + 172800000000, open, high, low, close, volume, trades
         FROM candle WHERE interval = '1s' ORDER BY time DESC LIMIT 1",
    )?;
    drop(database);
    let ahead = std::fs::read(folder.file())?;
    check_refused(&ahead, &["a candle of", " s after what", "clock"]).await?;

    let other = Folder::new()?;
    other
        .open()?
        .execute_batch("CREATE TABLE recipe (name TEXT)")?;
    check_refused(&std::fs::read(other.file())?, &["another program"]).await?;

    let nowhere = Folder::new()?;
    let path = nowhere.0.path().join("no-such-folder").join("x.db");
    let mut command = Command::new(PROGRAM);
    let store = format!("--store={}", path.display());
    let output = command.args(["--listen=127.0.0.1:0", &store]).output();
    let text = String::from_utf8(output.await?.stderr)?;
    assert!(
        text.contains("no-such-folder") && text.lines().count() == 1,
        "{text}"
    );
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
async fn the_market_goes_on_while_nothing_can_be_written() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let server = TestServer::start(&[&folder.argument(), "--symbols=3"]).await?;
    until_ready_says(server.url("/readyz"), "saved").await?;
    let mut stream = get(server.url("/api/stream?symbols=BTC-USD")).await?;

    let mut other = folder.open()?;
    let held = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let text = until_ready_says(server.url("/readyz"), "cannot save").await?;
    assert!(
        text.starts_with("ready\n") && text.contains("locked"),
        "{text}"
    );
    let before: TicksAnswer = get(server.url("/api/ticks")).await?.json().await?;
    until_seq(&server, before.cursor.seq + 2_000).await?;
    let candles_before = candles(&server, "symbol=BTC-USD&interval=1s").await?;
    // Who comes now is told as well.
    let now = get(server.url("/api/ticks?symbols=BTC-USD"))
        .await?
        .text()
        .await?;
    assert!(now.contains(r#""event":"store","saving":false"#), "{now}");
    drop(held);
    drop(other);

    until_ready_says(server.url("/readyz"), "saved").await?;
    let mut said = String::new();
    while !said.contains(r#""saving":true,"lost":0"#) {
        let chunk = stream.chunk().await?.context("the stream ended")?;
        said += std::str::from_utf8(&chunk)?;
    }
    assert!(said.contains(r#""saving":false,"detail":"database is locked","lost":0"#));
    let metrics = get(server.url("/metrics")).await?.text().await?;
    assert!(
        metrics.contains("tickwire_store_lost_candles 0"),
        "{metrics}"
    );
    assert!(metrics.contains("tickwire_store_failing 0"), "{metrics}");
    server.stop().await?;

    // All of it was written in the end.
    let database = folder.open()?;
    for bar in &candles_before {
        let question = "SELECT count(*) FROM candle
                        WHERE symbol = 'BTC-USD' AND interval = '1s' AND time = ?1";
        let count: i64 = database.query_row(question, [bar.time.micros()], |row| row.get(0))?;
        assert_eq!(count, 1, "{bar:?}");
    }
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn what_a_full_disk_costs_is_counted() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    // No file of this process grows beyond 400 KB; so many symbols that the
    // memory has room for few candles of each.
    let script = r#"trap '' XFSZ; ulimit -f 400; exec "$0" "$@""#;
    let mut command = Command::new("bash");
    command
        .args(["-c", script, PROGRAM, &folder.argument()])
        .args(["--symbols=5000", "--rate=20000"]);
    let server = Process::start(command).await?;
    let text = until_ready_says(server.url("/readyz"), "cannot save").await?;
    assert!(text.starts_with("ready\n"), "{text}");
    // A minute of seconds is what the memory has of each symbol.
    let mut text = text;
    while text.contains(" 0 candles lost") {
        text = until_ready_says(server.url("/readyz"), "candles lost").await?;
        let ticks = get(server.url("/api/ticks?symbols=BTC-USD")).await?;
        ticks.json::<TicksAnswer>().await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    server.kill().await?;
    let check: String = folder
        .open()?
        .query_row("PRAGMA integrity_check", (), |row| row.get(0))?;
    assert_eq!(check, "ok");
    Ok(())
}

#[tokio::test]
async fn what_is_too_old_goes_and_the_file_shrinks() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let store = folder.argument();
    let server = TestServer::start(&[&store, "--symbols=1"]).await?;
    until_stored(&folder, "SELECT count(*) FROM candle", |count| count >= 7).await?;
    server.stop().await?;
    let database = folder.open()?;
    database.execute_batch(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         INSERT INTO candle (feed, symbol, interval, time, open, high, low, close, volume, trades)
         SELECT feed, symbol, interval, time - i * 1000000, open, high, low, close, volume, trades
         FROM n, (SELECT * FROM candle WHERE interval = '1s' ORDER BY time LIMIT 1);
         INSERT INTO candle (feed, symbol, interval, time, open, high, low, close, volume, trades)
         SELECT feed, symbol, interval, time - 60000000, open, high, low, close, volume, trades
         FROM candle WHERE interval = '1m' ORDER BY time LIMIT 1;",
    )?;
    drop(database);
    let before = std::fs::metadata(folder.file())?.len();
    let server = TestServer::start(&[&store, "--symbols=1", "--retain=1s=1m,5s=1d"]).await?;
    let seconds = "SELECT count(*) FROM candle WHERE interval = '1s'";
    until_stored(&folder, seconds, |count| count <= 62).await?;
    until_stored(&folder, seconds, |count| count > 30).await?;
    let minutes = "SELECT count(*) FROM candle WHERE interval = '1m'";
    until_stored(&folder, minutes, |count| count >= 2).await?;
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

#[tokio::test]
async fn whatever_fires_while_nothing_can_be_written_is_written_later() -> anyhow::Result<()> {
    // More than whoever asks is told of.
    const COUNT: usize = 1_100;
    let folder = Folder::new()?;
    let store = folder.argument();
    let server = TestServer::start(&[&store, "--symbols=BTC-USD", "--rate=1000"]).await?;
    let client = reqwest::Client::new();
    let alert = serde_json::json!({"symbol": "BTC-USD", "above": "0.01", "enabled": false});
    for _ in 0..COUNT {
        let made = client.post(server.url("/api/alerts")).json(&alert).send();
        made.await?.error_for_status()?;
    }
    until_ready_says(server.url("/readyz"), "saved").await?;
    let mut other = folder.open()?;
    let held = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    until_ready_says(server.url("/readyz"), "cannot save").await?;
    // Each waits for the store for two seconds; together they need not much more.
    let on = serde_json::json!({"symbol": "BTC-USD", "above": "0.01", "note": "on"});
    let calls = (1..=COUNT).map(|id| {
        let call = client.put(server.url(&format!("/api/alerts/{id}")));
        call.json(&on).send()
    });
    let mut answers = futures_util::stream::iter(calls).buffer_unordered(300);
    while let Some(answer) = answers.next().await {
        answer?.error_for_status()?;
    }
    drop(answers);
    let fired = async {
        loop {
            let page: AlertsAnswer = get(server.url("/api/alerts")).await?.json().await?;
            let rest: AlertsAnswer = get(server.url("/api/alerts?after=1000"))
                .await?
                .json()
                .await?;
            let mut alerts = page.alerts.iter().chain(&rest.alerts);
            if alerts.all(|alert| alert.fired == 1) {
                return anyhow::Ok(());
            }
            sleep(LOOK_AGAIN).await;
        }
    };
    in_time("all have fired", fired).await?;
    drop(held);
    until_ready_says(server.url("/readyz"), "saved").await?;
    server.stop().await?;
    let count = "SELECT count(*) FROM fired WHERE note = 'on'";
    let count: usize = other.query_row(count, (), |row| row.get(0))?;
    assert_eq!(count, COUNT);
    Ok(())
}
