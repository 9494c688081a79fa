//! What goes wrong on the way: after each fault the page has what the server
//! has, and has missed nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::bail;
use e2e::{Browser, Page};
use serde_json::{Value, json};
use shared::Decimal;
use shared::{SnapshotAnswer, Transport};
use testkit::{Fault, Proxy, TestServer};
use tokio::time::{Instant, sleep};

/// Slow enough that the page and the server can be caught at the same tick.
const QUIET: [&str; 4] = ["--symbols", "5", "--rate", "10"];
const PATIENCE: Duration = Duration::from_secs(60);

struct Setting {
    server: TestServer,
    proxy: Proxy,
    browser: Browser,
    page: Page,
}

impl Setting {
    /// The page behind a proxy that fails in this way.
    async fn new(arguments: &[&str], fault: Fault) -> anyhow::Result<Self> {
        Self::at(arguments, fault, "/").await
    }

    /// The page at this address.
    async fn at(arguments: &[&str], fault: Fault, path: &str) -> anyhow::Result<Self> {
        let browser = Browser::start(1440, 900).await?;
        let server = TestServer::start(arguments).await?;
        let proxy = Proxy::start(server.address()).await?;
        proxy.fail(fault);
        let page = browser.open(&proxy.url(path)).await?;
        Ok(Self {
            server,
            proxy,
            browser,
            page,
        })
    }

    /// Nothing is lost, and the page shows where the server stands.
    async fn is_whole(&self) -> anyhow::Result<()> {
        until_equal(&self.page, &self.server).await?;
        let counts = (
            self.page.stat("missed").await?,
            self.page.stat("repeated").await?,
        );
        assert_eq!(counts, (Some(0.0), Some(0.0)), "missed and repeated");
        Ok(())
    }

    async fn close(self) -> anyhow::Result<()> {
        self.browser.close().await?;
        self.server.stop().await
    }
}

type Rows = BTreeMap<String, BTreeMap<String, Option<Decimal>>>;

/// Waits until the page's rows are the server's snapshot.
async fn until_equal(page: &Page, server: &TestServer) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let shown = rows(page).await?;
        let snapshot = reqwest::get(server.url("/api/snapshot")).await?;
        let snapshot: SnapshotAnswer = snapshot.json().await?;
        let known: Rows = snapshot
            .symbols
            .into_iter()
            .map(|state| {
                let numbers = [
                    ("last", state.last),
                    ("bid", state.bid),
                    ("ask", state.ask),
                    ("high", state.high),
                    ("low", state.low),
                    ("volume", Some(state.volume)),
                ];
                let numbers = numbers.map(|(name, number)| (name.to_owned(), number));
                (state.symbol, numbers.into())
            })
            .collect();
        if shown == known {
            return Ok(());
        }
        if Instant::now() > end {
            bail!("the page shows {shown:?}, the server stands at {known:?}");
        }
        sleep(Duration::from_millis(20)).await;
    }
}

async fn rows(page: &Page) -> anyhow::Result<Rows> {
    let shown = page
        .run(
            "return Object.fromEntries([...document.querySelectorAll('tr[data-symbol]')].map(row => [row.dataset.symbol,\
                 Object.fromEntries(['last', 'bid', 'ask', 'high', 'low', 'volume'].map(name =>\
                     [name, row.querySelector(`[data-col=${name}]`)?.dataset.value ?? null]))]));",
        )
        .await?;
    Ok(serde_json::from_value(shown)?)
}

fn transport_is(name: &str) -> String {
    format!("document.querySelector('[data-stat=transport]')?.dataset.value === '{name}'")
}

const WORDS: &str = "document.querySelector('[data-stat=state]').textContent";

