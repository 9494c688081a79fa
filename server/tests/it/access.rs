//! Who may ask: names of the server, and pages of others.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use testkit::TestServer;

async fn ask(
    server: &TestServer,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> anyhow::Result<(StatusCode, Value)> {
    let mut request = Client::new().request(method, server.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await?;
    let status = answer.status();
    Ok((status, answer.json().await.unwrap_or_default()))
}

#[tokio::test]
async fn a_name_that_is_pointed_here_opens_no_door() -> anyhow::Result<()> {
    let server = TestServer::start(&["--allow-host", "prices.example"]).await?;
    for path in [
        "/",
        "/api/ticks",
        "/api/alerts",
        "/api/stream",
        "/healthz",
        "/metrics",
        "/ws",
    ] {
        let evil = [("host", "evil.example")];
        let (status, fault) = ask(&server, Method::GET, path, &evil).await?;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "{path}");
        assert_eq!(fault["code"], "misdirected");
        let message = fault["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("evil.example") && message.contains("--allow-host"),
            "{message}"
        );
    }
    let known = [("host", "prices.example")];
    let (status, _) = ask(&server, Method::GET, "/api/symbols", &known).await?;
    assert_eq!(status, StatusCode::OK);
    server.stop().await
}

#[tokio::test]
async fn another_servers_page_changes_nothing() -> anyhow::Result<()> {
    let server = TestServer::start(&["--allow-origin", "https://friend.example"]).await?;
    let body = json!({"symbol": "BTC-USD", "above": "0.01"});
    let made = Client::new()
        .post(server.url("/api/alerts"))
        .json(&body)
        .send()
        .await?;
    assert_eq!(made.status(), StatusCode::CREATED);
    let delete = |headers: &'static [(&'static str, &'static str)]| {
        ask(&server, Method::DELETE, "/api/alerts/1", headers)
    };
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
    ] {
        let (status, fault) = delete(headers).await?;
        assert_eq!(status, StatusCode::FORBIDDEN, "{headers:?}");
        assert_eq!(fault["code"], "forbidden");
        let (status, _) = ask(&server, Method::POST, "/api/access", headers).await?;
        assert_eq!(status, StatusCode::FORBIDDEN, "the page is told");
    }
    let friend = [("origin", "https://friend.example")];
    let (status, _) = ask(&server, Method::POST, "/api/access", &friend).await?;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = delete(&[("origin", "https://friend.example")]).await?;
    assert_eq!(status, StatusCode::NO_CONTENT);
    server.stop().await
}

#[tokio::test]
async fn a_path_of_a_proxy() -> anyhow::Result<()> {
    let server = TestServer::start(&["--base-path", "/tickwire"]).await?;
    for path in ["/tickwire/api/symbols", "/api/symbols"] {
        let (status, _) = ask(&server, Method::GET, path, &[]).await?;
        assert_eq!(status, StatusCode::OK, "{path}");
    }
    let body = json!({"symbol": "btc-usd", "above": "0.01"});
    let made = Client::new()
        .post(server.url("/api/alerts"))
        .json(&body)
        .send()
        .await?;
    assert_eq!(made.headers()["location"], "/tickwire/api/alerts/1");
    let alert: Value = made.json().await?;
    assert_eq!(alert["symbol"], "BTC-USD", "as the catalogue writes it");
    let (_, document) = ask(&server, Method::GET, "/api/openapi.json", &[]).await?;
    assert_eq!(document["servers"][0]["url"], "/tickwire");
    server.stop().await
}

#[tokio::test]
async fn tags_that_a_proxy_made_weak_are_still_tags() -> anyhow::Result<()> {
    let server = TestServer::start(&[]).await?;
    let client = Client::new();
    let body = json!({"symbol": "BTC-USD", "below": "0.01"});
    client
        .post(server.url("/api/alerts"))
        .json(&body)
        .send()
        .await?
        .error_for_status()?;
    let put = async |tag: &str| {
        let request = client
            .put(server.url("/api/alerts/1"))
            .header("if-match", tag);
        anyhow::Ok(request.json(&body).send().await?.status())
    };
    assert_eq!(put("W/\"1\"").await?, StatusCode::OK);
    assert_eq!(put("\"9\", W/\"2\"").await?, StatusCode::OK);
    assert_eq!(put("W/\"2\"").await?, StatusCode::CONFLICT);
    assert_eq!(put("\"not-ours\"").await?, StatusCode::CONFLICT);
    assert_eq!(put("\"not a tag\"").await?, StatusCode::BAD_REQUEST);
    assert_eq!(put("3").await?, StatusCode::BAD_REQUEST);
    server.stop().await
}

#[tokio::test]
async fn a_stream_that_resumes_badly_begins_anew() -> anyhow::Result<()> {
    let server = TestServer::start(&[]).await?;
    let request = Client::new()
        .get(server.url("/api/stream?symbols=BTC-USD"))
        .header("last-event-id", "not a cursor");
    let mut answer = request.send().await?;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["cache-control"], "no-store, no-transform");
    let mut text = String::new();
    while !text.contains("event: status") {
        let chunk = answer.chunk().await?.unwrap_or_default();
        assert!(!chunk.is_empty(), "it ended: {text}");
        text += &String::from_utf8_lossy(&chunk);
    }
    assert!(text.starts_with("retry: "), "{text}");
    assert!(text.contains(r#""reason":"start""#), "{text}");
    let classic = Client::new()
        .get(server.url("/metrics"))
        .header("accept", "text/plain");
    let answer = classic.send().await?;
    assert!(
        answer.headers()["content-type"]
            .to_str()?
            .starts_with("text/plain; version=0.0.4")
    );
    let text = answer.text().await?;
    assert!(
        text.contains("# TYPE tickwire_process_cpu_seconds_total counter"),
        "{text}"
    );
    assert!(!text.contains("# EOF"));
    server.stop().await
}
