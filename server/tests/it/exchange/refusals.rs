//! What a venue refuses: symbols, calls, and whole locations.

use anyhow::{Context as _, ensure};
use shared::FeedState;
use testkit::{Deal, MockVenue, Protocol, TestServer, Truth};

use super::watch::{Watch, arguments};
use super::{chance, each, now, venue};

/// One symbol that is refused does not stop the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_symbol_does_not_stop_the_others() -> anyhow::Result<()> {
    for protocol in [Protocol::Kraken, Protocol::Coinbase] {
        let venue = venue(protocol, &["BTC", "ETH"]).await?;
        venue.fail(|faults| _ = faults.refused.insert("BTC".to_owned()));
        let wanted = "BTC-USD,ETH-USD,ETHH-USD";
        let mut watch = Watch::start(&[&venue], &["--symbols", wanted]).await?;
        watch
            .until("the other has begun", |watch| {
                watch.states.contains_key("ETH-USD")
            })
            .await?;
        let newest = venue.trade("ETH", Deal::at(now(), &mut chance(1))).id;
        watch
            .until("the other goes on", |watch| {
                watch.newest("ETH-USD") == newest
            })
            .await?;
        watch
            .until("the refusal is told", |watch| {
                let venue = watch.venue(protocol.name());
                venue.is_some_and(|venue| venue.detail.contains("it refuses BTC-USD: "))
            })
            .await?;
        let told = watch.statuses.iter().any(|status| {
            status
                .detail
                .contains("it has no ETHH-USD; the nearest is ETH-USD")
        });
        ensure!(told, "{:?}", watch.statuses);
        watch.stop().await?;
    }
    Ok(())
}

/// A wish for fewer calls is obeyed by all who have something to ask.
async fn a_wish_for_fewer_calls_is_obeyed_at(protocol: Protocol) -> anyhow::Result<()> {
    let bases = ["BTC", "ETH", "SOL", "XRP", "ADA", "LTC"];
    let venue = venue(protocol, &bases).await?;
    let mut watch = Watch::start(&[&venue], &[]).await?;
    venue.fail(|faults| faults.limited_calls = 3);
    watch
        .until("all have begun", |watch| watch.states.len() == bases.len())
        .await?;
    let seen = venue.seen();
    ensure!(
        seen.calls_refused == 3 && seen.calls_too_early == 0,
        "{seen:?}"
    );
    watch.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_for_fewer_calls_is_obeyed() -> anyhow::Result<()> {
    each(a_wish_for_fewer_calls_is_obeyed_at).await
}

/// A venue that refuses a location says so, at the start and later.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_location_is_told() -> anyhow::Result<()> {
    let venue = venue(Protocol::Binance, &["BTC"]).await?;
    let mut watch = Watch::start(&[&venue], &[]).await?;
    watch
        .until("it is live", |watch| {
            watch
                .statuses
                .last()
                .is_some_and(|status| status.state == FeedState::Live)
        })
        .await?;
    venue.fail(|faults| faults.status = Some(451));
    venue.close(1012);
    watch
        .until("it is told", |watch| {
            let venue = watch.venue("binance");
            venue.is_some_and(|venue| venue.detail == "it refuses this location (HTTP 451)")
        })
        .await?;
    let closed = watch
        .statuses
        .iter()
        .any(|status| status.detail == "binance: it closed the connection (1012, as told)");
    ensure!(closed, "{:?}", watch.statuses);
    watch.stop().await?;
    let arguments = arguments(&[&venue]);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let refused = TestServer::start(&arguments).await.err();
    let refused = refused.context("it has started")?.to_string();
    ensure!(
        refused == "--feed binance: it refuses this location (HTTP 451)",
        "{refused}"
    );
    Ok(())
}

/// A trade that the venue itself has lost is counted, and the rest goes on.
async fn what_nobody_has_is_counted_at(protocol: Protocol) -> anyhow::Result<()> {
    let venue = venue(protocol, &["BTC"]).await?;
    let mut watch = Watch::start(&[&venue], &[]).await?;
    let symbol = protocol.symbol("BTC");
    watch
        .until("it has begun", |watch| watch.states.contains_key(&symbol))
        .await?;
    venue.lose("BTC", 3);
    let newest = venue.trade("BTC", Deal::at(now(), &mut chance(1))).id;
    watch
        .until("the rest goes on", |watch| watch.newest(&symbol) == newest)
        .await?;
    watch
        .until("it is told", |watch| {
            let venue = watch.venue(protocol.name());
            venue.is_some_and(|venue| venue.missed == 3)
        })
        .await?;
    watch.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_is_counted() -> anyhow::Result<()> {
    each(what_nobody_has_is_counted_at).await
}

/// All venues have to answer at the start: without one of them, symbols would have
/// other names.
#[tokio::test(flavor = "multi_thread")]
async fn an_absent_venue_is_told_at_the_start() -> anyhow::Result<()> {
    let kraken = venue(Protocol::Kraken, &["BTC"]).await?;
    let coinbase = MockVenue::start(Protocol::Coinbase, Truth::default()).await?;
    coinbase.fail(|faults| faults.status = Some(403));
    let arguments = arguments(&[&kraken, &coinbase]);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let refused = TestServer::start(&arguments).await.err();
    let refused = refused.context("it has started")?.to_string();
    ensure!(
        refused == "--feed coinbase: it refuses this location (HTTP 403)",
        "{refused}"
    );
    Ok(())
}

/// A venue that has none of the symbols is not connected to, and says what it has.
#[tokio::test(flavor = "multi_thread")]
async fn a_venue_without_symbols_says_so() -> anyhow::Result<()> {
    let kraken = venue(Protocol::Kraken, &["BTC"]).await?;
    let binance = venue(Protocol::Binance, &["BTC"]).await?;
    let wanted = ["--symbols", "BTC-USD"];
    let mut watch = Watch::start(&[&kraken, &binance], &wanted).await?;
    watch
        .until("one is live", |watch| {
            watch
                .statuses
                .last()
                .is_some_and(|status| status.state == FeedState::Live)
        })
        .await?;
    let other = watch.venue("binance").context("no status")?;
    let expect = "it has no BTC-USD; the nearest is BTC-USDT";
    ensure!(
        other.state == FeedState::Ended && other.detail == expect,
        "{other:?}"
    );
    ensure!(binance.seen().connections == 0);
    watch.stop().await
}
