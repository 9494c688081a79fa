//! The description of the API, held against the server that it describes.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use testkit::TestServer;
use tokio::time::timeout;

mod random;
mod schemathesis;

const METHODS: [&str; 6] = ["get", "post", "put", "delete", "patch", "options"];

/// One method of one path.
struct Operation {
    path: String,
    method: Method,
    description: Value,
}

impl Operation {
    fn named(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn parameters(&self) -> impl Iterator<Item = &Value> {
        self.description["parameters"]
            .as_array()
            .into_iter()
            .flatten()
    }

    fn answers(&self) -> BTreeSet<u16> {
        let answers = self.description["responses"].as_object();
        let answers = answers.expect("an operation has answers");
        answers
            .keys()
            .map(|status| status.parse().expect("a status is a number"))
            .collect()
    }

    /// An answer that nobody is waiting for the end of.
    fn is_endless(&self) -> bool {
        self.path == "/api/stream"
    }
}

async fn described(server: &TestServer) -> anyhow::Result<(Value, Vec<Operation>)> {
    let document = reqwest::get(server.url("/api/openapi.json")).await?;
    let document: Value = document.error_for_status()?.json().await?;
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().context("paths")? {
        for (method, description) in item.as_object().context("a path")? {
            operations.push(Operation {
                path: path.clone(),
                method: method.to_uppercase().parse()?,
                description: description.clone(),
            });
        }
    }
    Ok((document, operations))
}

/// What fills a place in a request.
type Fill<'f> = &'f mut dyn FnMut(&Value) -> Option<String>;

/// Sends a request whose parameters are filled in, and a body if it takes one;
/// the status.
async fn send(
    client: &Client,
    server: &TestServer,
    operation: &Operation,
    fill: Fill<'_>,
    body: Option<String>,
) -> anyhow::Result<(u16, Option<String>)> {
    let mut path = operation.path.clone();
    let (mut query, mut headers) = (Vec::new(), Vec::new());
    for parameter in operation.parameters() {
        let name = parameter["name"].as_str().context("name")?;
        let Some(value) = fill(parameter) else {
            continue;
        };
        match parameter["in"].as_str() {
            Some("path") => {
                // Each byte: who builds addresses leaves some of them out.
                let segment: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
                path = path.replace(&format!("{{{name}}}"), &segment);
            }
            Some("query") => query.push((name.to_owned(), value)),
            Some("header") => headers.push((name.to_owned(), value)),
            other => anyhow::bail!("a parameter in {other:?}"),
        }
    }
    let mut request = client
        .request(operation.method.clone(), server.url(&path))
        .query(&query);
    for (name, value) in headers {
        if let Ok(value) = reqwest::header::HeaderValue::from_str(&value) {
            request = request.header(name, value);
        }
    }
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body);
    }
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type");
    let kind = kind.map(|kind| kind.to_str().unwrap_or_default().to_owned());
    if !operation.is_endless() {
        timeout(Duration::from_secs(60), answer.bytes()).await??;
    }
    Ok((status, kind))
}

/// The example of the operation is answered as described.
async fn check_example(
    client: &Client,
    server: &TestServer,
    operation: &Operation,
) -> anyhow::Result<()> {
    let content = &operation.description["requestBody"]["content"];
    let contents = content.as_object().into_iter().flatten();
    let mut body = contents.map(|(_, content)| match &content["example"] {
        Value::String(text) => text.clone(),
        json => json.to_string(),
    });
    let body = body.next();
    let mut examples = |parameter: &Value| {
        let example = &parameter["example"];
        assert!(!example.is_null(), "{}: {parameter}", operation.named());
        Some(
            example
                .as_str()
                .map_or_else(|| example.to_string(), str::to_owned),
        )
    };
    let (status, kind) = send(client, server, operation, &mut examples, body).await?;
    let answers = operation.answers();
    // A plain request is no handshake.
    let is_socket = answers.contains(&101);
    let expected = if is_socket {
        400
    } else {
        *answers.first().context("no answer")?
    };
    assert_eq!(status, expected, "{}", operation.named());
    let described = operation.description["responses"][expected.to_string()]["content"].as_object();
    if let Some((described, content)) = described.and_then(|content| content.iter().next()) {
        let kind = kind.context("a content type")?;
        assert!(
            kind.starts_with(described.as_str()),
            "{}: {kind}",
            operation.named()
        );
        assert!(
            !content["example"].is_null(),
            "{} has no example",
            operation.named()
        );
    }
    for text in ["summary", "operationId"] {
        assert!(
            operation.description[text].is_string(),
            "{}: {text}",
            operation.named()
        );
    }
    Ok(())
}

