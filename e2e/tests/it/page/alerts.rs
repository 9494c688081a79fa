//! Alerts: they are told once, whatever brings them, can be moved on the chart,
//! and have a page of their own.

use anyhow::Context as _;
use e2e::{Browser, Page};
use reqwest::Client;
use serde_json::{Value, json};
use shared::{Alert, AlertsAnswer, Condition};
use tempfile::TempDir;
use testkit::{Fault, Proxy, TestServer};
use tokio::time::{Duration, sleep, timeout};

use super::{SAMPLE, TRANSPORTS, close, nothing_lost, open_at};
use crate::page::looks::{check_accessibility, save};

mod form;

const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

pub(crate) async fn create(server: &TestServer, body: Value) -> anyhow::Result<Alert> {
    let request = Client::new().post(server.url("/api/alerts")).json(&body);
    Ok(request.send().await?.error_for_status()?.json().await?)
}

async fn all(server: &TestServer) -> anyhow::Result<Vec<Alert>> {
    let answer = reqwest::get(server.url("/api/alerts")).await?;
    let answer: AlertsAnswer = answer.error_for_status()?.json().await?;
    Ok(answer.alerts)
}

/// Waits until the only alert there is is of this version.
async fn until_version(server: &TestServer, version: u64) -> anyhow::Result<Alert> {
    let found = async {
        loop {
            if let Some(alert) = all(server).await?.pop()
                && alert.version >= version
            {
                return Ok(alert);
            }
            sleep(LOOK_AGAIN).await;
        }
    };
    let found = timeout(PATIENCE, found).await;
    found.with_context(|| format!("the alert is never of version {version}"))?
}

fn level(alert: &Alert) -> anyhow::Result<shared::Decimal> {
    match &alert.spec.condition {
        Condition::Crosses(level) => Ok(*level),
        other => anyhow::bail!("no crossing: {other:?}"),
    }
}

