//! Behind a real nginx: under a path, with a strict policy, and one that is set
//! up wrongly.

use std::collections::BTreeMap;

use anyhow::Context as _;
use e2e::{Browser, Page};
use shared::Channel;
use testkit::{Nginx, TestServer};

const README: &str = include_str!("../../../README.md");
/// What a careful person allows a page.
const POLICY: &str = "add_header Content-Security-Policy \"default-src 'self'; \
    script-src 'self' 'wasm-unsafe-eval'; style-src 'self'\" always;";

/// The block of nginx that the README has, for this server.
fn block(server: &TestServer) -> anyhow::Result<String> {
    let (_, rest) = README.split_once("```nginx\n").context("no nginx block")?;
    let (block, _) = rest.split_once("```").context("the block does not end")?;
    Ok(block.replace("127.0.0.1:8080", &server.address().to_string()))
}

async fn live_by(page: &Page, transport: &str) -> anyhow::Result<()> {
    page.choose(transport).await?;
    let used =
        format!("document.querySelector('[data-stat=transport]').dataset.value === '{transport}'");
    page.until(transport, &used).await?;
    page.until_live().await
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_path_and_a_strict_policy() -> anyhow::Result<()> {
    let server = TestServer::start(&["--seed", "7"]).await?;
    let nginx = Nginx::start(&format!("{POLICY}\n{}", block(&server)?)).await?;
    let browser = Browser::start(1440, 900).await?;
    let page = browser.open(&nginx.url("/tickwire/?interval=1s")).await?;
    page.until_live().await?;
    for transport in ["SSE", "Long polling", "Polling", "WebSocket"] {
        live_by(&page, transport).await?;
    }
    let drawn = "(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(b => b > 0))(document.querySelector('canvas.data'))";
    page.until("the chart is drawn", drawn).await?;
    // Every page leads to every other, below the same path.
    let links = "[...document.querySelectorAll('nav a')].map(link => link.href)";
    let links: Vec<String> = serde_json::from_value(page.run(&format!("return {links};")).await?)?;
    assert_eq!(links.len(), 4);
    for link in links {
        assert!(link.contains("/tickwire/"), "{link}");
        let page = browser.open(&link).await?;
        page.until(&link, "document.querySelector('main, section')")
            .await?;
        let styled = "getComputedStyle(document.querySelector('.top')).display === 'flex'";
        page.until("its styles are there", styled).await?;
    }
    let page = browser.open(&nginx.url("/tickwire/alerts.html")).await?;
    page.until(
        "the list of symbols",
        "document.querySelectorAll('#symbols option').length === 50",
    )
    .await?;
    let page = browser.open(&nginx.url("/tickwire/lab.html")).await?;
    let start = "document.querySelector('.start')";
    page.until("the lab is ready", &format!("{start} && !{start}.disabled"))
        .await?;
    let duration = "document.querySelectorAll('.plan input[type=number]')[1]";
    page.fill(duration, 1).await?;
    page.click(".start").await?;
    let count = Channel::ALL.len();
    let done = format!(
        "document.querySelectorAll('[data-measure=ticks] [data-value]').length === {count}"
    );
    page.until("a run of the lab", &format!("{done} && !{start}.disabled"))
        .await?;
    let docs = reqwest::get(nginx.url("/tickwire/api/docs/")).await?;
    assert!(docs.status().is_success());
    let errors = browser.console_errors().await?;
    assert!(errors.is_empty(), "{errors:#?}");
    browser.close().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_told_in_words() -> anyhow::Result<()> {
    let server = TestServer::start(&["--seed", "7"]).await?;
    let upstream = server.address();
    // It passes on that another page asks.
    let nginx = Nginx::start(&format!(
        "location / {{ proxy_pass http://{upstream}; proxy_http_version 1.1;\n\
         proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;\n\
         proxy_set_header Origin https://prices.example; }}"
    ))
    .await?;
    let browser = Browser::start(1440, 900).await?;
    let page = browser.open(&nginx.url("/")).await?;
    let state = "document.querySelector('[data-stat=state]')?.textContent";
    page.until(
        "why, and what to do",
        &format!("{state}?.includes('a page of https://prices.example may not do this') && {state}.includes('--allow-origin https://prices.example')"),
    )
    .await?;
    let transport = "return document.querySelector('[data-stat=transport]').dataset.value;";
    assert_eq!(
        page.run(transport).await?,
        "WebSocket",
        "no other one in silence"
    );
    // Chosen by a person, another one works: reading is allowed.
    live_by(&page, "SSE").await?;
    browser.close().await?;
    server.stop().await
}

#[tokio::test]
async fn files_come_as_small_as_the_browser_takes_them() -> anyhow::Result<()> {
    let server = TestServer::start(&[]).await?;
    let client = reqwest::Client::new();
    let mut sizes = BTreeMap::new();
    let mut tags = Vec::new();
    for (accepted, coding) in [
        ("gzip, deflate, br", Some("br")),
        // What browsers say to a plain server in a LAN.
        ("gzip, deflate", Some("gzip")),
        ("br;q=0", None),
    ] {
        let request = client.get(server.url("/frontend_bg.wasm"));
        let answer = request.header("accept-encoding", accepted).send().await?;
        let headers = answer.headers().clone();
        let found = headers.get("content-encoding").map(|value| value.to_str());
        assert_eq!(found.transpose()?, coding, "{accepted}");
        let tag = headers["etag"].to_str()?.to_owned();
        sizes.insert(coding, answer.bytes().await?.len());
        for known in [format!("\"x\", {tag}"), format!("W/{tag}")] {
            let request = client.get(server.url("/frontend_bg.wasm"));
            let request = request.header("accept-encoding", accepted);
            let again = request.header("if-none-match", known).send().await?;
            assert_eq!(again.status(), 304, "{accepted}");
        }
        let request = client.get(server.url("/frontend_bg.wasm"));
        let part = request.header("range", "bytes=0-3").send().await?;
        let found = (part.status().as_u16(), part.bytes().await?);
        assert_eq!(found, (206, "\0asm".into()), "{accepted}");
        tags.push(tag);
    }
    println!("{sizes:?}");
    assert!(sizes[&Some("br")] < sizes[&Some("gzip")]);
    assert!(2 * sizes[&Some("gzip")] < sizes[&None]);
    tags.dedup();
    assert_eq!(tags.len(), 3, "each form has its own tag: {tags:?}");
    server.stop().await
}
