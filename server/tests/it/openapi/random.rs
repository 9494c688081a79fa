//! Random requests to every operation.

use std::collections::BTreeSet;

use anyhow::Context as _;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use testkit::TestServer;

use super::{Operation, described, send};

/// Random requests to each operation.
const REQUESTS: usize = 200;

/// What somebody may write where something is expected.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,30}",
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u8>().prop_map(|number| number.to_string()),
        prop_oneof![
            "BTC-USD",
            "BTC-USD,AAPL",
            "[*]",
            "1m",
            "1d",
            "\"1\"",
            "[a-z0-9]{1,7}-[0-9]{1,20}"
        ],
    ]
}

fn bodies() -> impl Strategy<Value = String> {
    let values = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts().prop_map(Value::from),
        prop_oneof!["-?[0-9]{1,40}", "[0-9]{0,30}[.][0-9]{0,30}"].prop_map(Value::from),
        (texts(), any::<u32>())
            .prop_map(|(percent, window_s)| json!({"percent": percent, "window_s": window_s})),
        Just(json!({"percent": "5", "window_s": 60})),
    ];
    let names = prop_oneof![
        4 => proptest::sample::select(vec![
            "symbol", "above", "below", "crosses", "moves", "silent_s", "repeat", "cooldown_s",
            "enabled", "note", "id", "version",
        ]).prop_map(str::to_owned),
        1 => ".{0,10}",
    ];
    let object = proptest::collection::btree_map(names, values.boxed(), 0..6);
    let whole = (object, any::<bool>()).prop_map(|(mut fields, is_likely)| {
        if is_likely {
            fields.insert("symbol".to_owned(), json!("BTC-USD"));
            fields.insert("above".to_owned(), json!("5"));
            fields.remove("below");
        }
        serde_json::to_string(&fields).expect("plain data encodes")
    });
    prop_oneof![6 => whole, 1 => ".{0,50}"]
}

/// Any value of these.
fn sample<T>(of: impl Strategy<Value = T>, runner: &mut TestRunner) -> anyhow::Result<T> {
    let tree = of.new_tree(runner);
    let tree = tree.map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(tree.current())
}

/// Sends one random request, whose answer is one that is described; its status.
async fn check_random(
    client: &Client,
    server: &TestServer,
    operation: &Operation,
    runner: &mut TestRunner,
) -> anyhow::Result<u16> {
    let mut filled = Vec::new();
    let mut values = Vec::new();
    for _ in operation.parameters() {
        values.push(sample(texts(), runner)?);
    }
    let mut values = values.into_iter();
    let mut fill = |parameter: &Value| {
        let value = values.next()?;
        let is_path = parameter["in"] == "path";
        // A wait is a minute at most, which is long for a test; and an
        // empty part of a path is another path.
        let is_wait = parameter["name"] == "wait_ms";
        let use_it = (is_path && !value.is_empty() && value != "." && value != "..")
            || (!is_path && !is_wait && value.len() % 3 > 0);
        let value = match (use_it, is_path) {
            // Alerts that may be there, too.
            (_, true) if value.len() % 2 == 0 => (1 + value.len() / 2).to_string(),
            (true, _) => value,
            (false, true) => "1".to_owned(),
            (false, false) => return None,
        };
        filled.push(value.clone());
        Some(value)
    };
    let takes_body = !operation.description["requestBody"].is_null();
    let body = takes_body.then(|| sample(bodies(), runner)).transpose()?;
    let sent = send(client, server, operation, &mut fill, body.clone()).await;
    let (status, _) = sent.with_context(|| format!("{} {filled:?} {body:?}", operation.named()))?;
    assert!(
        status < 500,
        "{}: {status} for {filled:?} {body:?}",
        operation.named()
    );
    let is_described = operation.answers().contains(&status);
    assert!(
        is_described,
        "{}: {status} for {filled:?} {body:?}",
        operation.named()
    );
    Ok(status)
}

