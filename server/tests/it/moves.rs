//! A replay that is moved while it runs: what everybody sees then.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use client::Follower;
use reqwest::StatusCode;
use serde_json::{Value, json};
use shared::{
    Candle, CandlesAnswer, Decimal, FeedState, ReplayAnswer, ServerMessage, SnapshotReason, Span,
    SymbolState, Time, Transport,
};
use testkit::TestServer;

/// The day with this number: each opens at 100 times the number, and closes 10
/// higher.
fn day(number: i64) -> Time {
    Time::EPOCH + Span::DAY * (20_000 + number)
}

fn close_of(number: i64) -> Decimal {
    Decimal::from(100 * number + 10)
}

/// Writes so many days.
fn write_days(folder: &Path, count: i64) -> anyhow::Result<PathBuf> {
    let mut text = "date,open,high,low,close,volume\n".to_owned();
    for number in 0..count {
        let (date, open) = (day(number).to_string(), 100 * number);
        let date = &date[..10];
        text += &format!("{date},{open},{},{},{},7\n", open + 20, open - 5, open + 10);
    }
    let path = folder.join("DAYS.csv");
    std::fs::write(&path, text)?;
    Ok(path)
}

/// A server that replays so many days and does not go on by itself.
async fn standing(folder: &Path, count: i64, more: &[&str]) -> anyhow::Result<TestServer> {
    let feed = format!("replay:{}", write_days(folder, count)?.display());
    let arguments = ["--feed", &feed, "--speed", "0.001"];
    let all = arguments.into_iter().chain(more.iter().copied());
    TestServer::start(&all.collect::<Vec<_>>()).await
}

/// Wants something of the replay.
async fn want(server: &TestServer, what: &Value) -> anyhow::Result<ReplayAnswer> {
    let client = reqwest::Client::new();
    let request = client.patch(server.url("/api/replay")).json(what);
    let answer = request.send().await?.error_for_status()?;
    Ok(answer.json().await?)
}

async fn candles(server: &TestServer, query: &str) -> anyhow::Result<Vec<Candle>> {
    let url = server.url(&format!("/api/candles?symbol=DAYS&{query}"));
    let answer: CandlesAnswer = reqwest::get(url).await?.error_for_status()?.json().await?;
    Ok(answer.candles)
}

/// Reads until a snapshot comes.
async fn snapshot(follower: &mut Follower) -> anyhow::Result<(SnapshotReason, SymbolState)> {
    loop {
        for message in follower.next().await? {
            if let ServerMessage::Snapshot {
                reason, symbols, ..
            } = message
            {
                let state = symbols.into_iter().next().context("no symbol")?;
                return Ok((reason, state));
            }
        }
    }
}

/// Reads until the replay has this state.
async fn until(follower: &mut Follower, state: FeedState) -> anyhow::Result<ServerMessage> {
    loop {
        for message in follower.next().await? {
            if matches!(&message, ServerMessage::Status { status, .. } if status.state == state) {
                return Ok(message);
            }
        }
    }
}

