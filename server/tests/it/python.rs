//! `docs/client.py`: that somebody could write a client by `docs/wire.md`.

use anyhow::Context as _;
use serde_json::Value;
use shared::{ServerMessage, TicksAnswer};
use testkit::TestServer;
use tokio::process::Command;

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/client.py");

/// What it prints is what others read as JSON.
async fn check(arguments: &[&str]) -> anyhow::Result<()> {
    let server = TestServer::start(arguments).await?;
    let output = Command::new("python3")
        .args([CLIENT, &server.url(""), "300"])
        .output()
        .await
        .context("no python3: run `cargo xtask test`")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{errors}");
    let printed = String::from_utf8(output.stdout)?;
    let printed: Vec<Value> = printed
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    assert_eq!(printed.len(), 300);
    let number = |tick: &Value| tick["seq"].as_u64();
    let (first, last) = (number(&printed[0]), number(&printed[299]));
    let (first, last) = first.zip(last).context("no numbers")?;
    let answer: TicksAnswer = reqwest::get(server.url("/api/ticks")).await?.json().await?;
    let from = answer.cursor.epoch.to_string() + "-" + &(first - 1).to_string();
    let url = server.url(&format!("/api/ticks?cursor={from}"));
    let answer: TicksAnswer = reqwest::get(url).await?.json().await?;
    let ticks = answer.events.iter().filter_map(|event| match event {
        ServerMessage::Ticks { ticks, .. } => Some(ticks),
        _ => None,
    });
    let ticks: Vec<Value> = ticks
        .flatten()
        .filter(|tick| tick.seq() <= last)
        .map(serde_json::to_value)
        .collect::<Result<_, _>>()?;
    assert_eq!(printed, ticks);
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_in_python_reads_what_others_read() -> anyhow::Result<()> {
    check(&["--seed", "7"]).await?;
    // A source with a clock of its own, and without quotes.
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/sp500-daily.csv");
    check(&["--feed", &format!("replay:{sample}"), "--speed", "100"]).await
}
