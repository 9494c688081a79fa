//! Prices as they can be: that do not move, of many decimals, tiny, large, below
//! zero; and a person who edits one in another language.

use std::io::Write as _;

use anyhow::Context as _;
use e2e::{Browser, Page};
use reqwest::Client;
use serde_json::{Value, json};
use shared::{Alert, Decimal};
use tempfile::TempDir;
use testkit::TestServer;
use tokio::time::{Duration, Instant, sleep};

use super::close;
use crate::page::looks::save;

const PATIENCE: Duration = Duration::from_secs(60);

/// A file of ten days, each with this bar.
fn file(folder: &TempDir, name: &str, bar: &str) -> anyhow::Result<String> {
    let path = folder.path().join(name);
    let mut file = std::fs::File::create(&path)?;
    writeln!(file, "date,open,high,low,close,volume")?;
    for day in 10..20 {
        writeln!(file, "2020-01-{day},{bar}")?;
    }
    Ok(format!("replay:{}", path.display()))
}

/// What is cut off: texts that are wider than their cells.
const CUT: &str = "[...document.querySelectorAll('.watchlist tbody tr:not([hidden]) td[data-value]')]\
    .filter(cell => cell.scrollWidth > cell.clientWidth).map(cell => cell.textContent)";

async fn open(feed: &str) -> anyhow::Result<(TestServer, Browser, Page)> {
    let browser = Browser::start(1440, 900).await?;
    let arguments = ["--feed", feed, "--speed", "1000", "--symbols", "spx"];
    let server = TestServer::start(&arguments).await?;
    let page = browser.open(&server.url("/?interval=1d")).await?;
    let ended = "document.querySelector('[data-stat=state]')?.dataset.value === 'ended'";
    page.until("the end of the file", ended).await?;
    Ok((server, browser, page))
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_as_they_can_be_are_legible() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    for (name, bar, last, shown) in [
        (
            "eight",
            "0.00000012,0.00000015,0.00000011,0.00000013,5",
            "0.00000013",
            "0.00000013",
        ),
        (
            "twelve",
            "25000000.5,25000000.500000000003,25000000.499999999999,25000000.5,5",
            "25000000.5",
            "25,000,000.500000000000",
        ),
        (
            "below",
            "-1.5,2.25,-40.32,-37.63,5",
            "-37.63",
            "\u{2212}37.63",
        ),
    ] {
        let (server, browser, page) = open(&file(&folder, name, bar)?).await?;
        let cell = "document.querySelector('tr[data-symbol=spx] td[data-col=last]')";
        page.until(name, &format!("{cell}?.textContent === {}", json!(shown)))
            .await?;
        let value = page.run(&format!("return {cell}.dataset.value;")).await?;
        let value: Decimal = value.as_str().context("no value")?.parse()?;
        assert_eq!(value, last.parse()?, "{name}");
        let headline = page.text(".quote .last").await?;
        assert_eq!(headline, shown, "{name}");
        let spoken = page
            .run("return document.querySelector('.chart').getAttribute('aria-label');")
            .await?;
        assert_eq!(spoken, format!("spx, 1d candles, last {shown}"));
        assert_eq!(
            page.run(&format!("return {CUT};")).await?,
            json!([]),
            "{name}: cut off"
        );
        save(&page, &format!("prices-{name}")).await?;
        close(server, browser).await?;
    }
    Ok(())
}

async fn alert(server: &TestServer) -> anyhow::Result<Option<Alert>> {
    let answer: Value = reqwest::get(server.url("/api/alerts"))
        .await?
        .json()
        .await?;
    Ok(serde_json::from_value(answer["alerts"][0].clone()).ok())
}

