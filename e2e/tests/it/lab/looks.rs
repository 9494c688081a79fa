//! How the lab and the guide look.

use e2e::{Browser, Page};
use serde_json::json;
use testkit::TestServer;

use super::{ALONE, run};

/// A picture of it, no fault of accessibility, and nothing that sticks out.
async fn check_looks(page: &Page, name: &str) -> anyhow::Result<()> {
    page.save_picture(env!("CARGO_TARGET_TMPDIR").as_ref(), name)
        .await?;
    let faults = page.accessibility_faults().await?;
    assert!(faults.is_empty(), "{name}: {faults:#?}");
    let overflow = "return document.documentElement.scrollWidth - window.innerWidth;";
    assert!(page.run(overflow).await?.as_i64() <= Some(0), "{name}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn lab_and_guide_look_well() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    let server = TestServer::start(&[]).await?;
    let browser = Browser::start(1200, 1000).await?;
    let page = browser.open(&server.url("/lab.html")).await?;
    run(&page, 200, 2).await?;
    check_looks(&page, "lab").await?;
    page.click("button[aria-label=Theme]").await?;
    page.run("document.querySelector('.results').scrollIntoView();")
        .await?;
    check_looks(&page, "lab-other-theme").await?;
    let page = browser.open(&server.url("/guide.html")).await?;
    let filled = "document.querySelector('#handshake-answer').textContent.length > 9";
    page.until("the guide is alive", filled).await?;
    check_looks(&page, "guide").await?;
    browser.close().await?;
    let phone = Browser::start_phone(360, 740).await?;
    let page = phone.open(&server.url("/lab.html")).await?;
    run(&page, 200, 1).await?;
    check_looks(&page, "lab-phone").await?;
    let page = phone.open(&server.url("/guide.html")).await?;
    page.until("the guide is alive", filled).await?;
    check_looks(&page, "guide-phone").await?;
    phone.close().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_shows_this_pages_own_bytes() -> anyhow::Result<()> {
    let _alone = ALONE.lock().await;
    let browser = Browser::start(1200, 1000).await?;
    let server = TestServer::start(&[]).await?;
    let page = browser.open(&server.url("/guide.html")).await?;
    let host = server.address().to_string();
    let text = |id: &str| format!("document.querySelector('#{id}').textContent");
    for (id, wanted) in [
        ("echo", format!("host: {host}\r\n")),
        ("poll-answer", r#""events":[]}"#.to_owned()),
        ("handshake-request", "upgrade: websocket\r\n".to_owned()),
        (
            "handshake-answer",
            "HTTP/1.1 101 Switching Protocols\r\n".to_owned(),
        ),
        ("frames", r#"{"event":"hello""#.to_owned()),
    ] {
        let shown = format!("{}.includes({})", text(id), json!(wanted));
        page.until(id, &shown).await?;
    }
    page.click("#subscribe").await?;
    let answered = format!(r#"{}.includes('"symbols":["BTC-USD"]')"#, text("reply"));
    page.until("the answer to a command", &answered).await?;
    let prices = format!(r#"{}.includes('{{"event":"ticks"')"#, text("frames"));
    page.until("prices come by themselves", &prices).await?;
    browser.close().await?;
    server.stop().await
}
