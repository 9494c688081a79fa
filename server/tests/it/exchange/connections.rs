//! Connections that are lost, silent, renewed, or never made.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use shared::FeedState;
use testkit::{Deal, MockVenue, Protocol};

use super::watch::Watch;
use super::{chance, each, now, until, venue};

fn is_live(watch: &Watch) -> bool {
    watch
        .statuses
        .last()
        .is_some_and(|status| status.state == FeedState::Live)
}

/// A server that follows this venue, with its past and live.
async fn live(venue: &MockVenue) -> anyhow::Result<Watch> {
    let mut watch = Watch::start(&[venue], &[]).await?;
    let symbol = venue.protocol().symbol("BTC");
    watch
        .until("it has a past", |watch| watch.states.contains_key(&symbol))
        .await?;
    watch.until("it is live", is_live).await?;
    Ok(watch)
}

/// A socket that answers pings, and sends nothing else, is given up.
async fn is_given_up_when_silent(protocol: Protocol) -> anyhow::Result<()> {
    let venue = venue(protocol, &["BTC"]).await?;
    let mut watch = Watch::start(&[&venue], &[]).await?;
    watch.until("it is live", is_live).await?;
    venue.fail(|faults| faults.is_silent = true);
    watch
        .until("it is given up", |watch| !is_live(watch))
        .await?;
    let detail = &watch.statuses.last().context("no status")?.detail;
    ensure!(detail.contains("silent for"), "{detail}");
    // A subscription that is acknowledged, and sends nothing, is none.
    until("it has connected again", || venue.seen().connections >= 2).await?;
    let before = watch.statuses.len();
    watch
        .until("it is given up again", |watch| {
            let mut later = watch.statuses[before..].iter();
            later.any(|status| status.detail.contains("no price came within"))
        })
        .await?;
    venue.fail(|faults| faults.is_silent = false);
    watch.until("it is live again", is_live).await?;
    watch.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_is_given_up() -> anyhow::Result<()> {
    let (kraken, coinbase) = tokio::join!(
        is_given_up_when_silent(Protocol::Kraken),
        is_given_up_when_silent(Protocol::Coinbase),
    );
    kraken.and(coinbase)
}

/// Heartbeats keep a quiet market's connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_market_is_not_silent() -> anyhow::Result<()> {
    let venue = venue(Protocol::Kraken, &["BTC"]).await?;
    let mut watch = Watch::start(&[&venue], &[]).await?;
    watch.until("it is live", is_live).await?;
    for _ in 0..24 {
        venue.send_heartbeats();
        watch.for_a_while(Duration::from_millis(500)).await?;
    }
    ensure!(
        is_live(&watch) && venue.seen().connections == 1,
        "{:?}",
        venue.seen()
    );
    watch.stop().await
}

/// A server that accepts and hangs up is not asked again and again.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_is_left_alone_for_a_while() -> anyhow::Result<()> {
    let venue = venue(Protocol::Coinbase, &["BTC"]).await?;
    venue.fail(|faults| faults.hangs_up = true);
    let mut watch = Watch::start(&[&venue], &[]).await?;
    watch.for_a_while(Duration::from_secs(6)).await?;
    // After a second at most, two, and four.
    let connections = venue.seen().connections;
    ensure!((2..=5).contains(&connections), "{connections}");
    let retries = watch.statuses.iter().filter_map(|status| status.retry_ms);
    let retries: Vec<_> = retries.filter(|wait| *wait > 0).collect();
    // Each is at least half of twice the one before at most.
    let grows = retries.iter().max() > retries.iter().min();
    ensure!(retries.len() >= 2 && grows, "{retries:?}");
    venue.fail(|faults| faults.hangs_up = false);
    watch.until("it is live", is_live).await?;
    watch.stop().await
}

