//! The past of symbols: at the start, after a restart, and after a long absence.

use std::time::Duration;

use anyhow::ensure;
use shared::{Interval, Span};
use testkit::{Deal, MockVenue, Protocol, Truth};

use super::watch::Watch;
use super::{chance, each, now, until, venue};

/// Checks that the candles are the venue's own. It has none of seconds: those are made
/// of trades that were sent.
async fn check_candles(watch: &Watch, venue: &MockVenue) -> anyhow::Result<()> {
    let symbol = venue.protocol().symbol("BTC");
    let truth = venue.with_truth(Truth::clone);
    for interval in &Interval::ALL[Interval::M1 as usize..] {
        let count = watch
            .check_candles(&symbol, "BTC", *interval, &truth)
            .await?;
        ensure!(count > 0, "{interval}");
    }
    Ok(())
}

async fn begins(watch: &mut Watch, venue: &MockVenue) -> anyhow::Result<()> {
    let symbol = venue.protocol().symbol("BTC");
    let begun = |watch: &Watch| watch.states.contains_key(&symbol);
    watch.until("it has begun", begun).await?;
    until("it is connected", || venue.listeners("BTC") > 0).await
}

/// What happened while the server was down is in its candles, once, also where it was
/// down for less than a minute; and a trade that came during the start is not lost.
async fn after_a_restart_candles_are_those_of_the_venue_at(
    protocol: Protocol,
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let store = folder.path().join("store.db");
    let more = ["--store", store.to_str().unwrap_or_default()];
    let venue = venue(protocol, &["BTC"]).await?;
    let symbol = protocol.symbol("BTC");
    let mut random = chance(6);
    for round in 0..3 {
        let mut watch = Watch::start(&[&venue], &more).await?;
        begins(&mut watch, &venue).await?;
        for _ in 0..20 {
            venue.trade("BTC", Deal::at(now(), &mut random));
        }
        let newest = venue.with_truth(|truth| truth.newest("BTC"));
        watch
            .until("all is there", |watch| watch.newest(&symbol) == newest)
            .await?;
        let truth = venue.with_truth(|truth| truth.deals("BTC").to_vec());
        watch.check_trades(&symbol, &truth)?;
        let told = format!("{protocol:?}, round {round}");
        check_candles(&watch, &venue)
            .await
            .map_err(|error| error.context(told))?;
        watch.stop().await?;
        for _ in 0..10 {
            venue.happen("BTC", Deal::at(now(), &mut random));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_candles_are_those_of_the_venue() -> anyhow::Result<()> {
    each(after_a_restart_candles_are_those_of_the_venue_at).await
}

/// Of a market in which nothing happens, all is known but nothing is sent; the next
/// trade is the next.
async fn a_market_in_which_nothing_happens_at(protocol: Protocol) -> anyhow::Result<()> {
    let long_ago = now() - Span::HOUR * 3;
    let truth = Truth::with_past(&["BTC"], 30, long_ago, &mut chance(8));
    let venue = MockVenue::start(protocol, truth).await?;
    let mut watch = Watch::start(&[&venue], &[]).await?;
    begins(&mut watch, &venue).await?;
    check_candles(&watch, &venue).await?;
    // One is lost, the next comes.
    venue.happen("BTC", Deal::at(now(), &mut chance(1)));
    let newest = venue.trade("BTC", Deal::at(now(), &mut chance(2))).id;
    let symbol = protocol.symbol("BTC");
    watch
        .until("all is there", |watch| watch.newest(&symbol) == newest)
        .await?;
    check_candles(&watch, &venue).await?;
    watch.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_in_which_nothing_happens() -> anyhow::Result<()> {
    each(a_market_in_which_nothing_happens_at).await
}

/// A venue's own candles may be behind, and the newest of them incomplete.
async fn candles_that_are_late_are_made_of_trades_at(protocol: Protocol) -> anyhow::Result<()> {
    let venue = venue(protocol, &["BTC"]).await?;
    venue.fail(|faults| faults.candles_late_minutes = 7);
    let mut watch = Watch::start(&[&venue], &[]).await?;
    begins(&mut watch, &venue).await?;
    // Older ones are fetched when they are asked for: these are on time.
    venue.fail(|faults| faults.candles_late_minutes = 0);
    let told = format!("{protocol:?}");
    check_candles(&watch, &venue)
        .await
        .map_err(|error| error.context(told))?;
    watch.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn candles_that_are_late_are_made_of_trades() -> anyhow::Result<()> {
    each(candles_that_are_late_are_made_of_trades_at).await
}

/// If very many trades were missed, candles take their place, and they count as
/// missed.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_long_absence_candles_take_the_place_of_trades() -> anyhow::Result<()> {
    const MISSED: u64 = 25_000;
    let venue = venue(Protocol::Kraken, &["BTC"]).await?;
    let mut watch = Watch::start(&[&venue], &[]).await?;
    begins(&mut watch, &venue).await?;
    venue.trade("BTC", Deal::at(now(), &mut chance(1)));
    venue.fail(|faults| faults.status = Some(503));
    venue.cut();
    let mut random = chance(2);
    let start = now();
    let later = |ms: u64| start + Span::from_micros(1_000 * ms as i64);
    for index in 0..MISSED {
        venue.happen("BTC", Deal::at(later(index), &mut random));
    }
    venue.fail(|faults| faults.status = None);
    until("it is connected again", || venue.listeners("BTC") > 0).await?;
    // Those within the second of the last one that was shown are in candles only.
    let (mut newest, mut ms) = (u64::MAX, MISSED);
    while watch.newest("BTC-USD") < newest {
        ms += 300;
        newest = venue.trade("BTC", Deal::at(later(ms), &mut random)).id;
        watch.for_a_while(Duration::from_millis(300)).await?;
    }
    watch
        .until("it is told", |watch| {
            let venue = watch.venue("kraken");
            venue.is_some_and(|venue| venue.missed + venue.filled >= MISSED)
        })
        .await?;
    check_candles(&watch, &venue).await?;
    watch.stop().await
}