async fn until_alert(server: &TestServer, is_so: impl Fn(&Alert) -> bool) -> anyhow::Result<Alert> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(alert) = alert(server).await?.filter(&is_so) {
            return Ok(alert);
        }
        assert!(
            Instant::now() < end,
            "there is no such alert: {:?}",
            alert(server).await?
        );
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_dragged_off_a_price_that_does_not_move() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (server, browser, page) = open(&file(&folder, "flat", "1,1,1,1,0")?).await?;
    page.press("n").await?;
    let made = until_alert(&server, |_| true).await?;
    let level = |alert: &Alert| alert.spec.condition.level().unwrap_or_default();
    assert!(level(&made) >= Decimal::ONE, "{made:?}");
    let corner = page
        .run("const box = document.querySelector('.cross').getBoundingClientRect(); return [box.left, box.top];")
        .await?;
    let (left, top): (f64, f64) = serde_json::from_value(corner)?;
    // On whole numbers, several pixels are the same price.
    let grip = "return document.querySelector('.cross').hasAttribute('data-grip');";
    let end = Instant::now() + PATIENCE;
    let mut y = 10.0;
    while page.run(grip).await? != true {
        assert!(Instant::now() < end, "there is no line");
        y = if y > 500.0 { 10.0 } else { y + 5.0 };
        page.point((left + 200.0, top + y)).await?;
    }
    page.drag((left + 200.0, top + y), (left + 200.0, top + y + 250.0))
        .await?;
    let moved = until_alert(&server, |alert| alert.version > made.version).await?;
    assert!(level(&moved) < level(&made), "{made:?} {moved:?}");
    save(&page, "prices-flat").await?;
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_stays_what_it_is_in_another_language() -> anyhow::Result<()> {
    let browser = Browser::start(1280, 900).await?;
    let server = TestServer::start(&["--symbols", "spx,BTC-USD", "--rate", "10"]).await?;
    let body = json!({"symbol": "SPX", "above": "999149.382", "note": "old"});
    let made = Client::new()
        .post(server.url("/api/alerts"))
        .json(&body)
        .send()
        .await?;
    let made: Alert = made.error_for_status()?.json().await?;
    assert_eq!(made.spec.symbol, "spx", "as the server writes it");
    let blank = browser.open("about:blank").await?;
    for (version, locale, shown) in [
        (1, "de-DE", "999149,382"),
        (2, "fr-FR", "999149,382"),
        (3, "de-CH", "999149.382"),
    ] {
        let parameters = json!({ "locale": locale });
        blank
            .devtools("Emulation.setLocaleOverride", parameters)
            .await?;
        let page = browser.open(&server.url("/alerts.html")).await?;
        page.until("the alert", "document.querySelector('[aria-label^=Edit]')")
            .await?;
        page.until(
            "the symbols",
            "document.querySelectorAll('#symbols option').length === 2",
        )
        .await?;
        page.click("[aria-label^=Edit]").await?;
        let field = "document.querySelector('form [aria-label=Price]')";
        page.until(locale, &format!("{field}.value === '{shown}'"))
            .await?;
        let note = "document.querySelector('form [aria-label=Note]')";
        page.fill(note, locale).await?;
        page.click("form button[type=submit]").await?;
        let saved = until_alert(&server, |alert| alert.version > version).await?;
        assert_eq!(saved.spec.note, locale);
        assert_eq!(saved.spec.condition, made.spec.condition, "{locale}");
        assert_eq!(saved.spec.symbol, "spx");
        if locale == "de-DE" {
            // What can be read in two ways is refused, and both are told.
            page.until("the form is empty again", &format!("{field}.value === ''"))
                .await?;
            let symbol = "document.querySelector('form [aria-label=Symbol]')";
            page.fill(symbol, "Spx").await?;
            page.fill(field, "149.382").await?;
            page.click("form button[type=submit]").await?;
            let fault = "document.querySelector('form .fault').textContent";
            page.until(
                "refused",
                &format!("{fault}.includes('149382 and as 149,382')"),
            )
            .await?;
        }
        let none = json!({});
        blank.devtools("Emulation.setLocaleOverride", none).await?;
    }
    close(server, browser).await
}
