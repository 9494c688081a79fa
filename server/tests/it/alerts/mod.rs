//! Alerts over HTTP, through the log, and from one run to the next.

use anyhow::Context as _;
use axum::http::StatusCode as Status;
use client::Follower;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use shared::{Alert, AlertsAnswer, Cursor, FiredAnswer, ServerMessage, SnapshotAnswer, Transport};
use testkit::TestServer;

mod log;

async fn call(
    server: &TestServer,
    method: Method,
    path: &str,
    if_match: Option<&str>,
    body: Option<Value>,
) -> anyhow::Result<Response> {
    let mut request = Client::new().request(method, server.url(path));
    if let Some(tag) = if_match {
        request = request.header("if-match", tag);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    Ok(request.send().await?)
}

async fn create(server: &TestServer, body: Value) -> anyhow::Result<Alert> {
    let response = call(server, Method::POST, "/api/alerts", None, Some(body)).await?;
    Ok(response.error_for_status()?.json().await?)
}

async fn get<T: serde::de::DeserializeOwned>(server: &TestServer, path: &str) -> anyhow::Result<T> {
    let response = reqwest::get(server.url(path)).await?;
    Ok(response.error_for_status()?.json().await?)
}

fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

#[tokio::test]
async fn an_alert_is_made_changed_and_deleted() -> anyhow::Result<()> {
    let server = TestServer::start(&["--symbols=BTC-USD,ETH-USD"]).await?;
    let body = json!({"symbol": "BTC-USD", "above": "9999999.50", "note": "moon"});
    let made = call(&server, Method::POST, "/api/alerts", None, Some(body)).await?;
    assert_eq!(made.status(), 201);
    assert_eq!(header(&made, "location"), Some("/api/alerts/1"));
    assert_eq!(header(&made, "etag"), Some("\"1\""));
    let alert: Value = made.json().await?;
    let found: Value = get(&server, "/api/alerts/1").await?;
    assert_eq!(alert, found);
    assert_eq!(
        (
            &alert["above"],
            &alert["cooldown_s"],
            &alert["repeat"],
            &alert["enabled"]
        ),
        (
            &json!("9999999.50"),
            &json!(60),
            &json!(false),
            &json!(true)
        )
    );

    check_changes(&server, alert).await?;
    check_deletion(&server).await?;
    let all: AlertsAnswer = get(&server, "/api/alerts").await?;
    assert_eq!(all.alerts, []);
    let next = create(&server, json!({"symbol": "ETH-USD", "below": "1"})).await?;
    assert_eq!(next.id, 2, "a number is not given twice");
    server.stop().await
}

/// Changes the alert, which is of version 1, until it is of version 4.
async fn check_changes(server: &TestServer, mut alert: Value) -> anyhow::Result<()> {
    // What was got is sent back with a change.
    alert["enabled"] = json!(false);
    let put = |tag: &'static str| {
        call(
            server,
            Method::PUT,
            "/api/alerts/1",
            Some(tag),
            Some(alert.clone()),
        )
    };
    let changed = put("\"1\"").await?;
    assert_eq!(
        (changed.status(), header(&changed, "etag")),
        (Status::OK, Some("\"2\""))
    );
    let stale = put("\"1\"").await?;
    assert_eq!(stale.status(), 409);
    let stale: Value = stale.json().await?;
    assert_eq!(stale["code"], "conflict");
    assert!(
        stale["message"]
            .as_str()
            .unwrap_or_default()
            .contains("version 2"),
        "{stale}"
    );
    for other in ["1", "\"1", "é"] {
        assert_eq!(put(other).await?.status(), 400, "{other}");
    }
    for nothing in ["", ",", "\"x\""] {
        assert_eq!(put(nothing).await?.status(), 409, "{nothing:?}");
    }
    assert_eq!(put("*").await?.status(), 200);
    let unconditional = call(
        server,
        Method::PUT,
        "/api/alerts/1",
        None,
        Some(alert.clone()),
    );
    assert_eq!(header(&unconditional.await?, "etag"), Some("\"4\""));
    Ok(())
}