#[tokio::test]
async fn every_operation_is_there_and_answers_as_described() -> anyhow::Result<()> {
    let server = TestServer::start(&["--symbols=50"]).await?;
    let (document, operations) = described(&server).await?;
    assert_eq!(document["openapi"], "3.1.0");
    let client = Client::new();
    // The examples are of alert 7.
    for _ in 0..7 {
        let alert = json!({"symbol": "BTC-USD", "above": "99999999"});
        let made = client.post(server.url("/api/alerts")).json(&alert).send();
        made.await?.error_for_status()?;
    }
    while reqwest::get(server.url("/readyz")).await?.status() != 200 {}
    // Nothing is deleted before it was looked at.
    let (deletes, others): (Vec<_>, Vec<_>) = operations
        .iter()
        .partition(|operation| operation.method == Method::DELETE);
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/sp500-daily.csv");
    let feed = format!("replay:{sample}");
    let replaying = TestServer::start(&["--feed", &feed, "--allow-upload"]).await?;
    for operation in others.into_iter().chain(deletes) {
        let is_of_replay = operation.path.starts_with("/api/replay");
        let server = if is_of_replay { &replaying } else { &server };
        check_example(&client, server, operation).await?;
    }
    replaying.stop().await?;
    // What is not described is not there.
    let paths: BTreeSet<_> = operations.iter().map(|operation| &operation.path).collect();
    for path in paths {
        for method in METHODS {
            let method: Method = method.to_uppercase().parse()?;
            let is_described = operations
                .iter()
                .any(|o| o.path == *path && o.method == method);
            if !is_described {
                let path = path.replace("{id}", "7");
                let answer = client
                    .request(method.clone(), server.url(&path))
                    .send()
                    .await?;
                assert_eq!(answer.status(), 405, "{method} {path}");
            }
        }
    }
    server.stop().await
}

#[tokio::test]
async fn every_reference_leads_somewhere_and_every_route_is_described() -> anyhow::Result<()> {
    let server = TestServer::start(&["--rate=0.001"]).await?;
    let (document, operations) = described(&server).await?;
    let mut all = vec![&document];
    while let Some(value) = all.pop() {
        if let Some(reference) = value["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').context("a local one")?;
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        all.extend(
            value
                .as_object()
                .into_iter()
                .flat_map(|object| object.values()),
        );
        all.extend(value.as_array().into_iter().flatten());
    }
    // Every route that the architecture names.
    for route in [
        "GET /ws",
        "GET /ws/echo",
        "GET /api/stream",
        "GET /api/ticks",
        "GET /api/checkpoint",
        "GET /api/node",
        "GET /api/snapshot",
        "GET /api/symbols",
        "GET /api/candles",
        "GET /api/sparks",
        "GET /api/alerts",
        "POST /api/alerts",
        "GET /api/alerts/fired",
        "GET /api/alerts/{id}",
        "PUT /api/alerts/{id}",
        "DELETE /api/alerts/{id}",
        "GET /api/webhooks",
        "GET /api/time",
        "POST /api/access",
        "GET /api/stats",
        "GET /api/replay",
        "PATCH /api/replay",
        "PUT /api/replay/files/{name}",
        "GET /api/echo",
        "GET /api/openapi.json",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
    ] {
        assert!(
            operations
                .iter()
                .any(|operation| operation.named() == route),
            "{route}"
        );
    }
    assert_eq!(operations.len(), 28, "a new route belongs into this list");
    server.stop().await
}

#[tokio::test]
async fn the_page_that_shows_it_needs_no_other_server() -> anyhow::Result<()> {
    let server = TestServer::start(&["--rate=0.001"]).await?;
    let page = reqwest::get(server.url("/api/docs")).await?;
    assert!(
        page.url().path().starts_with("/api/docs/"),
        "{}",
        page.url()
    );
    let page = page.error_for_status()?.text().await?;
    let mut files = 0;
    for attribute in ["src=\"", "href=\""] {
        for part in page.split(attribute).skip(1) {
            let file = part.split('"').next().context("a quote")?;
            assert!(!file.contains("//"), "{file} is elsewhere");
            let url = format!("/api/docs/{}", file.trim_start_matches("./"));
            reqwest::get(server.url(&url)).await?.error_for_status()?;
            files += 1;
        }
    }
    assert!(files >= 4, "{page}");
    let start = reqwest::get(server.url("/api/docs/swagger-initializer.js")).await?;
    let start = start.text().await?;
    // Relative, so that it is found below any path.
    assert!(start.contains("\"../openapi.json\""), "{start}");
    assert!(
        start.contains(r#""validatorUrl": "none""#),
        "asks another server: {start}"
    );
    server.stop().await
}