async fn following(server: &TestServer, transport: Transport) -> anyhow::Result<Follower> {
    let host = server.address().to_string();
    let mut follower = Follower::new(&host, "*", None).interval(Duration::from_millis(20));
    follower.switch(transport).await?;
    let (reason, _) = snapshot(&mut follower).await?;
    ensure!(reason == SnapshotReason::Start, "{reason:?}");
    Ok(follower)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_is_a_new_beginning_for_everybody() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let store = folder.path().join("tickwire.db");
    for store in ["none", store.to_str().context("no path")?] {
        let server = standing(folder.path(), 200, &["--store", store]).await?;
        let mut all = Vec::new();
        for transport in Transport::ALL {
            all.push(following(&server, transport).await?);
        }
        // Ahead, back, and to before the first bar.
        for number in [150_i64, 40, 0] {
            let at = day(number);
            let answer = want(&server, &json!({"at": at, "playing": false})).await?;
            assert_eq!(answer.replay.context("no replay")?.state, FeedState::Paused);
            let before = (number > 0).then(|| close_of(number - 1));
            for follower in &mut all {
                let (reason, state) = snapshot(follower).await?;
                assert_eq!((reason, state.last), (SnapshotReason::Jumped, before));
                let before = (number > 1).then(|| close_of(number - 2));
                assert_eq!(state.previous, before);
                assert_eq!(
                    (follower.chain().missed(), follower.chain().repeated()),
                    (0, 0)
                );
            }
            let days = candles(&server, "interval=1d&limit=10000").await?;
            let found: Vec<_> = days
                .iter()
                .map(|bar| (bar.time, bar.close, bar.volume))
                .collect();
            let expected = (0..number).map(|n| (day(n), close_of(n), Decimal::from(7)));
            assert_eq!(found, expected.collect::<Vec<_>>());
        }
        server.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn it_goes_step_by_step_and_back() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = standing(folder.path(), 200, &[]).await?;
    let mut follower = following(&server, Transport::WebSocket).await?;
    want(&server, &json!({"at": day(50), "playing": false})).await?;
    let (_, state) = snapshot(&mut follower).await?;
    assert_eq!(state.last, Some(close_of(49)));
    // A step ahead is one whole bar.
    want(&server, &json!({"step": "ahead"})).await?;
    let mut last = None;
    while last != Some(close_of(50)) {
        for message in follower.next().await? {
            if let ServerMessage::Ticks { ticks, .. } = message {
                let trades = ticks.iter().filter_map(|tick| tick.trade());
                last = trades.map(|trade| trade.price).next_back();
            }
        }
    }
    let days = candles(&server, "interval=1d&limit=1").await?;
    assert_eq!((days[0].time, days[0].close), (day(50), close_of(50)));
    // A step back is to before it, and the next one to before the one before.
    for number in [49, 48] {
        want(&server, &json!({"step": "back"})).await?;
        let (reason, state) = snapshot(&mut follower).await?;
        assert_eq!(reason, SnapshotReason::Jumped);
        assert_eq!(state.last, Some(close_of(number)));
    }
    let answer = want(&server, &json!({"speed": "60x"})).await?;
    let replay = answer.replay.context("no replay")?;
    assert_eq!(replay.status.speed, "60x");
    assert_eq!(replay.status.at, Some(day(48)));
    assert_eq!(replay.status.from, day(0));
    assert_eq!(replay.status.to, Some(day(199)));
    server.stop().await
}

#[tokio::test]
async fn it_ends_begins_again_and_repeats() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = standing(folder.path(), 20, &[]).await?;
    let mut follower = following(&server, Transport::Sse).await?;
    want(&server, &json!({"speed": "max"})).await?;
    until(&mut follower, FeedState::Ended).await?;
    assert_eq!(candles(&server, "interval=1d").await?.len(), 20);
    // What has ended begins again.
    want(&server, &json!({"playing": true})).await?;
    let (reason, _) = snapshot(&mut follower).await?;
    assert_eq!(reason, SnapshotReason::Jumped);
    until(&mut follower, FeedState::Ended).await?;
    server.stop().await?;
    let server = standing(folder.path(), 20, &["--loop"]).await?;
    let mut follower = following(&server, Transport::WebSocket).await?;
    want(&server, &json!({"speed": "max"})).await?;
    for _ in 0..3 {
        let (reason, _) = snapshot(&mut follower).await?;
        assert_eq!(reason, SnapshotReason::Jumped);
    }
    want(&server, &json!({"playing": false})).await?;
    server.stop().await
}