/// Auto goes down to the next transport, says why, and comes back.
async fn falls_and_climbs(fault: Fault) -> anyhow::Result<()> {
    let setting = Setting::new(&QUIET, fault).await?;
    let page = &setting.page;
    page.until("events instead of a WebSocket", &transport_is("SSE"))
        .await?;
    page.until_live().await?;
    let reason = format!("{WORDS}.endsWith('; WebSocket does not get through')");
    page.until("the reason in words", &reason).await?;
    setting.is_whole().await?;
    setting.proxy.fail(Fault::None);
    page.until("the WebSocket again", &transport_is("WebSocket"))
        .await?;
    page.until("no reason any more", &format!("!{WORDS}.includes(';')"))
        .await?;
    setting.is_whole().await?;
    setting.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrades_are_refused() -> anyhow::Result<()> {
    falls_and_climbs(Fault::RefusesUpgrades).await
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrades_are_swallowed() -> anyhow::Result<()> {
    falls_and_climbs(Fault::SwallowsUpgrades).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_is_cut_for_a_minute() -> anyhow::Result<()> {
    let setting = Setting::new(&QUIET, Fault::None).await?;
    setting.page.until_live().await?;
    setting.proxy.fail(Fault::Cuts);
    sleep(Duration::from_secs(60)).await;
    setting.proxy.fail(Fault::None);
    setting.page.until_live().await?;
    setting.is_whole().await?;
    let reconnects = setting.page.stat("reconnects").await?;
    assert!(reconnects > Some(1.0), "{reconnects:?} reconnects");
    setting.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_arrive_one_by_one() -> anyhow::Result<()> {
    let setting = Setting::new(&QUIET, Fault::OneByteAtATime).await?;
    setting.page.until_live().await?;
    for transport in ["WebSocket", "SSE", "Long polling", "Polling"] {
        setting.page.choose(transport).await?;
        setting
            .page
            .until(transport, &transport_is(transport))
            .await?;
        setting.is_whole().await?;
    }
    setting.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_takes_over() -> anyhow::Result<()> {
    let browser = Browser::start(1440, 900).await?;
    let server = TestServer::start(&QUIET).await?;
    let address = server.address();
    let page = browser.open(&server.url("/")).await?;
    let count = json!({ "source":
        "window.snapshots = 0; const Plain = WebSocket;\
         window.WebSocket = class extends Plain { constructor(...all) { super(...all);\
             this.addEventListener('message', event =>\
                 window.snapshots += new TextDecoder().decode(event.data).includes('{\"event\":\"snapshot\"')); } };" });
    page.devtools("Page.addScriptToEvaluateOnNewDocument", count)
        .await?;
    let page = browser.open(&server.url("/")).await?;
    page.until_live().await?;
    assert_eq!(page.run("return window.snapshots;").await?, 1);
    server.stop().await?;
    page.until(
        "it is told",
        "document.querySelector('[data-stat=state]').dataset.value === 'reconnecting'",
    )
    .await?;
    let arguments = ["--symbols", "BTC-USD,ETH-USD,AAPL", "--rate", "10"];
    let server = TestServer::start_on(address, &arguments).await?;
    until_equal(&page, &server).await?;
    assert_eq!(
        page.run("return window.snapshots;").await?,
        2,
        "one of each"
    );
    let counts: Value = json!([page.stat("missed").await?, page.stat("repeated").await?]);
    assert_eq!(counts, json!([0.0, 0.0]), "missed and repeated");
    browser.close().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_hangs_is_dead() -> anyhow::Result<()> {
    for transport in Transport::ALL {
        let setting = Setting::at(&QUIET, Fault::None, &format!("/?transport={transport}")).await?;
        setting.page.until_live().await?;
        setting.proxy.hang();
        // Two heartbeats later it is given up.
        let again = "document.querySelector('[data-stat=reconnects]').dataset.value === '1'";
        setting.page.until("it is made anew", again).await?;
        setting.page.until_live().await?;
        setting.is_whole().await?;
        setting.close().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_goes_on_while_a_client_sleeps() -> anyhow::Result<()> {
    let browser = Browser::start(1440, 900).await?;
    // Five hundred days in ten seconds are more trades than the log holds.
    let feed = format!(
        "replay:{}/../samples/sp500-daily.csv",
        env!("CARGO_MANIFEST_DIR")
    );
    let arguments = ["--feed", &feed, "--speed", "50", "--log-capacity", "1024"];
    let server = TestServer::start(&arguments).await?;
    let page = browser.open(&server.url("/lab.html")).await?;
    let count = json!({ "source":
        "window.lagged = 0; const plain = window.fetch;\
         window.fetch = async (...all) => { const answer = await plain(...all);\
             if (!answer.url.includes('/api/')) return answer;\
             const body = await answer.arrayBuffer();\
             window.lagged += new TextDecoder().decode(body).includes('\"reason\":\"lagged\"');\
             return new Response(body, answer); };" });
    page.devtools("Page.addScriptToEvaluateOnNewDocument", count)
        .await?;
    // It asks every ten seconds.
    let page = browser
        .open(&server.url("/?transport=poll&poll=10000"))
        .await?;
    page.until(
        "the end",
        "document.querySelector('[data-stat=state]')?.dataset.value === 'ended'",
    )
    .await?;
    until_equal(&page, &server).await?;
    let lagged = page.run("return window.lagged;").await?;
    assert!(lagged.as_u64() > Some(0), "it never lagged");
    let counts = (page.stat("missed").await?, page.stat("repeated").await?);
    assert_eq!(counts, (Some(0.0), Some(0.0)), "missed and repeated");
    browser.close().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_online_again_does_not_wait() -> anyhow::Result<()> {
    let browser = Browser::start(1440, 900).await?;
    let server = TestServer::start(&QUIET).await?;
    let address = server.address();
    let page = browser.open(&server.url("/")).await?;
    page.until_live().await?;
    server.stop().await?;
    page.until(
        "it is told",
        "document.querySelector('[data-stat=state]').dataset.value === 'reconnecting'",
    )
    .await?;
    // From here on the page's own clocks stand still: it never tries by itself.
    page.run("for (let id = 0; id < 100000; id++) clearTimeout(id); window.setTimeout = () => 0;")
        .await?;
    let server = TestServer::start_on(address, &QUIET).await?;
    page.run("window.dispatchEvent(new Event('online'));")
        .await?;
    until_equal(&page, &server).await?;
    browser.close().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_slept_is_whole_again() -> anyhow::Result<()> {
    let arguments = ["--symbols", "5", "--rate", "400", "--log-capacity", "1024"];
    let setting = Setting::at(&arguments, Fault::None, "/lab.html").await?;
    let count = json!({ "source":
        "window.messages = 0; const Plain = WebSocket;\
         window.WebSocket = class extends Plain { constructor(...all) { super(...all);\
             this.addEventListener('message', () => window.messages += 1); } };" });
    setting
        .page
        .devtools("Page.addScriptToEvaluateOnNewDocument", count)
        .await?;
    let page = setting.browser.open(&setting.proxy.url("/")).await?;
    page.until_live().await?;
    let state = |state: &str| json!({ "state": state });
    page.devtools("Page.setWebLifecycleState", state("frozen"))
        .await?;
    let messages = "return window.messages;";
    let before = page.run(messages).await?;
    // Longer than the log reaches back, and than two heartbeats. The browser
    // itself may keep what arrives meanwhile.
    sleep(Duration::from_secs(12)).await;
    assert_eq!(page.run(messages).await?, before, "it sleeps");
    page.devtools("Page.setWebLifecycleState", state("active"))
        .await?;
    // It stays hidden until then.
    let focus = json!({ "enabled": true });
    page.devtools("Emulation.setFocusEmulationEnabled", focus)
        .await?;
    page.until("it is seen", "document.visibilityState === 'visible'")
        .await?;
    page.until_live().await?;
    let volume =
        "document.querySelector('tr[data-symbol=BTC-USD] [data-col=volume]').dataset.value";
    let server = reqwest::get(setting.server.url("/api/snapshot?symbols=BTC-USD")).await?;
    let server: SnapshotAnswer = server.json().await?;
    let reached = format!("Number({volume}) >= {}", server.symbols[0].volume);
    page.until("it has what happened meanwhile", &reached)
        .await?;
    let counts = (page.stat("missed").await?, page.stat("repeated").await?);
    assert_eq!(counts, (Some(0.0), Some(0.0)), "missed and repeated");
    setting.close().await
}