/// From now on the page writes down which toasts, notifications and sounds
/// there were.
pub(crate) const WRITE_DOWN: &str = "window.told = []; window.notified = []; window.played = 0;\
    new MutationObserver(changes => changes.forEach(change => change.addedNodes.forEach(node => {\
        if (node.classList?.contains('toast')) window.told.push(node.querySelector('span').textContent);\
    }))).observe(document, { childList: true, subtree: true });\
    window.Notification = class extends Notification {\
        constructor(title, options) { super(title, options); window.notified.push(options.body); } };\
    const play = HTMLMediaElement.prototype.play;\
    HTMLMediaElement.prototype.play = function () { window.played++; return play.call(this); };";

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fires_is_told_once_whatever_brings_it() -> anyhow::Result<()> {
    let browser = Browser::start(1440, 900).await?;
    let server = TestServer::start(&["--symbols", "5", "--rate", "50"]).await?;
    let proxy = Proxy::start(server.address()).await?;
    let page = browser.open(&proxy.url("/alerts.html")).await?;
    let allowed = json!({ "permissions": ["notifications"], "origin": proxy.url("") });
    page.devtools("Browser.grantPermissions", allowed).await?;
    page.until(
        "the page is there",
        "document.querySelectorAll('section[aria-label=\"How to be told\"] input').length === 2",
    )
    .await?;
    page.run("document.querySelectorAll('section[aria-label=\"How to be told\"] input').forEach(box => box.click());")
        .await?;
    let source = json!({ "source": WRITE_DOWN });
    page.devtools("Page.addScriptToEvaluateOnNewDocument", source)
        .await?;
    let page = browser.open(&proxy.url("/")).await?;
    page.until_live().await?;

    let mut notes = Vec::new();
    for transport in TRANSPORTS {
        page.choose(transport).await?;
        page.until_live().await?;
        notes.push(format!("by {transport}"));
        fires(&server, &page, &notes).await?;
    }
    // While the page finds its way back, too.
    page.choose("WebSocket").await?;
    for cut in 1..=5 {
        proxy.fail(Fault::None);
        notes.push(format!("cut {cut}"));
        fires(&server, &page, &notes).await?;
    }
    // What was told twice would have been told by now: more came after it.
    for list in ["told", "notified"] {
        let told = page.run(&format!("return window.{list};")).await?;
        assert_eq!(told, json!(notes), "{list}");
    }
    assert_eq!(page.run("return window.played;").await?, notes.len());
    nothing_lost(&page).await?;

    check_toast(&server, &page).await?;
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fired_while_the_page_was_away_is_told_once() -> anyhow::Result<()> {
    let browser = Browser::start(1440, 900).await?;
    // The log reaches back for less than three seconds.
    let arguments = ["--symbols", "5", "--rate", "400", "--log-capacity", "1024"];
    let server = TestServer::start(&arguments).await?;
    let at_once = |note: &str| json!({"symbol": "BTC-USD", "above": "0.01", "note": note});
    create(&server, at_once("before the page came")).await?;
    let page = browser.open(&server.url("/alerts.html")).await?;
    page.until(
        "it fired",
        "document.querySelector('table[aria-label=Fired] tbody')?.innerText.includes('before')",
    )
    .await?;
    let source = json!({ "source": WRITE_DOWN });
    page.devtools("Page.addScriptToEvaluateOnNewDocument", source)
        .await?;
    // It asks every ten seconds.
    let page = browser
        .open(&server.url("/?transport=poll&poll=10000"))
        .await?;
    page.until(
        "it knows what fired before",
        "performance.getEntriesByType('resource').some(entry => entry.name.includes('/api/alerts/fired'))",
    )
    .await?;
    for note in ["first", "second"] {
        create(&server, at_once(note)).await?;
        let told = format!("window.told.includes('{note}')");
        page.until(note, &told).await?;
    }
    let told = page.run("return window.told;").await?;
    assert_eq!(told, json!(["first", "second"]));
    close(server, browser).await
}

/// A toast opens the chart of what it is about, and closes.
async fn check_toast(server: &TestServer, page: &Page) -> anyhow::Result<()> {
    let note = "the last one";
    create(
        server,
        json!({"symbol": "EUR-USD", "above": "0.01", "note": note}),
    )
    .await?;
    let top = "document.querySelector('.toast')";
    let button = "Show its chart";
    page.until(
        "a toast of another symbol",
        &format!("{top}?.textContent.startsWith('EUR-USD above 0.01, at ')"),
    )
    .await?;
    check_accessibility(page, "toasts").await?;
    save(page, "toasts").await?;
    page.run(&format!(
        "{top}.querySelector('[title=\"{button}\"]').click();"
    ))
    .await?;
    page.until(
        "its chart",
        "document.querySelector('.chart').getAttribute('aria-label').startsWith('EUR-USD')",
    )
    .await?;
    let count = "document.querySelectorAll('.toast').length";
    let before = page.run(&format!("return {count};")).await?;
    page.run(&format!("{top}.querySelector('[title=Close]').click();"))
        .await?;
    let after = page.run(&format!("return {count};")).await?;
    assert_eq!(after.as_u64(), before.as_u64().map(|count| count - 1));
    Ok(())
}

/// Makes an alert with the last of the notes, which fires at the next price,
/// and waits until the page told of it.
async fn fires(server: &TestServer, page: &Page, notes: &[String]) -> anyhow::Result<()> {
    let note = notes.last().context("no notes")?;
    let body = json!({"symbol": "BTC-USD", "above": "0.01", "note": note});
    create(server, body).await?;
    let told = format!("window.told.includes({})", json!(note));
    page.until(note, &told).await?;
    Ok(())
}

/// Waits until there are bars, and no more come.
async fn until_chart_stands(page: &Page) -> anyhow::Result<()> {
    page.until(
        "bars",
        r"/last [\d,.]+$/.test(document.querySelector('.chart')?.getAttribute('aria-label'))",
    )
    .await?;
    page.until(
        "the end of the file",
        "document.querySelector('[data-stat=state]')?.textContent.includes('ended')",
    )
    .await?;
    Ok(())
}

/// A place on the chart, in CSS pixels.
async fn place_near_the_top(page: &Page) -> anyhow::Result<[f64; 2]> {
    let corner = page
        .run("const box = document.querySelector('.cross').getBoundingClientRect(); return [box.left, box.top];")
        .await?;
    let (left, top): (f64, f64) = serde_json::from_value(corner)?;
    Ok([left + 200.0, top + 60.0])
}

/// Drags the line of the alert, which was just moved to this place, up by 80 CSS
/// pixels.
async fn drag_by_finger(page: &Page, [x, y]: [f64; 2]) -> anyhow::Result<()> {
    let touch = async |kind: &str, points: Value| {
        let event = json!({ "type": kind, "touchPoints": points });
        page.devtools("Input.dispatchTouchEvent", event).await
    };
    let answered = "performance.getEntriesByType('resource')\
        .some(entry => entry.name.endsWith('/api/alerts/1') && entry.responseEnd > 0)";
    // Until the page knows the new version, it would be a change of the old one.
    page.until("the moved alert is known", answered).await?;
    page.run(
        "return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));",
    )
    .await?;
    touch("touchStart", json!([{ "x": x, "y": y }])).await?;
    for step in 1..=8 {
        let y = y - 10.0 * f64::from(step);
        touch("touchMove", json!([{ "x": x, "y": y }])).await?;
    }
    touch("touchEnd", json!([])).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_on_the_chart_moves_its_alert() -> anyhow::Result<()> {
    // Prices that have ended: the chart stands still.
    let feed = format!("replay:{SAMPLE}");
    let browser = Browser::start(1440, 900).await?;
    let server = TestServer::start(&["--feed", &feed, "--speed", "5000"]).await?;
    let page = browser.open(&server.url("/")).await?;
    until_chart_stands(&page).await?;
    page.press("n").await?;
    let made = until_version(&server, 1).await?;
    let [x, y] = place_near_the_top(&page).await?;
    let mouse = async |kind: &str, y: f64| {
        let buttons = i32::from(kind == "mouseMoved");
        let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1 });
        page.devtools("Input.dispatchMouseEvent", event).await
    };
    // The line is there as soon as the page knows it.
    let grip = "document.querySelector('.cross').hasAttribute('data-grip')";
    let found = async {
        while page.run(&format!("return {grip};")).await? != true {
            mouse("mouseMoved", y + 1.0).await?;
            mouse("mouseMoved", y).await?;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, found).await.context("no line")??;
    // A click is no change, so the first one is made by the drag after it.
    mouse("mousePressed", y).await?;
    mouse("mouseReleased", y).await?;
    mouse("mousePressed", y).await?;
    for step in 1..=10 {
        mouse("mouseMoved", y + 10.0 * f64::from(step)).await?;
    }
    mouse("mouseReleased", y + 100.0).await?;
    let moved = until_version(&server, 2).await?;
    assert_eq!(moved.version, 2);
    assert!(level(&moved)? < level(&made)?, "{made:?} {moved:?}");
    save(&page, "alert-line").await?;

    drag_by_finger(&page, [x, y + 100.0]).await?;
    let back = until_version(&server, 3).await?;
    assert!(level(&back)? > level(&moved)?, "{moved:?} {back:?}");
    assert!(level(&back)? < level(&made)?, "{made:?} {back:?}");
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_cannot_save_is_told() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let file = folder.path().join("tickwire.db");
    let store = file.to_str().context("no such path")?;
    let (server, browser, page) = open_at(&["--symbols=3", "--store", store], "/").await?;
    page.until_live().await?;
    // Not there as long as the page begins.
    let words = "document.querySelector('[data-stat=state]')?.textContent";
    let mut other = rusqlite::Connection::open(&file)?;
    let held = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let lost = "live, simulated; history is not saved (database is locked)";
    page.until("trouble", &format!("{words} === {}", json!(lost)))
        .await?;
    save(&page, "store-trouble").await?;
    // Whoever comes now is told as well.
    let page = browser.open(&server.url("/")).await?;
    page.until("trouble, still", &format!("{words} === {}", json!(lost)))
        .await?;
    drop(held);
    page.until("no trouble", &format!("{words} === 'live, simulated'"))
        .await?;
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_of_the_api_is_readable_without_a_network() -> anyhow::Result<()> {
    let browser = Browser::start(1280, 900).await?;
    let server = TestServer::start(&[]).await?;
    let page = browser.open(&server.url("/api/docs/")).await?;
    let described: Value = reqwest::get(server.url("/api/openapi.json"))
        .await?
        .json()
        .await?;
    let paths = described["paths"].as_object().context("no paths")?;
    let operations: usize = paths
        .values()
        .filter_map(|path| Some(path.as_object()?.len()))
        .sum();
    assert!(operations > 10, "{operations}");
    let shown = "document.querySelectorAll('.opblock').length";
    page.until("every operation", &format!("{shown} === {operations}"))
        .await?;
    save(&page, "api-docs").await?;
    let elsewhere = "return performance.getEntriesByType('resource')\
        .map(entry => entry.name).filter(name => !name.startsWith(location.origin) && !name.startsWith('data:'));";
    assert_eq!(page.run(elsewhere).await?, json!([]));
    close(server, browser).await
}
