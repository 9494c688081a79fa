//! Files that are found at the start: of older versions, damaged, or of others.

use testkit::TestServer;
use tokio::process::Command;

use super::{Folder, PROGRAM, candles, get, until_stored};

#[tokio::test]
async fn a_file_of_an_older_version_is_taken_on() -> anyhow::Result<()> {
    check_older(1).await?;
    check_older(2).await
}

async fn check_older(version: usize) -> anyhow::Result<()> {
    let folder = Folder::new()?;
    let database = folder.open()?;
    let migrations = [
        include_str!("../../src/store/migrations/1_candles.sql"),
        include_str!("../../src/store/migrations/2_alerts.sql"),
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
