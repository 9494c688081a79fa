//! Prices of exchanges: side by side, and one of them lost.

use e2e::{Browser, TwoExchanges};

use super::looks::{check_accessibility, save};

/// The text of a figure of the status bar.
fn figure(name: &str) -> String {
    format!("document.querySelector('[data-stat={name}]').textContent")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_that_is_lost_is_grey_and_the_other_goes_on() -> anyhow::Result<()> {
    let browser = Browser::start(1440, 900).await?;
    let exchanges = TwoExchanges::start().await?;
    // One chart compares both.
    let path = "/?chart=BTC-USD@coinbase~BTC-USD@kraken&interval=1m";
    let page = browser.open(&exchanges.server.url(path)).await?;
    page.until_live().await?;
    let row = |symbol: &str| format!("document.querySelector('tr[data-symbol=\"{symbol}\"]')");
    let beside = format!(
        "{}?.nextElementSibling === {}",
        row("BTC-USD@kraken"),
        row("BTC-USD@coinbase")
    );
    page.until("they are side by side", &beside).await?;
    let counts = format!("{}.includes('kraken: missed 0, filled ')", figure("venues"));
    page.until("what was missed is told", &counts).await?;
    // The chart has a past before the first trade that came.
    let bars = "document.querySelector('.chart').getAttribute('aria-label').match(/last [^n]/)";
    page.until("the chart is there", bars).await?;
    let has_price = format!(
        "{}.querySelector('[data-col=last]').dataset.value",
        row("ETH-USD@kraken")
    );
    page.until("prices have a past", &has_price).await?;
    let asked = "performance.getEntriesByType('resource').some(entry => \
        decodeURIComponent(entry.name).includes('candles?symbol=BTC-USD@kraken'))";
    page.until("the other is compared", asked).await?;
    exchanges.lose_kraken();
    let is_lost = |symbol: &str| format!("{}.hasAttribute('data-lost')", row(symbol));
    page.until("one is lost", &is_lost("BTC-USD@kraken"))
        .await?;
    let words = format!("{}.includes('kraken: ')", figure("state"));
    page.until("it is told", &words).await?;
    let other = format!("!{}", is_lost("BTC-USD@coinbase"));
    page.until("the other is not", &other).await?;
    let live = "document.body.dataset.connection === 'live'";
    page.until("the page is live", live).await?;
    save(&page, "exchanges").await?;
    check_accessibility(&page, "exchanges").await?;
    // The shown symbol is one of the lost.
    page.run(&format!("{}.click();", row("BTC-USD@kraken")))
        .await?;
    let grey = "document.body.hasAttribute('data-lost')";
    page.until("its chart is grey, too", grey).await?;
    exchanges.find_kraken();
    page.until(
        "it is there again",
        &format!("!{}", is_lost("BTC-USD@kraken")),
    )
    .await?;
    page.until("its chart, too", &format!("!({grey})")).await?;
    browser.close().await
}
