//! The page Markets.

use anyhow::Context as _;
use e2e::{Browser, Page};
use serde_json::{Value, json};
use shared::{Alert, AlertsAnswer, Decimal};
use testkit::TestServer;
use tokio::time::{Duration, Instant, sleep};

use super::{TRANSPORTS, save};

const LOOK_AGAIN: Duration = Duration::from_millis(50);
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/sp500-daily.csv");
const PATIENCE: Duration = Duration::from_secs(180);

/// How many colours there are on a chart's canvas: what is drawn has those of
/// bars, lines, labels.
const COLOURS: &str = "(canvas => {\
    if (!canvas || !canvas.width) return 0;\
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);\
    const colours = new Set(new Uint32Array(data.buffer));\
    return colours.size; })(document.querySelector('.frame:not([hidden]) canvas.data'))";

/// Whether anything in the watchlist is cut: a text that is wider than its cell.
const CUT: &str = "[...document.querySelectorAll('.watchlist tbody tr:not([hidden]) td[data-value]:not([hidden]), .watchlist thead th:not([hidden])')]\
    .filter(cell => cell.scrollWidth > cell.clientWidth || [...cell.querySelectorAll('button')].some(b => b.scrollWidth > b.clientWidth))\
    .map(cell => `${cell.dataset.col} ${cell.textContent}`)";

async fn nothing_lost(page: &Page) -> anyhow::Result<()> {
    let counts = (page.stat("missed").await?, page.stat("repeated").await?);
    assert_eq!(counts, (Some(0.0), Some(0.0)), "missed and repeated");
    Ok(())
}

/// Waits until a row's last price is another one.
async fn until_a_price_moves(page: &Page, why: &str) -> anyhow::Result<()> {
    let prices = "[...document.querySelectorAll('tr[data-symbol] td[data-col=last]')].map(c => c.dataset.value).join()";
    let before = page.run(&format!("return {prices};")).await?;
    page.until(why, &format!("{prices} !== {before}")).await?;
    Ok(())
}

pub(crate) async fn all_rows_and_a_chart(
    browser: &Browser,
    server: &TestServer,
) -> anyhow::Result<()> {
    let page = browser
        .open(&server.url("/?interval=1s&studies=volume,sma5"))
        .await?;
    page.until_live().await?;
    let count = page.text(".watchlist .panel-head .muted").await?;
    assert_eq!(count, "50 of 50");
    // Those that fit, and some more: the list fills what there is of the page.
    let below = "(() => { const list = document.querySelector('.scroll').getBoundingClientRect();\
        const rows = [...document.querySelectorAll('tr[data-symbol]:not([hidden])')];\
        return rows.length && rows.at(-1).getBoundingClientRect().bottom >= list.bottom; })()";
    page.until("rows down to the end of the list", below)
        .await?;
    let last = "document.querySelector('.scroll').scrollTo(0, 1e6);\
        return [...document.querySelectorAll('tr[data-symbol]:not([hidden])')].at(-1)?.dataset.symbol;";
    let catalogue: Value = reqwest::get(server.url("/api/symbols"))
        .await?
        .json()
        .await?;
    let wanted = &catalogue["symbols"][49]["symbol"];
    let end = Instant::now() + PATIENCE;
    while page.run(last).await? != *wanted {
        assert!(Instant::now() < end, "the last row is not in the list");
        sleep(LOOK_AGAIN).await;
    }
    page.run("document.querySelector('.scroll').scrollTo(0, 0);")
        .await?;
    page.until("the chart is painted", &format!("{COLOURS} > 8"))
        .await?;
    let sparks = "[...document.querySelectorAll('tr[data-symbol]:not([hidden]) canvas[data-spark]')].slice(0, 8)\
        .every(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(b => b > 0))";
    page.until("sparklines are drawn", sparks).await?;
    until_a_price_moves(&page, "prices move").await?;
    let cut = page.run(&format!("return {CUT};")).await?;
    assert_eq!(cut, json!([]), "{:?}: cut off", browser.engine());
    nothing_lost(&page).await?;
    save(&page, browser.engine(), "markets").await
}

