//! What a person needs of the page, in each of three engines: what is seen, each
//! transport, alerts, the lab, both themes, a narrow window, the clock, a replay.

mod clock;
mod lab;
mod markets;
mod replay;

use e2e::{Browser, Engine, Page};
use testkit::TestServer;

const TRANSPORTS: [&str; 4] = ["WebSocket", "SSE", "Long polling", "Polling"];
/// Where the pictures go: below cargo's own folder for tests.
const PICTURES: &str = env!("CARGO_TARGET_TMPDIR");

async fn save(page: &Page, engine: Engine, name: &str) -> anyhow::Result<()> {
    let name = format!("{name}-{engine:?}").to_lowercase();
    page.save_picture(PICTURES.as_ref(), &name).await
}

/// The whole set. One browser for all of it: to start one takes seconds.
async fn all_of(engine: Engine) -> anyhow::Result<()> {
    let browser = Browser::start_in(engine, 1440, 900).await?;
    let server = TestServer::start(&["--seed", "7", "--rate", "500"]).await?;
    markets::all_rows_and_a_chart(&browser, &server).await?;
    markets::each_transport(&browser, &server).await?;
    markets::an_alert_is_dragged(&browser).await?;
    markets::an_alert_fires(&browser, &server).await?;
    markets::both_themes(&browser, &server).await?;
    lab::a_run(&browser, &server).await?;
    clock::the_servers_time(&browser, &server).await?;
    markets::a_narrow_window(&browser, &server).await?;
    let errors = browser.console_errors().await?;
    assert!(errors.is_empty(), "{engine:?}: {errors:#?}");
    // Browsers log what the server refuses as errors, too.
    markets::what_a_link_names_and_there_is_not(&browser, &server).await?;
    // So is what a server says that begins again with another file.
    replay::moved_and_chosen(&browser).await?;
    browser.close().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn chromium() -> anyhow::Result<()> {
    all_of(Engine::Chromium).await
}

#[tokio::test(flavor = "multi_thread")]
async fn firefox() -> anyhow::Result<()> {
    all_of(Engine::Firefox).await
}

#[tokio::test(flavor = "multi_thread")]
async fn webkit() -> anyhow::Result<()> {
    all_of(Engine::WebKit).await
}
