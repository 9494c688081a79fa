//! What happens while nothing can be written.

use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use shared::{AlertsAnswer, TicksAnswer};
use testkit::{Process, TestServer};
use tokio::process::Command;
use tokio::time::sleep;

use super::{Folder, LOOK_AGAIN, PROGRAM, candles, get, in_time, until_ready_says, until_seq};

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
    // No file of this process grows beyond 8 MB; so many symbols that the
    // memory has room for few candles of each.
    let script = r#"trap '' XFSZ; ulimit -f 8000; exec "$0" "$@""#;
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
