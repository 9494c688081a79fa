//! The lab's figures, held against what went over the wire.

use std::collections::BTreeMap;
use std::time::Duration;

use e2e::{Browser, Page};
use serde_json::json;
use shared::{Channel, Transport, WireFormat};
use testkit::{Fault, Proxy, TestServer};
use tokio::sync::Mutex;

mod looks;

/// Tests that measure are not to be in each other's way.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Figures by measure and transport.
type Figures = BTreeMap<String, BTreeMap<String, f64>>;

/// Runs the lab with these numbers: polling interval in ms, and duration in s.
async fn run(page: &Page, interval_ms: u32, seconds: u32) -> anyhow::Result<Figures> {
    let start = "document.querySelector('.start')";
    page.until("the lab is ready", &format!("{start} && !{start}.disabled"))
        .await?;
    let number =
        |place: u32| format!("document.querySelectorAll('.plan input[type=number]')[{place}]");
    page.fill(&number(0), interval_ms).await?;
    page.fill(&number(1), seconds).await?;
    page.click(".start").await?;
    let done = "document.querySelector('[data-measure=cpu_us] [data-value]')";
    page.until("the run is over", &format!("{done} && !{start}.disabled"))
        .await?;
    let figures = page
        .run(
            "return Object.fromEntries([...document.querySelectorAll('tr[data-measure]')].map(row => [row.dataset.measure,\
                 Object.fromEntries([...row.querySelectorAll('[data-value]')].map(({dataset}) =>\
                     [dataset.transport + (dataset.encoding == 'binary' ? '-binary' : ''), Number(dataset.value)]))]));",
        )
        .await?;
    Ok(serde_json::from_value(figures)?)
}

fn within(found: f64, truth: f64, share: f64) -> bool {
    (found - truth).abs() <= share * truth
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_requests_and_empty_answers_are_the_wires() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    let browser = Browser::start(1200, 1000).await?;
    // One tick between two polls, on average: more than a third of the 60 polls
    // find none, and that none of them does is out of the question.
    let server = TestServer::start(&["--symbols=5", "--rate=10", "--quotes=0"]).await?;
    for format in WireFormat::ALL {
        check_bytes(&browser, &server, format).await?;
    }
    browser.close().await?;
    server.stop().await
}

