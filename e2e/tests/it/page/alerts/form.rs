//! The page of alerts.

use anyhow::Context as _;
use e2e::{Browser, Page};
use reqwest::Client;
use serde_json::json;
use shared::Alert;
use testkit::TestServer;

use super::{all, create, until_version};
use crate::page::close;
use crate::page::looks::{check_accessibility, save};

/// Fills in the form and sends it.
async fn submit(page: &Page, fields: &[(&str, &str)]) -> anyhow::Result<()> {
    for (label, value) in fields {
        let field = format!("document.querySelector('form [aria-label=\"{label}\"]')");
        page.fill(&field, *value).await?;
    }
    page.click("form button[type=submit]").await
}

const FAULT: &str = "document.querySelector('form .fault').textContent";

const ROWS: &str =
    "[...document.querySelectorAll('tr[data-alert]')].map(row => row.innerText.trim()).join('|')";

/// Whether the only row of the table has this text.
fn row(text: &str) -> String {
    format!("{ROWS}.replace(/\\s+/g, ' ') === {}", json!(text))
}

/// Nothing is made of what the form or the server refuses.
async fn check_faults(server: &TestServer, page: &Page) -> anyhow::Result<()> {
    submit(page, &[("Symbol", "BTC-USD"), ("Price", "a lot")]).await?;
    let words = format!("{FAULT} === 'The price has to be a number, as in 64000.50'");
    page.until("its own words", &words).await?;
    submit(page, &[("Symbol", "BTC-EURO"), ("Price", "99000.5")]).await?;
    let words = format!("{FAULT}.includes('BTC-EURO')");
    page.until("the server's words", &words).await?;
    assert_eq!(all(server).await?, []);
    Ok(())
}

/// What somebody else changed meanwhile is not overwritten.
async fn check_stale(server: &TestServer, page: &Page, changed: &Alert) -> anyhow::Result<()> {
    page.click("tr[data-alert] [aria-label^=Edit]").await?;
    let theirs = json!({"symbol": "BTC-USD", "above": "0.01", "note": "theirs"});
    let url = server.url(&format!("/api/alerts/{}", changed.id));
    let put = Client::new().put(url).json(&theirs).send().await?;
    put.error_for_status()?;
    submit(page, &[("Note", "mine")]).await?;
    page.until("that it is stale", &format!("{FAULT}.includes('by now')"))
        .await?;
    let kept = all(server).await?.pop().context("no alert")?;
    assert_eq!(kept.spec.note, "theirs");
    Ok(())
}

/// The page on a phone.
async fn check_phone(server: TestServer) -> anyhow::Result<()> {
    let phone = Browser::start_phone(360, 740).await?;
    create(&server, json!({"symbol": "BTC-USD", "below": "0.01"})).await?;
    let page = phone.open(&server.url("/alerts.html")).await?;
    page.until("a row", &row("BTC-USD below 0.01 once 0 Edit Delete"))
        .await?;
    save(&page, "alerts-phone").await?;
    check_accessibility(&page, "alerts on a phone").await?;
    let overflow = "return document.documentElement.scrollWidth - window.innerWidth;";
    assert!(page.run(overflow).await?.as_i64() <= Some(0));
    close(server, phone).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_alerts_makes_changes_and_deletes() -> anyhow::Result<()> {
    let browser = Browser::start(1280, 900).await?;
    let server = TestServer::start(&["--symbols", "5"]).await?;
    let page = browser.open(&server.url("/alerts.html")).await?;
    page.until("the form", "document.querySelector('form')")
        .await?;
    check_faults(&server, &page).await?;
    let moon = [
        ("Symbol", "btc-usd"),
        ("Condition", "above"),
        ("Price", "99,000.5"),
        ("Note", "moon"),
    ];
    submit(&page, &moon).await?;
    page.until(
        "a row",
        &row("BTC-USD above 99,000.5 once 0 moon Edit Delete"),
    )
    .await?;
    assert_eq!(page.run(&format!("return {FAULT};")).await?, "");
    save(&page, "alerts").await?;
    check_accessibility(&page, "alerts").await?;

    // Off, and changed while it is off.
    page.click("tr[data-alert] input").await?;
    let off = until_version(&server, 2).await?;
    assert!(!off.spec.enabled);
    page.click("tr[data-alert] [aria-label^=Edit]").await?;
    page.until(
        "it is in the form",
        "document.querySelector('form [aria-label=Price]').value === '99000.5'",
    )
    .await?;
    submit(&page, &[("Condition", "moves"), ("Per cent", "1.5")]).await?;
    let moves = row("BTC-USD moves 1.5% within 5 min once 0 moon Edit Delete");
    page.until("the changed row", &moves).await?;
    let changed = all(&server).await?.pop().context("no alert")?;
    assert!(!changed.spec.enabled, "{changed:?}");

    check_stale(&server, &page, &changed).await?;
    // It was set to a price that every price is above: the history says so.
    let fired = "document.querySelector('table[aria-label=Fired] tbody')?.innerText";
    let words = "/BTC-USD\\s+above 0.01\\s+[\\d,.]+\\s+theirs/";
    page.until("the history", &format!("{words}.test({fired})"))
        .await?;
    let once = row("BTC-USD above 0.01 once 1 theirs Edit Delete");
    page.until("how often it fired", &once).await?;

    for _ in 0..2 {
        page.click("button[aria-label=Theme]").await?;
        check_accessibility(&page, "alerts in another theme").await?;
    }
    page.click("tr[data-alert] [aria-label^=Delete]").await?;
    page.until("no row", &row("")).await?;
    assert_eq!(all(&server).await?, []);
    browser.close().await?;
    check_phone(server).await
}
