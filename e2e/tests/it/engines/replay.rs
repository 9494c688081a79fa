//! The bar of a replay, and a file that is chosen.

use e2e::Browser;
use testkit::TestServer;

use super::save;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/sp500-daily.csv");
const SLIDER: &str = "document.querySelector('.replay input[type=range]')";
/// The last price of the only row.
const LAST: &str = "document.querySelector('tr[data-symbol] [data-col=last]')?.dataset.value";

fn button(label: &str) -> String {
    format!(
        "[...document.querySelectorAll('.replay button')]\
         .find(button => button.textContent.trim() === '{label}')"
    )
}

/// The replay is moved, and another file is chosen.
pub(crate) async fn moved_and_chosen(browser: &Browser) -> anyhow::Result<()> {
    let feed = format!("replay:{SAMPLE}");
    let arguments = ["--feed", &feed, "--speed", "0.001", "--symbols", "SPX"];
    let more = ["--from", "2020-03-02", "--allow-upload"];
    let arguments: Vec<_> = arguments.into_iter().chain(more).collect();
    let server = TestServer::start(&arguments).await?;
    let page = browser.open(&server.url("/?zone=utc")).await?;
    page.until("it plays", &button("Pause")).await?;
    // Friday the 13th: the day before is the last that has happened.
    let drag = format!(
        "const slider = {SLIDER}; slider.step = 'any'; slider.value = Date.parse('2020-03-13T00:00Z');\
         for (const kind of ['input', 'change'])\
             slider.dispatchEvent(new Event(kind, {{ bubbles: true }}));"
    );
    page.run(&drag).await?;
    let at = |date: &str| format!("{SLIDER}.getAttribute('aria-valuetext') === '{date}'");
    page.until("the jump", &at("2020-03-12")).await?;
    page.until("its price", &format!("{LAST} === '2480.639893'"))
        .await?;
    page.run(&format!("{}.click();", button("Step"))).await?;
    page.until("a step", &at("2020-03-13")).await?;
    page.until("its price", &format!("{LAST} === '2711.020020'"))
        .await?;
    page.run(&format!("{}.click();", button("Step back")))
        .await?;
    page.until("a step back", &at("2020-03-12")).await?;
    save(&page, browser.engine(), "replay").await?;
    let choose = "const input = document.querySelector('.top input[type=file]');\
        const data = new DataTransfer();\
        data.items.add(new File(['date,open,high,low,close\\n2020-01-02,1,2,1,2\\n'], 'MINE.csv'));\
        input.files = data.files;\
        input.dispatchEvent(new Event('change', { bubbles: true }));";
    page.run(choose).await?;
    let only = "[...document.querySelectorAll('tr[data-symbol]')]\
         .map(row => row.dataset.symbol).join() === 'MINE'";
    page.until("the file plays", only).await?;
    server.stop().await
}
