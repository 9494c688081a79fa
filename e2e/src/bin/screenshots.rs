//! Takes the screenshots of the README: the real page, real prices moving.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use e2e::{Browser, Page, TwoExchanges};
use testkit::TestServer;

/// Takes screenshots of the page.
#[derive(Parser)]
struct Arguments {
    /// The folder to put them into
    #[arg(long)]
    into: PathBuf,
}

/// How long prices move before a picture is taken.
const SETTLE: Duration = Duration::from_secs(20);
const DESK: &str = "/?chart=BTC-USD&interval=1m&studies=volume,sma20,bollinger20";
const PHONE: &str = "/?chart=BTC-USD&interval=1m&studies=volume";
const EXCHANGES: &str = "/?chart=BTC-USD@coinbase&interval=1m&studies=volume";

/// How long the replay goes before a picture is taken.
const REPLAYED: Duration = Duration::from_secs(8);
/// The sample of the README.
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/sp500-daily.csv");

/// The S&P 500 in the weeks in which it fell.
async fn replaying() -> anyhow::Result<TestServer> {
    let feed = format!("replay:{SAMPLE}");
    let from = ["--from", "2020-03-02", "--speed", "1", "--symbols", "SPX"];
    let arguments = ["--feed", &feed].into_iter().chain(from);
    TestServer::start(&arguments.collect::<Vec<_>>()).await
}

/// A replay, and two exchanges of which one is lost.
async fn of_feeds(browser: &Browser, into: &Path) -> anyhow::Result<()> {
    let replaying = replaying().await?;
    let page = browser.open(&replaying.url("/?zone=utc")).await?;
    page.until_live().await?;
    // Some days are played.
    tokio::time::sleep(REPLAYED).await;
    save(&page, into, "replay.png").await?;
    replaying.stop().await?;
    let exchanges = TwoExchanges::start().await?;
    let page = browser.open(&exchanges.server.url(EXCHANGES)).await?;
    page.until_live().await?;
    tokio::time::sleep(SETTLE).await;
    exchanges.lose_kraken();
    let told = "document.querySelector('[data-stat=state]').textContent.includes('kraken: ') \
                && document.querySelector('.watchlist tr[data-lost]')";
    page.until("it is told that one is lost", told).await?;
    save(&page, into, "exchanges.png").await?;
    drop(exchanges);
    Ok(())
}

async fn save(page: &Page, into: &Path, name: &str) -> anyhow::Result<()> {
    let path = into.join(name);
    std::fs::write(&path, page.screenshot().await?)?;
    println!("{}", path.display());
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { into } = Arguments::parse();
    std::fs::create_dir_all(&into)?;
    let server = TestServer::start(&["--seed", "20261122", "--past", "on"]).await?;
    let browser = Browser::start(1440, 900).await?;
    let page = browser.open(&server.url(DESK)).await?;
    page.until_live().await?;
    tokio::time::sleep(SETTLE).await;
    // An alert, which shows as a line.
    page.press("n").await?;
    page.until(
        "the alert is known",
        "performance.getEntriesByType('resource')\
            .some(entry => entry.name.endsWith('/api/alerts') && entry.responseEnd > 0)",
    )
    .await?;
    let dark = page
        .run("return document.documentElement.dataset.theme === 'dark'")
        .await?;
    if dark != true {
        page.click(r#"button[aria-label="Theme"]"#).await?;
    }
    save(&page, &into, "dark.png").await?;
    page.click(r#"button[aria-label="Theme"]"#).await?;
    save(&page, &into, "light.png").await?;
    of_feeds(&browser, &into).await?;
    let page = browser.open(&server.url("/lab.html")).await?;
    page.until("the lab is there", "document.querySelector('.start')")
        .await?;
    page.run("document.querySelector('.start').click();")
        .await?;
    let over = "document.querySelector('[data-measure=cpu_us] [data-value]')";
    page.until("the run is over", over).await?;
    page.run("document.querySelector('.results').scrollIntoView();")
        .await?;
    save(&page, &into, "lab.png").await?;
    browser.close().await?;
    let phone = Browser::start_phone(360, 740).await?;
    let page = phone.open(&server.url(PHONE)).await?;
    page.until_live().await?;
    let bars = "document.querySelector('.chart').getAttribute('aria-label').match(/last [^n]/)";
    page.until("the chart is there", bars).await?;
    save(&page, &into, "phone.png").await?;
    phone.close().await?;
    server.stop().await
}