pub(crate) async fn each_transport(browser: &Browser, server: &TestServer) -> anyhow::Result<()> {
    let page = browser.open(&server.url("/")).await?;
    page.until_live().await?;
    for transport in TRANSPORTS.iter().cycle().skip(1).take(4) {
        page.choose(transport).await?;
        let used = format!(
            "document.querySelector('[data-stat=transport]').dataset.value === '{transport}'"
        );
        page.until(transport, &used).await?;
        until_a_price_moves(&page, transport).await?;
        page.until_live().await?;
    }
    nothing_lost(&page).await?;
    assert_eq!(page.stat("reconnects").await?, Some(0.0));
    Ok(())
}

async fn only_alert(server: &TestServer, version: u64) -> anyhow::Result<Alert> {
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = reqwest::get(server.url("/api/alerts")).await?;
        let mut answer: AlertsAnswer = answer.error_for_status()?.json().await?;
        if let Some(alert) = answer.alerts.pop()
            && alert.version >= version
        {
            return Ok(alert);
        }
        assert!(Instant::now() < end, "no alert of version {version}");
        sleep(LOOK_AGAIN).await;
    }
}

fn level(alert: &Alert) -> anyhow::Result<Decimal> {
    alert
        .spec
        .condition
        .level()
        .context("an alert without a price")
}

/// Made with a key and dragged with the mouse, on a chart that stands still.
pub(crate) async fn an_alert_is_dragged(browser: &Browser) -> anyhow::Result<()> {
    let feed = format!("replay:{SAMPLE}");
    let server = TestServer::start(&["--feed", &feed, "--speed", "5000"]).await?;
    let page = browser.open(&server.url("/")).await?;
    page.until(
        "the end of the file",
        "document.querySelector('[data-stat=state]')?.textContent.includes('ended')",
    )
    .await?;
    page.until("the chart is painted", &format!("{COLOURS} > 8"))
        .await?;
    page.press("n").await?;
    let made = only_alert(&server, 1).await?;
    let corner = page
        .run("const box = document.querySelector('.cross').getBoundingClientRect(); return [box.left, box.top, box.bottom];")
        .await?;
    let (left, top, bottom): (f64, f64, f64) = serde_json::from_value(corner)?;
    let (x, mut y) = (left + 200.0, top + 50.0);
    let grip = "return document.querySelector('.cross').hasAttribute('data-grip');";
    let end = Instant::now() + PATIENCE;
    // The line is there as soon as the page knows it, and moves while older
    // candles come: it may be anywhere from which it can be dragged down.
    while page.run(grip).await? != true {
        assert!(Instant::now() < end, "there is no line");
        y = match y + 6.0 {
            y if y > bottom - 120.0 => top + 5.0,
            y => y,
        };
        page.point((x, y)).await?;
    }
    page.drag((x, y), (x, y + 80.0)).await?;
    let moved = only_alert(&server, 2).await?;
    assert!(level(&moved)? < level(&made)?, "{made:?} {moved:?}");
    save(&page, browser.engine(), "alert").await?;
    // Or the page would look for a server that has gone.
    browser.open("about:blank").await?;
    server.stop().await
}

/// Fired and told.
pub(crate) async fn an_alert_fires(browser: &Browser, server: &TestServer) -> anyhow::Result<()> {
    let page = browser.open(&server.url("/")).await?;
    page.until_live().await?;
    let client = reqwest::Client::new();
    let body = json!({"symbol": "XAU-USD", "above": "0.01", "note": "it rings"});
    let made = client.post(server.url("/api/alerts")).json(&body).send();
    let alert: Alert = made.await?.error_for_status()?.json().await?;
    page.until(
        "the alert is told",
        "[...document.querySelectorAll('.toast')].some(t => t.textContent.includes('it rings'))",
    )
    .await?;
    let url = server.url(&format!("/api/alerts/{}", alert.id));
    client.delete(url).send().await?.error_for_status()?;
    // A browser without notifications goes on as well.
    page.run("localStorage.setItem('tickwire.notify', 'on'); localStorage.setItem('tickwire.sound', 'on');")
        .await?;
    let page = browser.open(&server.url("/")).await?;
    page.until_live().await?;
    page.run("delete window.Notification; delete window.HTMLAudioElement; delete window.Audio;")
        .await?;
    let alert = client
        .post(server.url("/api/alerts"))
        .json(&body)
        .send()
        .await?;
    let alert: Alert = alert.error_for_status()?.json().await?;
    page.until(
        "the alert is told",
        "[...document.querySelectorAll('.toast')].some(t => t.textContent.includes('it rings'))",
    )
    .await?;
    until_a_price_moves(&page, "prices go on").await?;
    page.until_live().await?;
    page.run("localStorage.clear();").await?;
    let url = server.url(&format!("/api/alerts/{}", alert.id));
    client.delete(url).send().await?.error_for_status()?;
    Ok(())
}