#[tokio::test]
async fn no_request_whatever_it_says_is_the_servers_fault() -> anyhow::Result<()> {
    let server = TestServer::start(&["--symbols=20", "--rate=500"]).await?;
    while reqwest::get(server.url("/readyz")).await?.status() != 200 {}
    let (_, mut operations) = described(&server).await?;
    // So that there is something to change.
    operations.sort_by_key(|operation| {
        (
            operation.method == Method::DELETE,
            operation.method != Method::POST,
        )
    });
    let client = Client::new();
    let mut runner = TestRunner::default();
    for operation in &operations {
        let mut seen = BTreeSet::new();
        for _ in 0..REQUESTS {
            seen.insert(check_random(&client, &server, operation, &mut runner).await?);
        }
        println!(
            "{}: {REQUESTS} requests, answers {seen:?}",
            operation.named()
        );
    }
    server.stop().await
}

/// A text that matches the pattern.
fn matching(pattern: &str, runner: &mut TestRunner) -> anyhow::Result<String> {
    let inside = pattern
        .strip_prefix('^')
        .and_then(|rest| rest.strip_suffix('$'));
    let strategy = proptest::string::string_regex(inside.context("an anchored pattern")?)?;
    let tree = strategy.new_tree(runner);
    Ok(tree.map_err(anyhow::Error::msg)?.current())
}

#[tokio::test]
async fn what_matches_a_pattern_is_accepted() -> anyhow::Result<()> {
    let server = TestServer::start(&["--symbols=BTC-USD", "--rate=0.001"]).await?;
    let client = Client::new();
    let mut runner = TestRunner::default();
    let (document, operations) = described(&server).await?;
    let pattern = |value: &Value| {
        value["pattern"]
            .as_str()
            .map(str::to_owned)
            .context("a pattern")
    };
    let draft = &document["components"]["schemas"]["AlertDraft"]["allOf"][0]["properties"];
    let percent = &document["components"]["schemas"]["MovesFields"]["properties"]["percent"];
    let parameter = |operation: &str, name: &str| {
        let operation = operations.iter().find(|known| known.named() == operation);
        let all: Vec<_> = operation.context("an operation")?.parameters().collect();
        let own = all.into_iter().find(|parameter| parameter["name"] == name);
        pattern(&own.context("a parameter")?["schema"])
    };
    let (price, percent) = (pattern(&draft["above"])?, pattern(percent)?);
    let cursor = parameter("GET /api/ticks", "cursor")?;
    let if_match = parameter("PUT /api/alerts/{id}", "If-Match")?;
    let first = json!({"symbol": "BTC-USD", "above": "1"});
    let alerts = server.url("/api/alerts");
    client
        .post(&alerts)
        .json(&first)
        .send()
        .await?
        .error_for_status()?;
    for _ in 0..200 {
        let level = matching(&price, &mut runner)?;
        let body = json!({"symbol": "BTC-USD", "below": level});
        let made = client.post(&alerts).json(&body).send().await?;
        assert_eq!(made.status(), 201, "{body}");
        let percent = matching(&percent, &mut runner)?;
        let moves = json!({"symbol": "BTC-USD", "moves": {"percent": percent, "window_s": 5}});
        let made = client.post(&alerts).json(&moves).send().await?;
        assert_eq!(made.status(), 201, "{moves}");
        let cursor = matching(&cursor, &mut runner)?;
        let ticks = server.url(&format!("/api/ticks?symbols=*&cursor={cursor}"));
        assert_eq!(reqwest::get(ticks).await?.status(), 200, "{cursor}");
        let tag = matching(&if_match, &mut runner)?;
        let Ok(header) = reqwest::header::HeaderValue::from_str(&tag) else {
            continue;
        };
        let put = client.put(format!("{alerts}/1")).header("if-match", header);
        let put = put.json(&first).send().await?;
        assert!([200, 409].contains(&put.status().as_u16()), "{tag}");
    }
    server.stop().await
}