/// Runs the lab in this encoding only.
async fn check_bytes(
    browser: &Browser,
    server: &TestServer,
    format: WireFormat,
) -> anyhow::Result<()> {
    let proxy = Proxy::start(server.address()).await?;
    let page = browser.open(&proxy.url("/lab.html")).await?;
    page.until("the lab is ready", "document.querySelector('.start')")
        .await?;
    for other in WireFormat::ALL {
        let tick = format!("document.querySelector('[aria-label=Encodings] [value={other}]')");
        page.fill(&tick, other == format).await?;
    }
    let figures = run(&page, 100, 6).await?;
    let channels = Channel::ALL.into_iter();
    for channel in channels.filter(|channel| channel.format == format) {
        let transport = channel.transport;
        let truth = proxy.seen(Some(transport));
        let name = &match format {
            WireFormat::Json => transport.key().to_owned(),
            WireFormat::Binary => format!("{transport}-binary"),
        };
        let of = |measure: &str| figures[measure].get(name.as_str()).copied();
        println!("{name}: {truth:?}, down {:?} up {:?}", of("down"), of("up"));
        assert_eq!(of("requests"), Some(truth.requests as f64), "{name}");
        if !transport.is_stream() {
            assert_eq!(of("empty"), Some(truth.empty as f64), "{name}");
        }
        let (down, up) = (of("down").unwrap_or(0.0), of("up").unwrap_or(0.0));
        assert!(
            within(down, truth.down as f64, 0.05),
            "{name}: {down} down, {truth:?}"
        );
        assert!(
            within(up, truth.up as f64, 0.05),
            "{name}: {up} up, {truth:?}"
        );
        assert_eq!(
            (of("missed"), of("repeated")),
            (Some(0.0), Some(0.0)),
            "{name}"
        );
    }
    assert!(
        proxy.seen(Some(Transport::Poll)).empty > 0,
        "some polls were empty"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slower_network_makes_prices_older_by_as_much() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    let browser = Browser::start(1200, 1000).await?;
    let server = TestServer::start(&["--symbols", "5", "--rate", "200"]).await?;
    let proxy = Proxy::start(server.address()).await?;
    let page = browser.open(&proxy.url("/lab.html")).await?;
    // The middle one of three, since a busy machine holds up now one run, now
    // another.
    let mut risen = BTreeMap::<&str, Vec<f64>>::new();
    for _ in 0..3 {
        proxy.delay(Duration::ZERO);
        let before = run(&page, 500, 3).await?;
        proxy.delay(Duration::from_millis(200));
        let after = run(&page, 500, 3).await?;
        for name in ["ws", "sse"] {
            let of = |figures: &Figures| figures["age_p50_ms"][name];
            println!("{name}: {} to {} ms", of(&before), of(&after));
            let all = risen.entry(name).or_default();
            all.push(of(&after) - of(&before));
        }
    }
    for (name, mut all) in risen {
        all.sort_by(f64::total_cmp);
        assert!(
            (180.0..=220.0).contains(&all[1]),
            "{name}: {all:?} ms older"
        );
    }
    browser.close().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_changes_nothing() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    let browser = Browser::start(1200, 1000).await?;
    let server = TestServer::start(&["--symbols", "5", "--rate", "200"]).await?;
    let page = browser.open(&server.url("/lab.html")).await?;
    // Two hours ahead, whatever the page asks.
    let skew = json!({ "source":
        "{ const ahead = 7200000, now = Date.now.bind(Date), Plain = Date, origin = performance.timeOrigin;\
         window.Date = class extends Plain { constructor(...all) { all.length ? super(...all) : super(now() + ahead); }\
             static now() { return now() + ahead; } };\
         Object.defineProperty(performance, 'timeOrigin', { get: () => origin + ahead }); }" });
    page.devtools("Page.addScriptToEvaluateOnNewDocument", skew)
        .await?;
    let page = browser.open(&server.url("/")).await?;
    page.until_live().await?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let clock =
        "return [Date.now(), new Date().getTime(), performance.timeOrigin + performance.now()];";
    let clocks: Vec<f64> = serde_json::from_value(page.run(clock).await?)?;
    for clock in clocks {
        let ahead = Duration::from_secs(7_200).as_secs_f64() + now.as_secs_f64() - clock / 1e3;
        assert!(
            ahead.abs() < 60.0,
            "the page's clock is {ahead} s off two hours ahead"
        );
    }
    let age_ms = page.stat("age_ms").await?;
    assert!(age_ms < Some(60_000.0), "the dashboard says {age_ms:?} ms");
    let page = browser.open(&server.url("/lab.html")).await?;
    let figures = run(&page, 500, 3).await?;
    for name in Transport::ALL.map(Transport::key) {
        let age_ms = figures["age_p50_ms"][name];
        assert!((0.1..60_000.0).contains(&age_ms), "{name}: {age_ms} ms");
    }
    browser.close().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_saved_and_loaded_beside_another() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    let browser = Browser::start(1200, 1000).await?;
    let server = TestServer::start(&[]).await?;
    let page = browser.open(&server.url("/lab.html")).await?;
    let figures = run(&page, 200, 2).await?;
    page.run(
        "window.files = {};\
         URL.createObjectURL = (plain => blob => { blob.text().then(text => window.text = text); return plain(blob); })(URL.createObjectURL);\
         HTMLAnchorElement.prototype.click = function () { window.files[this.download] = this.href; };\
         for (const button of document.querySelectorAll('.results button')) if (button.textContent === 'JSON') button.click();",
    )
    .await?;
    page.until(
        "the run is saved",
        "window.files['tickwire-lab.json'] && window.text",
    )
    .await?;
    page.run(
        "const input = document.querySelector('input[type=file]'), files = new DataTransfer();\
         files.items.add(new File([window.text], 'run.json')); input.files = files.files;\
         input.dispatchEvent(new Event('change'));",
    )
    .await?;
    let saved = "document.querySelector('[data-measure=ticks] [data-run=saved][data-transport=sse]')?.dataset.value";
    let saved = page.until("the saved run is there", saved).await?;
    assert_eq!(saved, json!(figures["ticks"]["sse"].to_string()));
    page.run("for (const button of document.querySelectorAll('.results button')) if (button.textContent === 'PNG') button.click();")
        .await?;
    page.until(
        "a picture is saved",
        "window.files['tickwire-lab.png']?.startsWith('data:image/png')",
    )
    .await?;
    page.run(
        "const input = document.querySelector('input[type=file]'), files = new DataTransfer();\
         files.items.add(new File(['{}'], 'other.json')); input.files = files.files;\
         input.dispatchEvent(new Event('change'));",
    )
    .await?;
    let fault = "document.querySelector('.plan .fault').textContent.startsWith('other.json is not a run that this page saved')";
    page.until("another file is refused in words", fault)
        .await?;
    browser.close().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_websockets_the_rest_is_measured() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    let browser = Browser::start(1200, 1000).await?;
    let server = TestServer::start(&["--symbols", "5", "--rate", "200"]).await?;
    let proxy = Proxy::start(server.address()).await?;
    for fault in [Fault::RefusesUpgrades, Fault::SwallowsUpgrades] {
        proxy.fail(fault);
        let page = browser.open(&proxy.url("/lab.html")).await?;
        let figures = run(&page, 200, 3).await?;
        for name in ["sse", "long_poll", "poll"] {
            let age_ms = figures["age_p50_ms"][name];
            assert!((0.1..60_000.0).contains(&age_ms), "{name}: {age_ms} ms");
        }
        assert_eq!(figures["ticks"]["ws"], 0.0);
        let page = browser.open(&proxy.url("/guide.html")).await?;
        let told = "document.querySelector('#handshake-request').textContent.startsWith('This did not work')";
        page.until("the guide says so, too", told).await?;
    }
    browser.close().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_be_is_refused_and_a_lost_server_is_told() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    let browser = Browser::start(1200, 1000).await?;
    let server = TestServer::start(&[]).await?;
    let page = browser.open(&server.url("/lab.html")).await?;
    page.until("the lab is ready", "document.querySelector('.start')")
        .await?;
    let fault = "document.querySelector('.plan .fault').textContent";
    let symbols = "document.querySelector('.plan input[type=text]')";
    page.fill(symbols, "BTC-EURO").await?;
    page.click(".start").await?;
    page.until(
        "the server's own words",
        &format!("{fault}.includes(\"did you mean BTC-USD?\")"),
    )
    .await?;
    page.fill(symbols, "*").await?;
    page.click(".start").await?;
    page.until(
        "it runs",
        "document.querySelector('[data-measure=ticks] [data-value]')",
    )
    .await?;
    server.stop().await?;
    page.run("for (const button of document.querySelectorAll('.plan button')) if (button.textContent === 'Stop') button.click();")
        .await?;
    page.until(
        "it ends all the same",
        "!document.querySelector('.start').disabled",
    )
    .await?;
    let ticks = page
        .run("return Number(document.querySelector('[data-measure=ticks] [data-value]').dataset.value);")
        .await?;
    assert!(ticks.as_f64() > Some(0.0), "what was seen is kept");
    assert_eq!(page.run(&format!("return {fault};")).await?, "");
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_pace_saves_and_costs_is_measured_while_it_changes() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    let browser = Browser::start(1200, 1000).await?;
    let server = TestServer::start(&["--symbols=5", "--rate=200"]).await?;
    let page = browser.open(&server.url("/lab.html")).await?;
    let panel = "document.querySelector('[aria-label=Frequency]')";
    page.until("the lab is ready", panel).await?;
    // A second for each message.
    page.run(&format!(
        "const slider = {panel}.querySelector('input[type=range]'); slider.value = 5;\
         slider.dispatchEvent(new Event('input')); {panel}.querySelector('.start').click();\
         window.figure = (name, column) => Number({panel}.querySelectorAll(`[data-figure=${{name}}] td`)[column].dataset.value);"
    ))
    .await?;
    // Twice as many, whatever a busy machine makes of it.
    page.until(
        "less is told",
        "figure('messages', 0) > 2 * figure('messages', 1) && figure('messages', 1) > 0 && figure('messages', 1) < 3",
    )
    .await?;
    page.until(
        "and later",
        "figure('age_p50_ms', 1) - figure('age_p50_ms', 0) > 100",
    )
    .await?;
    assert_eq!(
        page.run("return [figure('missed', 0), figure('missed', 1), figure('skipped', 1)];")
            .await?,
        json!([0, 0, 0])
    );
    // The newest only: what is left out is counted.
    page.run(&format!(
        "{panel}.querySelector('input[type=checkbox]').click();"
    ))
    .await?;
    page.until(
        "some are left out",
        "figure('skipped', 1) > 10 && figure('skipped', 0) === 0",
    )
    .await?;
    page.until(
        "it is said",
        &format!("{panel}.querySelector('.outcome').textContent.endsWith('; 0 missed.')"),
    )
    .await?;
    for (size, name) in [
        ((1200, 1000), "lab-frequency"),
        ((400, 900), "lab-frequency-phone"),
    ] {
        browser.resize(size).await?;
        page.run(&format!("{panel}.scrollIntoView();")).await?;
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        page.save_picture(folder, name).await?;
    }
    browser.close().await?;
    server.stop().await
}
