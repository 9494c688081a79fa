//! A page that nobody looks at asks for less, and is whole when it is seen again.

use e2e::{Browser, Page};
use shared::{Channel, StatsAnswer, Transport, WireFormat, routes};
use testkit::TestServer;
use tokio::time::{Duration, Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_secs(2);
/// As often as a page is told that is seen: sixty messages a second, or what a
/// busy machine makes of it.
const MANY: u64 = 20;
/// One message a second, and one or the other answer.
const FEW: u64 = 6;

async fn messages(server: &TestServer) -> anyhow::Result<u64> {
    let url = server.url(&format!("/{}", routes::STATS));
    let stats: StatsAnswer = reqwest::get(url).await?.json().await?;
    let channel = Channel::new(Transport::WebSocket, WireFormat::Binary);
    Ok(stats.of(channel).map_or(0, |stats| stats.messages))
}

/// Waits until the page is told so many messages in one look.
async fn until(server: &TestServer, what: &str, wanted: fn(u64) -> bool) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let before = messages(server).await?;
        sleep(LOOK).await;
        let told = messages(server).await? - before;
        if wanted(told) {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < end, "{what}: {told} messages in {LOOK:?}");
    }
}

/// Says to the page that its tab is hidden, or is seen again.
async fn hide(page: &Page, is_hidden: bool) -> anyhow::Result<()> {
    let script = format!(
        "Object.defineProperty(document, 'hidden', {{ configurable: true, value: {is_hidden} }});\
         document.dispatchEvent(new Event('visibilitychange', {{ bubbles: true }}));"
    );
    page.run(&script).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_page_is_told_less_and_misses_nothing() -> anyhow::Result<()> {
    let browser = Browser::start(1200, 900).await?;
    let server = TestServer::start(&["--rate=500"]).await?;
    let page = browser.open(&server.url("/")).await?;
    page.until_live().await?;
    until(&server, "while it is seen", |told| told > MANY).await?;
    hide(&page, true).await?;
    until(&server, "while it is hidden", |told| told <= FEW).await?;
    hide(&page, false).await?;
    until(&server, "when it is seen again", |told| told > MANY).await?;
    for name in ["missed", "repeated"] {
        assert_eq!(page.stat(name).await?, Some(0.0), "{name}");
    }
    assert_eq!(page.stat("skipped").await?, None, "it asks for every tick");
    let encoding = "return document.querySelector('[data-stat=encoding]').dataset.value;";
    assert_eq!(page.run(encoding).await?, "binary");
    browser.close().await?;
    server.stop().await
}
