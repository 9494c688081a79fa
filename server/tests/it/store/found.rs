//! Files that are found at the start: of older versions, damaged, or of others.

use std::collections::BTreeSet;

use shared::{CandlesAnswer, Interval};
use testkit::{Process, TestServer};
use tokio::process::Command;

use tokio::time::sleep;

use super::{
    Folder, LOOK_AGAIN, PATIENCE, PROGRAM, candles, get, in_time, until_ready_says, until_stored,
};

#[tokio::test]
async fn a_file_of_an_older_version_is_taken_on() -> anyhow::Result<()> {
    check_older(1).await?;
    check_older(2).await
}

type Stored = (String, String, String, i64, [String; 5], i64, String);

/// All rows of the bars that people read.
fn rows(folder: &Folder) -> anyhow::Result<BTreeSet<Stored>> {
    let database = folder.open()?;
    database.busy_timeout(PATIENCE)?;
    let mut select = database.prepare(
        "SELECT feed, symbol, interval, time, open, high, low, close, volume, trades, utc FROM candle",
    )?;
    let mut found = select.query(())?;
    let mut rows = BTreeSet::new();
    while let Some(row) = found.next()? {
        let text = |column| row.get::<_, String>(column);
        let prices = [text(4)?, text(5)?, text(6)?, text(7)?, text(8)?];
        let (time, trades) = (row.get(3)?, row.get(9)?);
        let row = (
            text(0)?,
            text(1)?,
            text(2)?,
            time,
            prices,
            trades,
            text(10)?,
        );
        anyhow::ensure!(rows.insert(row), "a bar is there twice");
    }
    Ok(rows)
}

/// A file that version 5 wrote, until it was killed.
#[tokio::test]
async fn a_file_of_version_5_is_converted_while_the_market_runs() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    std::fs::write(folder.file(), include_bytes!("version_5.db"))?;
    let before = rows(&folder)?;
    assert_eq!(before.len(), 358);
    let ages = "--retain=1s=900y,5s=900y,1m=900y,5m=900y,15m=900y,1h=900y,1d=900y";
    // The other symbol is not in the catalogue any more.
    let arguments = [
        &folder.argument(),
        ages,
        "--symbols=BTC-USD",
        "--rate=0.001",
    ];
    let server = TestServer::start(&arguments).await?;
    let fired: shared::FiredAnswer = get(server.url("/api/alerts/fired")).await?.json().await?;
    assert_eq!(fired.fired.len(), 1);
    let old = "SELECT count(*) FROM sqlite_schema WHERE name = 'candle_5'";
    until_stored(&folder, old, |count| count == 0).await?;
    for interval in Interval::ALL {
        let query = format!("symbol=BTC-USD&interval={interval}&limit=1000");
        let served = candles(&server, &query).await?;
        let is_of_it = |row: &&Stored| row.1 == "BTC-USD" && row.2 == interval.name();
        let stored: Vec<_> = before.iter().filter(is_of_it).collect();
        // One of now may be at the end.
        for (bar, row) in served.iter().zip(&stored) {
            let prices = [bar.open, bar.high, bar.low, bar.close, bar.volume];
            let prices = prices.map(|price| price.to_string());
            assert_eq!((bar.time.micros(), &prices), (row.3, &row.4));
        }
        assert!(served.len() >= stored.len(), "{interval}");
    }
    server.stop().await?;
    let after = rows(&folder)?;
    let is_missing = |row: &&Stored| !after.contains(row);
    assert_eq!(before.iter().find(is_missing), None);
    Ok(())
}

/// A file of version 5 with so many minutes of a symbol, the last of them long ago.
fn with_many_minutes(folder: &Folder, minutes: i64) -> anyhow::Result<()> {
    std::fs::write(folder.file(), include_bytes!("version_5.db"))?;
    let mut database = folder.open()?;
    let transaction = database.transaction()?;
    let mut insert = transaction.prepare(
        "INSERT INTO candle (feed, symbol, interval, time, open, high, low, close, volume, trades)
         VALUES ('sim', 'BTC-USD', '1m', ?1, ?2, ?2, ?2, ?2, '1', 1)",
    )?;
    for minute in 0..minutes {
        insert.execute((minute * 60_000_000, (minute + 1).to_string()))?;
    }
    drop(insert);
    transaction.commit()?;
    Ok(())
}