/// Deletes the alert, which is of version 4.
async fn check_deletion(server: &TestServer) -> anyhow::Result<()> {
    let delete = |tag| call(server, Method::DELETE, "/api/alerts/1", tag, None);
    assert_eq!(delete(Some("\"3\"")).await?.status(), 409);
    let deleted = delete(Some("\"4\"")).await?;
    assert_eq!(
        (deleted.status(), deleted.text().await?.len()),
        (Status::NO_CONTENT, 0)
    );
    assert_eq!(delete(None).await?.status(), 404);
    for path in [
        "/api/alerts/1",
        "/api/alerts/x",
        "/api/alerts/99999999999999999999",
    ] {
        let gone = reqwest::get(server.url(path)).await?;
        assert_eq!(gone.status(), 404, "{path}");
        let gone: Value = gone.json().await?;
        assert!(
            gone["message"]
                .as_str()
                .unwrap_or_default()
                .contains("GET /api/alerts"),
            "{gone}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn each_fault_is_named() -> anyhow::Result<()> {
    let server = TestServer::start(&["--symbols=BTC-USD"]).await?;
    let body = json!({"above": 5, "below": "1", "cooldown_s": 0, "colour": "red"});
    let refused = call(&server, Method::POST, "/api/alerts", None, Some(body)).await?;
    assert_eq!(refused.status(), 400);
    let refused: Value = refused.json().await?;
    let faults = refused["faults"].as_array().context("faults")?;
    let fields: Vec<_> = faults
        .iter()
        .map(|fault| fault["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["symbol", "above", "", "cooldown_s", "colour"]);
    for field in fields {
        assert!(
            refused["message"].as_str().unwrap().contains(field),
            "{refused}"
        );
    }
    let unknown = json!({"symbol": "BTC-EURO", "above": "1"});
    let unknown = call(&server, Method::POST, "/api/alerts", None, Some(unknown)).await?;
    assert_eq!(unknown.status(), 400);
    let unknown: Value = unknown.json().await?;
    assert_eq!(unknown["code"], "unknown_symbol");

    let client = Client::new();
    let form = client
        .post(server.url("/api/alerts"))
        .body("symbol=BTC-USD")
        .send()
        .await?;
    assert_eq!(form.status(), 415);
    let long = json!({"symbol": "BTC-USD", "above": "1", "note": "x".repeat(20_000)});
    let long = call(&server, Method::POST, "/api/alerts", None, Some(long)).await?;
    assert_eq!(long.status(), 413);
    let long: Value = long.json().await?;
    assert_eq!(long["code"], "too_large");
    let patch = call(&server, Method::PATCH, "/api/alerts", None, None).await?;
    assert_eq!(patch.status(), 405);
    for limit in ["0", "1001", "x"] {
        let fired = reqwest::get(server.url(&format!("/api/alerts/fired?limit={limit}"))).await?;
        assert_eq!(fired.status(), 400, "{limit}");
    }
    server.stop().await
}

async fn create_one_of_each(server: &TestServer) -> anyhow::Result<()> {
    let conditions = [
        json!({"symbol": "BTC-USD", "above": "0.01", "note": "at once"}),
        json!({"symbol": "BTC-USD", "above": "0.02", "repeat": true}),
        json!({"symbol": "BTC-USD", "below": "0.01"}),
        json!({"symbol": "BTC-USD", "crosses": "123.450"}),
        json!({"symbol": "BTC-USD", "moves": {"percent": "99.5", "window_s": 86400}}),
        json!({"symbol": "BTC-USD", "silent_s": 3600}),
        json!({"symbol": "BTC-USD", "above": "5", "enabled": false}),
    ];
    for condition in conditions {
        create(server, condition).await?;
    }
    Ok(())
}

/// Nothing fires in the 500 ticks after the cursor.
async fn nothing_fires(server: &TestServer, cursor: Cursor) -> anyhow::Result<()> {
    let mut ticks = 0;
    let mut follower = Follower::new(&server.address().to_string(), "*", Some(cursor));
    follower.switch(Transport::WebSocket).await?;
    while ticks < 500 {
        for message in follower.next().await? {
            match message {
                ServerMessage::Ticks { ticks: new, .. } => ticks += new.len(),
                ServerMessage::Alerts { firings, .. } => panic!("{firings:?}"),
                _ => {}
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn they_survive_a_restart() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let store = format!("--store={}", folder.path().join("a.db").display());
    let arguments = [&store, "--symbols=BTC-USD", "--rate=2000"];
    let server = TestServer::start(&arguments).await?;
    create_one_of_each(&server).await?;
    let gone = create(&server, json!({"symbol": "BTC-USD", "above": "7"})).await?;
    let path = format!("/api/alerts/{}", gone.id);
    assert_eq!(
        call(&server, Method::DELETE, &path, None, None)
            .await?
            .status(),
        204
    );
    let fired = loop {
        let answer: FiredAnswer = get(&server, "/api/alerts/fired").await?;
        if answer.fired.len() >= 2 {
            break answer.fired;
        }
        tokio::task::yield_now().await;
    };
    let before: AlertsAnswer = get(&server, "/api/alerts").await?;
    let states: Vec<_> = before
        .alerts
        .iter()
        .map(|a| (a.id, a.fired, a.spec.enabled))
        .collect();
    assert_eq!(states[..2], [(1, 1, false), (2, 1, true)]);
    server.stop().await?;

    let server = TestServer::start(&arguments).await?;
    let after: AlertsAnswer = get(&server, "/api/alerts").await?;
    assert_eq!(after, before);
    // The second one still holds, so it does not fire again.
    let start: SnapshotAnswer = get(&server, "/api/snapshot").await?;
    nothing_fires(&server, start.cursor).await?;
    let again: FiredAnswer = get(&server, "/api/alerts/fired").await?;
    assert_eq!(again.fired, fired);
    let new = create(&server, json!({"symbol": "BTC-USD", "above": "1"})).await?;
    assert_eq!(new.id, gone.id + 1, "a number is not given twice");
    server.stop().await?;

    // Under another feed they are kept, and wait.
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/sp500-daily.csv");
    let feed = format!("--feed=replay:{sample}");
    let server = TestServer::start(&[&store, &feed]).await?;
    let other: AlertsAnswer = get(&server, "/api/alerts").await?;
    assert_eq!(other.alerts[..before.alerts.len()], before.alerts);
    let mut kept = serde_json::to_value(&other.alerts[2])?;
    kept["enabled"] = json!(false);
    let put = call(&server, Method::PUT, "/api/alerts/3", None, Some(kept)).await?;
    assert_eq!(put.status(), 200);
    server.stop().await
}

#[tokio::test]
async fn they_are_listed_by_pages_and_only_when_there_is_something_new() -> anyhow::Result<()> {
    let server = TestServer::start(&["--symbols=BTC-USD", "--rate=0.001"]).await?;
    for level in 1..=25 {
        let body = json!({"symbol": "BTC-USD", "above": (9_000_000 + level).to_string()});
        create(&server, body).await?;
    }
    let mut path = "/api/alerts?limit=10".to_owned();
    let mut ids = Vec::new();
    let mut pages = 0;
    loop {
        let page: AlertsAnswer = get(&server, &path).await?;
        ids.extend(page.alerts.iter().map(|alert| alert.id));
        pages += 1;
        let Some(next) = page.next else { break };
        path = format!("/api/alerts?limit=10&after={next}");
    }
    assert_eq!((pages, ids), (3, (1..=25).collect()));
    let all: AlertsAnswer = get(&server, "/api/alerts").await?;
    assert_eq!((all.alerts.len(), all.next), (25, None));

    let ask = async |tag: Option<&str>| {
        let mut request = Client::new().get(server.url(&path));
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        let answer = request.send().await?;
        let tag = header(&answer, "etag").map(str::to_owned);
        anyhow::Ok((answer.status(), tag.context("a tag")?))
    };
    let (status, tag) = ask(None).await?;
    assert_eq!(status, 200);
    assert_eq!(ask(Some(&tag)).await?, (Status::NOT_MODIFIED, tag.clone()));
    let gone = call(&server, Method::DELETE, "/api/alerts/3", None, None).await?;
    assert_eq!(gone.status(), 204);
    let (status, newer) = ask(Some(&tag)).await?;
    assert_eq!(status, 200);
    assert_ne!(newer, tag);
    for wrong in ["limit=0", "limit=1001", "after=-1", "after=x"] {
        let refused = reqwest::get(server.url(&format!("/api/alerts?{wrong}"))).await?;
        assert_eq!(refused.status(), 400, "{wrong}");
    }
    server.stop().await
}
