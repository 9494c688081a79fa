//! Very many alerts, and receivers of alerts that are in trouble.

use anyhow::Context as _;
use e2e::Browser;
use reqwest::Client;
use serde_json::json;
use testkit::TestServer;
use tokio::net::TcpListener;

use super::alerts::{WRITE_DOWN, create};
use super::{close, nothing_lost};
use crate::page::looks::{check_accessibility, save};

/// Requests of the page for the list of alerts.
const ASKED: &str = "performance.getEntriesByType('resource')\
    .filter(entry => /\\/api\\/alerts\\?/.test(entry.name)).length";

#[tokio::test(flavor = "multi_thread")]
async fn very_many_that_fire_together_are_told_together() -> anyhow::Result<()> {
    const COUNT: u64 = 60;
    let browser = Browser::start(1440, 900).await?;
    let server = TestServer::start(&["--symbols=3", "--rate=50", "--flush-ms=1000"]).await?;
    let page = browser.open(&server.url("/")).await?;
    page.until_live().await?;
    page.run(WRITE_DOWN).await?;
    page.until("the list", &format!("{ASKED} === 1")).await?;
    let body = json!({"symbol": "BTC-USD", "above": "0.01", "note": "all at once"});
    for _ in 0..COUNT {
        create(&server, body.clone()).await?;
    }
    // Each is told by itself, or counted.
    let told = "window.told.reduce((sum, text) =>\
        sum + (/^(\\d+) more alert/.test(text) ? Number.parseInt(text) : 1), 0)";
    page.until("all of them", &format!("{told} === {COUNT}"))
        .await?;
    save(&page, "toasts-many").await?;
    let shown = "return document.querySelectorAll('.toast').length;";
    let shown = page.run(shown).await?.as_u64().context("a count")?;
    assert!((1..=4).contains(&shown), "{shown} toasts");
    check_accessibility(&page, "many toasts").await?;

    // Somebody who changes one again and again makes nobody ask.
    for note in 0..50 {
        let change = json!({"symbol": "BTC-USD", "above": "9999999", "note": note.to_string()});
        let put = Client::new().put(server.url("/api/alerts/1")).json(&change);
        put.send().await?.error_for_status()?;
    }
    create(
        &server,
        json!({"symbol": "BTC-USD", "above": "0.01", "note": "then"}),
    )
    .await?;
    page.until("what came after", "window.told.includes('then')")
        .await?;
    let asked = page.run(&format!("return {ASKED};")).await?;
    assert_eq!(asked, 1, "what changed is told");
    nothing_lost(&page).await?;
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_in_trouble_is_seen_and_a_long_list_comes_by_pieces() -> anyhow::Result<()> {
    let browser = Browser::start(1280, 900).await?;
    let nobody = TcpListener::bind("127.0.0.1:0").await?;
    let address = nobody.local_addr()?;
    drop(nobody);
    let webhook = format!("--webhook=http://{address}/secret");
    let server = TestServer::start(&["--symbols=3", "--rate=50", &webhook]).await?;
    let page = browser.open(&server.url("/alerts.html")).await?;
    let line = "document.querySelector('section[aria-label=Webhooks] li')?.textContent";
    page.until(
        "it is there",
        &format!("{line} === '127.0.0.1: takes alerts'"),
    )
    .await?;
    create(&server, json!({"symbol": "BTC-USD", "above": "0.01"})).await?;
    let trouble = format!(
        "/^127.0.0.1: takes none since .*: it cannot be reached: .*; 1 waiting$/.test({line})"
    );
    page.until("trouble", &trouble).await?;
    save(&page, "webhook-trouble").await?;
    check_accessibility(&page, "a webhook in trouble").await?;

    for level in 1..=250 {
        let level = (9_000_000 + level).to_string();
        create(&server, json!({"symbol": "BTC-USD", "above": level})).await?;
    }
    let rows = "document.querySelectorAll('tr[data-alert]').length";
    page.until("the first of them", &format!("{rows} === 200"))
        .await?;
    let more = "[...document.querySelectorAll('section[aria-label=Alerts] button')]\
        .find(button => button.textContent === 'Show more')";
    page.run(&format!("{more}.click();")).await?;
    page.until("all of them", &format!("{rows} === 251 && {more}.hidden"))
        .await?;
    close(server, browser).await.context("the end")
}