#[tokio::test]
async fn no_alert_fires_for_what_was_jumped_over() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = standing(folder.path(), 200, &[]).await?;
    let mut follower = following(&server, Transport::WebSocket).await?;
    let client = reqwest::Client::new();
    want(&server, &json!({"at": day(10), "playing": false})).await?;
    for condition in [
        json!({"above": "5000"}),
        json!({"crosses": "5000"}),
        json!({"below": "3000"}),
    ] {
        let mut alert = json!({"symbol": "DAYS", "repeat": true, "cooldown_s": 1});
        for (name, value) in condition.as_object().context("no object")? {
            alert[name] = value.clone();
        }
        let request = client.post(server.url("/api/alerts")).json(&alert);
        request.send().await?.error_for_status()?;
    }
    let fired = async || -> anyhow::Result<Vec<String>> {
        let answer: Value = reqwest::get(server.url("/api/alerts/fired"))
            .await?
            .json()
            .await?;
        let fired = answer["fired"].as_array().context("no list")?;
        let prices = fired.iter().map(|firing| firing["price"].to_string());
        Ok(prices.collect())
    };
    let step = async |follower: &mut Follower, at: i64| -> anyhow::Result<()> {
        want(&server, &json!({"at": day(at), "playing": false})).await?;
        while snapshot(follower).await?.0 != SnapshotReason::Jumped {}
        want(&server, &json!({"step": "ahead"})).await?;
        loop {
            let days = candles(&server, "interval=1d&limit=1").await?;
            if days.last().is_some_and(|bar| bar.close == close_of(at)) {
                return Ok(());
            }
            follower.next().await?;
        }
    };
    snapshot(&mut follower).await?;
    // Over 3000 and 5000, and back.
    step(&mut follower, 100).await?;
    assert_eq!(fired().await?, [""; 0]);
    step(&mut follower, 20).await?;
    assert_eq!(fired().await?, [""; 0]);
    // What is really seen fires, also after a jump.
    step(&mut follower, 50).await?;
    assert_eq!(fired().await?.len(), 2, "{:?}", fired().await?);
    server.stop().await
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_in_one_line() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = standing(folder.path(), 20, &[]).await?;
    let client = reqwest::Client::new();
    for (body, words) in [
        (r#"{"step": 7}"#, "step"),
        (
            r#"{"speed": "fast"}"#,
            "speed 'fast' is not allowed; bars a second",
        ),
        (r#"{"speed": "0"}"#, "speed '0' is not allowed"),
        (r#"{"to": 1}"#, "unknown field `to`"),
        ("x", "JSON"),
    ] {
        let request = client.patch(server.url("/api/replay")).body(body);
        let answer = request.send().await?;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        let text = answer.text().await?;
        assert!(text.contains(words), "{body}: {text}");
    }
    server.stop().await?;
    let server = TestServer::start(&["--symbols", "1"]).await?;
    let answer: ReplayAnswer = reqwest::get(server.url("/api/replay"))
        .await?
        .json()
        .await?;
    assert_eq!((answer.replay, answer.upload_bytes), (None, None));
    let request = client
        .patch(server.url("/api/replay"))
        .body(r#"{"step": "ahead"}"#);
    assert_eq!(request.send().await?.status(), StatusCode::NOT_FOUND);
    server.stop().await
}

/// With a store, more bars than memory has room for are there, however fast they
/// were played; also after a jump.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_at_full_speed() -> anyhow::Result<()> {
    const COUNT: usize = 25_000;
    let folder = tempfile::tempdir()?;
    let minute = |number: usize| day(0) + Span::from_seconds(60) * number as i64;
    let mut text = "time,open,high,low,close,volume\n".to_owned();
    for number in 0..COUNT {
        let time = minute(number).micros() / 1_000_000;
        text += &format!("{time},{number},{},{number},{number}.5,3\n", number + 1);
    }
    let path = folder.path().join("DAYS.csv");
    std::fs::write(&path, text)?;
    let (feed, store) = (
        format!("replay:{}", path.display()),
        folder.path().join("s.db"),
    );
    let store = store.to_str().context("no path")?;
    let server = TestServer::start(&["--feed", &feed, "--speed", "max", "--store", store]).await?;
    let mut follower = following(&server, Transport::WebSocket).await?;
    until(&mut follower, FeedState::Ended).await?;
    check_minutes(&server, 0..COUNT, minute).await?;
    want(&server, &json!({"at": minute(20_000)})).await?;
    until(&mut follower, FeedState::Paused).await?;
    want(&server, &json!({"playing": true})).await?;
    until(&mut follower, FeedState::Ended).await?;
    // After a jump, history reaches back as far as memory does.
    check_minutes(&server, 10_000..COUNT, minute).await?;
    server.stop().await
}

async fn check_minutes(
    server: &TestServer,
    numbers: std::ops::Range<usize>,
    minute: impl Fn(usize) -> Time,
) -> anyhow::Result<()> {
    let mut found = Vec::new();
    let mut to = None;
    loop {
        let to_query = to.map_or_else(String::new, |to: Time| format!("&to={}", to.micros()));
        let mut page = candles(server, &format!("interval=1m&limit=10000{to_query}")).await?;
        let Some(first) = page.first() else {
            break;
        };
        to = Some(first.time);
        page.append(&mut found);
        found = page;
    }
    let found: Vec<_> = found.iter().map(|bar| (bar.time, bar.volume)).collect();
    let expected: Vec<_> = numbers.map(|n| (minute(n), Decimal::from(3))).collect();
    ensure!(
        found.len() == expected.len(),
        "{} of {}",
        found.len(),
        expected.len()
    );
    ensure!(found == expected, "others than the rows");
    Ok(())
}