pub(crate) async fn both_themes(browser: &Browser, server: &TestServer) -> anyhow::Result<()> {
    let page = browser
        .open(&server.url("/?interval=1s&studies=volume,rsi5"))
        .await?;
    page.until_live().await?;
    let theme = "document.documentElement.dataset.theme";
    let ground = "return getComputedStyle(document.body).backgroundColor;";
    let mut grounds = Vec::new();
    for wanted in ["dark", "light"] {
        if page.run(&format!("return {theme};")).await? != wanted {
            page.press("d").await?;
        }
        page.until(wanted, &format!("{theme} === '{wanted}'"))
            .await?;
        grounds.push(page.run(ground).await?);
        page.until("the chart is painted", &format!("{COLOURS} > 8"))
            .await?;
        save(&page, browser.engine(), wanted).await?;
    }
    assert_eq!(grounds, ["rgb(14, 17, 22)", "rgb(255, 255, 255)"]);
    Ok(())
}

pub(crate) async fn what_a_link_names_and_there_is_not(
    browser: &Browser,
    server: &TestServer,
) -> anyhow::Result<()> {
    let link = "/?symbols=btc-usd,GONE,ETH-USD&chart=LOST&interval=1s";
    let page = browser.open(&server.url(link)).await?;
    page.until_live().await?;
    let shown = "[...document.querySelectorAll('tr[data-symbol]:not([hidden])')].map(r => r.dataset.symbol).join()";
    page.until("what there is", &format!("{shown} === 'BTC-USD,ETH-USD'"))
        .await?;
    let told = "(line => !line.hidden && line.textContent)(document.querySelector('.missing'))";
    let words = page.until("what there is not is named", told).await?;
    assert_eq!(words, "This server does not have GONE, LOST.Take out");
    page.until(
        "a chart of something else",
        "document.querySelector('.chart').getAttribute('aria-label').startsWith('BTC-USD')",
    )
    .await?;
    save(&page, browser.engine(), "gone").await?;
    page.click(".missing button").await?;
    page.until(
        "it is taken out of the link",
        "!/GONE|LOST/.test(location.href) && location.href.includes('BTC-USD')",
    )
    .await?;
    page.until(
        "and named no more",
        "document.querySelector('.missing').hidden",
    )
    .await?;
    page.run("localStorage.clear();").await?;
    Ok(())
}

/// As narrow as a phone. Windows of desktops cannot be, frames can.
pub(crate) async fn a_narrow_window(browser: &Browser, server: &TestServer) -> anyhow::Result<()> {
    let page = browser.open(&server.url("/guide.html")).await?;
    page.run(
        "document.body.innerHTML = '<iframe src=\"./?interval=1s\" width=\"360\" height=\"740\" frameborder=\"0\"></iframe>';",
    )
    .await?;
    let inside = "document.querySelector('iframe').contentDocument";
    page.until(
        "it is live",
        &format!("{inside}.querySelector('[data-stat=state]')?.dataset.value === 'live'"),
    )
    .await?;
    let columns = format!(
        "[...{inside}.querySelectorAll('thead th[data-col]')].filter(cell => cell.offsetWidth > 0).map(cell => cell.dataset.col).join()"
    );
    page.until(
        "three columns",
        &format!("{columns} === 'symbol,last,change_percent'"),
    )
    .await?;
    let out = page
        .run(&format!(
            "const root = {inside}.documentElement; return root.scrollWidth - root.clientWidth;"
        ))
        .await?;
    assert_eq!(out, 0, "nothing sticks out");
    let cut = CUT.replace("document.", &format!("{inside}."));
    assert_eq!(
        page.run(&format!("return {cut};")).await?,
        json!([]),
        "cut off"
    );
    page.until(
        "the chart is painted",
        &format!(
            "{} > 8",
            COLOURS.replace("document.", &format!("{inside}."))
        ),
    )
    .await?;
    save(&page, browser.engine(), "narrow").await
}
