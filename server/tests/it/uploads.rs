//! Files of prices that are brought while the server runs.

use anyhow::{Context as _, ensure};
use client::Follower;
use reqwest::StatusCode;
use shared::{ReplayAnswer, ServerMessage, SnapshotReason, SymbolState, Transport};
use testkit::TestServer;

const FILE: &str = "date,open,high,low,close,volume\n\
    2020-04-16,1,3,1,2,10\n2020-04-17,2,9,1,,10\n2020-04-20,2,4,2,3,10\n";

async fn bring(
    server: &TestServer,
    name: &str,
    body: impl Into<reqwest::Body>,
) -> anyhow::Result<(StatusCode, String)> {
    let url = server.url(&format!("/api/replay/files/{name}"));
    let answer = reqwest::Client::new().put(url).body(body).send().await?;
    Ok((answer.status(), answer.text().await?))
}

async fn snapshot(follower: &mut Follower) -> anyhow::Result<(SnapshotReason, Vec<SymbolState>)> {
    loop {
        for message in follower.next().await? {
            if let ServerMessage::Snapshot {
                reason, symbols, ..
            } = message
            {
                return Ok((reason, symbols));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_becomes_what_is_replayed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let store = folder.path().join("tickwire.db");
    let store = store.to_str().context("no path")?;
    let server = TestServer::start(&["--symbols", "3", "--allow-upload", "--store", store]).await?;
    let answer: ReplayAnswer = reqwest::get(server.url("/api/replay"))
        .await?
        .json()
        .await?;
    assert_eq!(
        (answer.replay, answer.upload_bytes),
        (None, Some(100_000_000))
    );
    let mut follower = Follower::new(&server.address().to_string(), "*", None);
    follower.switch(Transport::WebSocket).await?;
    snapshot(&mut follower).await?;
    for (name, file, symbol) in [("SPX.csv", FILE, "SPX"), ("VIX.csv", FILE, "VIX")] {
        let (status, text) = bring(&server, name, file).await?;
        ensure!(status == StatusCode::OK, "{text}");
        let answer: ReplayAnswer = serde_json::from_str(&text)?;
        let replay = answer.replay.context("no replay")?;
        assert_eq!(replay.files[0].name, name);
        assert_eq!(replay.files[0].left_out, 1);
        assert!(
            replay.files[0].told[0].what.contains("left out"),
            "{replay:?}"
        );
        // The connection ends, and the next one begins again with the file.
        while follower.next().await.is_ok() {}
        follower.switch(Transport::WebSocket).await?;
        let (reason, symbols) = snapshot(&mut follower).await?;
        assert_eq!(reason, SnapshotReason::Restarted);
        let names: Vec<_> = symbols.iter().map(|state| state.symbol.as_str()).collect();
        assert_eq!(names, [symbol]);
        let answer: ReplayAnswer = reqwest::get(server.url("/api/replay"))
            .await?
            .json()
            .await?;
        assert_eq!(answer.replay.map(|replay| replay.files), Some(replay.files));
    }
    server.stop().await
}

#[tokio::test]
async fn what_is_no_file_of_prices_changes_nothing() -> anyhow::Result<()> {
    let server =
        TestServer::start(&["--symbols", "2", "--allow-upload", "--upload-mb", "1"]).await?;
    let epoch = async || -> anyhow::Result<String> {
        let answer = reqwest::get(server.url("/api/snapshot")).await?;
        let answer: shared::SnapshotAnswer = answer.json().await?;
        Ok(answer.cursor.epoch.to_string())
    };
    let before = epoch().await?;
    let long = vec![b'1'; 1_000_001];
    let dates = b"date,open,high,low,close\n01/02/2020,1,2,1,2\n";
    for (name, body, words) in [
        ("notes.txt", &b"To do: nothing"[..], "notes.txt: "),
        ("x.parquet", b"PAR1xxxxPAR1", "duckdb"),
        ("d.csv", dates, "--dates"),
        ("empty.csv", b"", "empty.csv: "),
        ("long.csv", &long, "at most 1000000 bytes"),
        ("..%2Fx.csv", FILE.as_bytes(), "the name of the file"),
        (".x.csv", FILE.as_bytes(), "the name of the file"),
    ] {
        let (found, text) = bring(&server, name, body.to_vec()).await?;
        let refused = match name {
            "long.csv" => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        assert_eq!(found, refused, "{name}: {text}");
        assert!(text.contains(words), "{name}: {text}");
        assert!(!text.contains('\n'), "{name}: {text}");
    }
    assert_eq!(epoch().await?, before);
    // Alerts are those of before, also without a store.
    let alert = serde_json::json!({"symbol": "BTC-USD", "above": "99999999"});
    let client = reqwest::Client::new();
    let made = client.post(server.url("/api/alerts")).json(&alert).send();
    made.await?.error_for_status()?;
    // What nothing in the file tells is told beside it.
    let (status, text) = bring(
        &server,
        "d.csv?dates=dmy",
        "date,open,high,low,close\n01/02/2020,1,2,1,2\n",
    )
    .await?;
    assert_eq!(status, StatusCode::OK, "{text}");
    // A request may meet the old server, which is ending.
    while !epoch().await.is_ok_and(|now| now != before) {}
    let alerts: shared::AlertsAnswer = reqwest::get(server.url("/api/alerts"))
        .await?
        .json()
        .await?;
    assert_eq!(alerts.alerts.len(), 1);
    server.stop().await?;
    // Where it is not allowed.
    let server = TestServer::start(&["--symbols", "2"]).await?;
    let (status, text) = bring(&server, "SPX.csv", FILE).await?;
    assert_eq!(status, StatusCode::FORBIDDEN, "{text}");
    server.stop().await
}
