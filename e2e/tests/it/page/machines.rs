//! The page of one of several servers with the same prices.

use testkit::{Nats, TestServer};

use super::{close, nothing_lost, open, until_all_rows_moved};

const MARKET: [&str; 4] = ["--symbols", "8", "--rate", "400"];

fn node_is(pattern: &str) -> String {
    format!("/{pattern}/.test(document.querySelector('[data-stat=node]').textContent)")
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_it_says_which_server_it_is_of_and_what_it_waits_for() -> anyhow::Result<()> {
    let mut nats = Nats::start(1).await?;
    let log = nats.log();
    let shares = |name| [&MARKET[..], &["--log", &log, "--node", name]].concat();
    let first = TestServer::start(&shares("a")).await?;
    let (server, browser, page) = open(&shares("b")).await?;
    let after = node_is("^node b, [0-9.]+ ms after a");
    page.until("it follows", &after).await?;
    until_all_rows_moved(&page, "every price moves").await?;
    first.stop().await?;
    let leads = node_is("^node b, which leads$");
    page.until("it leads", &leads).await?;
    until_all_rows_moved(&page, "every price moves again").await?;
    nats.kill_all().await?;
    let state = "document.querySelector('[data-stat=state]').textContent";
    let waits = format!("{state}.includes('no prices: ')");
    page.until("it says what it waits for", &waits).await?;
    page.until("nobody leads", &node_is("^node b, no leader$"))
        .await?;
    nats.start_all().await?;
    page.until("it leads again", &leads).await?;
    page.until_live().await?;
    until_all_rows_moved(&page, "every price moves once more").await?;
    nothing_lost(&page).await?;
    let metrics = reqwest::get(server.url("/metrics")).await?.text().await?;
    let mut snapshots = metrics
        .lines()
        .filter(|line| line.starts_with("tickwire_snapshots_total{") && !line.ends_with(" 0"));
    assert!(
        snapshots.all(|line| line.contains("\"start\"")),
        "{metrics}"
    );
    close(server, browser).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_it_is_of_a_relay() -> anyhow::Result<()> {
    let market = TestServer::start(&MARKET).await?;
    let feed = format!("tickwire:ws://{}/ws", market.address());
    let (server, browser, page) = open(&["--feed", &feed]).await?;
    page.until("it says so", &node_is("^relay of ws:")).await?;
    until_all_rows_moved(&page, "every price moves").await?;
    close(server, browser).await
}