/// While a file is converted, and when that is broken off, the history has no
/// holes: the newest candles before a time are those before it.
#[tokio::test]
async fn a_conversion_that_is_killed_leaves_no_holes() -> anyhow::Result<()> {
    // Three times as many as are packed at once.
    const MINUTES: i64 = 60_000;
    let folder = Folder::new()?;
    with_many_minutes(&folder, MINUTES)?;
    let ages = "--retain=1s=900y,5s=900y,1m=900y,5m=900y,15m=900y,1h=900y,1d=900y";
    let is_there = "SELECT count(*) FROM sqlite_schema WHERE name = 'candle_5'";
    for is_last in [false, false, true] {
        let mut command = Command::new(PROGRAM);
        command.args([
            &*folder.argument(),
            ages,
            "--symbols=BTC-USD",
            "--rate=0.001",
        ]);
        let server = Process::start(command).await?;
        let whole = async {
            loop {
                let left: i64 = folder.open()?.query_row(is_there, (), |row| row.get(0))?;
                for end in [19_000, 21_000, 40_500, MINUTES] {
                    let to = end * 60_000_000;
                    let query = format!("symbol=BTC-USD&interval=1m&to={to}&limit=3000");
                    let answer = get(server.url(&format!("/api/candles?{query}"))).await?;
                    let found: CandlesAnswer = answer.json().await?;
                    let times = found
                        .candles
                        .iter()
                        .map(|bar| bar.time.micros() / 60_000_000);
                    assert!(times.eq(end - 3_000..end), "before {end}");
                }
                if left == 0 || !is_last {
                    return anyhow::Ok(());
                }
            }
        };
        in_time("it is converted", whole).await?;
        server.kill().await?;
        let count = "SELECT count(*) FROM candle WHERE interval = '1m' AND time < 3600000000000";
        let count: i64 = folder.open()?.query_row(count, (), |row| row.get(0))?;
        assert_eq!(count, MINUTES);
    }
    Ok(())
}

/// A page in the middle that is not what it was is found beside the running
/// market; what is intact is served, and nothing is written any more.
#[tokio::test]
async fn a_torn_page_is_found_and_told() -> anyhow::Result<()> {
    let folder = Folder::new()?;
    std::fs::write(folder.file(), include_bytes!("version_5.db"))?;
    let server = TestServer::start(&[&folder.argument(), "--symbols=BTC-USD"]).await?;
    until_ready_says(server.url("/readyz"), "is sound").await?;
    server.stop().await?;
    let mut content = std::fs::read(folder.file())?;
    let page: usize = folder.open()?.query_row(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'block'",
        (),
        |row| row.get(0),
    )?;
    content[(page - 1) * 4_096..page * 4_096].fill(0x5A);
    std::fs::write(folder.file(), &content)?;
    let server = TestServer::start(&[&folder.argument(), "--symbols=BTC-USD"]).await?;
    let text = until_ready_says(server.url("/readyz"), "is damaged").await?;
    assert!(text.starts_with("ready\n"), "{text}");
    let told = async {
        loop {
            let now = get(server.url("/api/ticks?symbols=BTC-USD")).await?;
            if now
                .text()
                .await?
                .contains(r#""event":"store","saving":false"#)
            {
                return anyhow::Ok(());
            }
            sleep(LOOK_AGAIN).await;
        }
    };
    in_time("clients are told", told).await?;
    server.stop().await
}

async fn check_older(version: usize) -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let database = folder.open()?;
    let migrations = [
        include_str!("../../../src/store/migrations/1_candles.sql"),
        include_str!("../../../src/store/migrations/2_alerts.sql"),
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
    assert_eq!(version, 7);
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
    check_refused(&good[..good.len() - 1], &["damaged"]).await?;

    folder.open()?.pragma_update(None, "user_version", 99)?;
    let newer = std::fs::read(folder.file())?;
    check_refused(&newer, &["version is 99", "newer program"]).await?;

    // A clock that is behind: what was kept is not thrown away.
    let database = folder.open()?;
    database.pragma_update(None, "user_version", 6)?;
    let last = "SELECT json_extract(bars, '$[0]') FROM newest";
    let last: String = database.query_row(last, (), |row| row.get(0))?;
    let mut parts: Vec<_> = last.trim_matches(['[', ']']).split(',').collect();
    let ahead = (parts[1].parse::<i64>()? + 200_000).to_string();
    parts[1] = &ahead;
    let rows = format!("[[{}]]", parts.join(","));
    database.execute("UPDATE newest SET bars = ?1", [rows])?;
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
