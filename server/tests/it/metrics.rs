//! The metrics, and the dashboard that shows them.

use std::collections::BTreeSet;

use anyhow::Context as _;
use serde_json::Value;
use testkit::{Process, TestServer};
use tokio::process::Command;

/// Every name of a metric in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c));
    words.filter(|word| word.starts_with("tickwire_")).collect()
}

#[tokio::test]
async fn the_dashboard_shows_what_there_is() -> anyhow::Result<()> {
    let dashboard: Value = serde_json::from_str(include_str!("../../../docs/grafana.json"))?;
    // A receiver has metrics as soon as it is named.
    let server = TestServer::start(&["--webhook=http://127.0.0.1:9/"]).await?;
    // So does a reason for a snapshot, as soon as there is one.
    reqwest::get(server.url("/api/ticks")).await?;
    let metrics = reqwest::get(server.url("/metrics")).await?.text().await?;
    let known = names(&metrics);
    let panels = dashboard["panels"].as_array().context("panels")?;
    assert!(panels.len() > 8);
    let mut used = BTreeSet::new();
    for panel in panels {
        for target in panel["targets"].as_array().context("targets")? {
            let expression = target["expr"].as_str().context("an expression")?;
            used.extend(names(expression));
        }
        assert!(
            panel["title"].is_string() && panel["description"].is_string(),
            "{panel}"
        );
    }
    let unknown: Vec<_> = used.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?} are not in\n{metrics}");
    // Every refusal has a number from the beginning, so that a rate begins at 0.
    assert!(
        metrics.contains("tickwire_refused_total{reason=\"streams\"} 0\n"),
        "{metrics}"
    );
    server.stop().await
}

#[tokio::test]
async fn who_watches_has_an_address_of_their_own() -> anyhow::Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    command.args(["--store=none", "--admin-listen", &free.to_string()]);
    let server = Process::start(command).await?;
    let admin = |path: &str| format!("http://{free}{path}");
    for path in ["/metrics", "/api/openapi.json", "/api/docs/"] {
        assert_eq!(reqwest::get(admin(path)).await?.status(), 200, "{path}");
        assert_eq!(
            reqwest::get(server.url(path)).await?.status(),
            404,
            "{path}"
        );
    }
    for path in ["/healthz", "/readyz"] {
        reqwest::get(admin(path)).await?;
        assert_ne!(
            reqwest::get(server.url(path)).await?.status(),
            404,
            "{path}"
        );
    }
    for path in ["/", "/api/ticks", "/ws", "/api/alerts"] {
        assert_eq!(reqwest::get(admin(path)).await?.status(), 404, "{path}");
    }
    server.kill().await
}