/// A venue that says that it will close is connected to before it does.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_connection_is_there_before_the_old_one_goes() -> anyhow::Result<()> {
    let venue = venue(Protocol::Binance, &["BTC"]).await?;
    let mut watch = live(&venue).await?;
    let statuses = watch.statuses.len();
    venue.send_closing();
    let mut random = chance(2);
    until("the second is subscribed", || {
        venue.trade("BTC", Deal::at(now(), &mut random));
        venue.listeners("BTC") == 2
    })
    .await?;
    // Its first price takes the place of the first connection, which is closed soon.
    venue.trade("BTC", Deal::at(now(), &mut random));
    until("the first is closed", || venue.listeners("BTC") == 1).await?;
    let newest = venue.trade("BTC", Deal::at(now(), &mut random)).id;
    watch
        .until("all is there", |watch| watch.newest("BTC-USDT") == newest)
        .await?;
    let truth = venue.with_truth(|truth| truth.deals("BTC").to_vec());
    watch.check_trades("BTC-USDT", &truth)?;
    let later = &watch.statuses[statuses..];
    ensure!(
        later.iter().all(|status| status.state == FeedState::Live),
        "{later:?}"
    );
    ensure!(venue.seen().connections == 2, "{:?}", venue.seen());
    watch.stop().await
}

/// Whatever a venue sends, its prices go on.
async fn garbage_is_left_out_at(protocol: Protocol) -> anyhow::Result<()> {
    let venue = venue(protocol, &["BTC"]).await?;
    venue.fail(|faults| faults.is_early = true);
    let mut watch = Watch::start(&[&venue], &[]).await?;
    let symbol = protocol.symbol("BTC");
    watch
        .until("it has begun", |watch| watch.states.contains_key(&symbol))
        .await?;
    for text in [
        "",
        "{",
        "[]",
        "null",
        "\"x\"",
        "{\"channel\":\"trade\",\"data\":[{}]}",
    ] {
        venue.send_text(text);
    }
    venue.send_unknown();
    let newest = venue.trade("BTC", Deal::at(now(), &mut chance(1))).id;
    watch
        .until("prices go on", |watch| watch.newest(&symbol) == newest)
        .await?;
    ensure!(venue.seen().connections == 1, "{:?}", venue.seen());
    watch.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_left_out() -> anyhow::Result<()> {
    each(garbage_is_left_out_at).await
}

/// Nothing happens in a market of a venue that says nothing then: its past is there,
/// and its connection is kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_venue_that_says_nothing_is_not_lost() -> anyhow::Result<()> {
    let venue = venue(Protocol::Binance, &["BTC"]).await?;
    let mut watch = live(&venue).await?;
    // Longer than the time for a first price.
    watch.for_a_while(Duration::from_secs(22)).await?;
    ensure!(
        is_live(&watch) && venue.seen().connections == 1,
        "{:?}",
        watch.statuses
    );
    watch.stop().await
}

/// A venue that sends everything but the trades is found out.
#[tokio::test(flavor = "multi_thread")]
async fn a_venue_that_forgets_the_trades_is_found_out() -> anyhow::Result<()> {
    let venue = venue(Protocol::Binance, &["BTC"]).await?;
    let mut watch = live(&venue).await?;
    venue.fail(|faults| faults.forgets_trades = true);
    let mut random = chance(1);
    // After a minute it is looked whether there are trades.
    let found_out = |watch: &Watch| {
        let mut statuses = watch.statuses.iter();
        statuses.any(|status| {
            status
                .detail
                .contains("did not send the trades of BTC-USDT")
        })
    };
    while !found_out(&watch) {
        venue.trade("BTC", Deal::at(now(), &mut random));
        watch.for_a_while(Duration::from_millis(500)).await?;
        ensure!(watch.statuses.len() < 50, "{:?}", watch.statuses);
    }
    venue.fail(|faults| faults.forgets_trades = false);
    watch.until("it is live again", is_live).await?;
    let newest = venue.trade("BTC", Deal::at(now(), &mut random)).id;
    watch
        .until("all is there", |watch| watch.newest("BTC-USDT") == newest)
        .await?;
    let truth = venue.with_truth(|truth| truth.deals("BTC").to_vec());
    watch.check_trades("BTC-USDT", &truth)?;
    watch.stop().await
}
