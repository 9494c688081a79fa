//! Exchanges, followed live: mock venues over real ports, which lose, repeat and
//! reorder trades, are silent, refuse, close and cut.

mod connections;
mod past;
mod proxy;
mod refusals;
mod watch;

use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use shared::{Decimal, FeedState, Interval, Time};
use testkit::{Deal, MockVenue, Protocol, Truth};
use tokio::time::{Instant, sleep};

use self::watch::Watch;

/// The time now.
pub(crate) fn now() -> Time {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
    Time::from_micros(since.map_or(0, |since| since.as_micros() as i64))
}

pub(crate) fn chance(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A venue with these markets and a day of trades.
pub(crate) async fn venue(protocol: Protocol, bases: &[&str]) -> anyhow::Result<MockVenue> {
    let truth = Truth::with_past(bases, 26, now(), &mut chance(7));
    MockVenue::start(protocol, truth).await
}

/// Does this with all protocols at once: most of the time is waiting.
pub(crate) async fn each<F>(act: impl Fn(Protocol) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let all = Protocol::ALL.map(|protocol| {
        let acting = Box::pin(act(protocol));
        async move { acting.await.with_context(|| format!("{protocol:?}")) }
    });
    let [one, two, three] = all;
    tokio::try_join!(one, two, three)?;
    Ok(())
}

/// Waits until this is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) -> anyhow::Result<()> {
    let end = Instant::now() + Duration::from_secs(120);
    while !is_so() {
        ensure!(Instant::now() < end, "waited in vain until {what}");
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// Trades for so long, while trades are lost, repeated and reordered, and all
/// connections are cut now and then.
async fn trade_badly(venue: &MockVenue, bases: &[&str], seconds: u64, cut_every: u64) {
    let mut random = chance(11);
    let (end, mut cut) = (
        Instant::now() + Duration::from_secs(seconds),
        Instant::now() + Duration::from_secs(cut_every),
    );
    let mut late: Vec<(&str, Deal)> = Vec::new();
    while Instant::now() < end {
        for base in bases {
            let deal = Deal::at(now(), &mut random);
            let burst = if random.random_ratio(1, 5) { 3 } else { 1 };
            for _ in 0..burst {
                let deal = venue.happen(base, deal.clone());
                match random.random_range(0..100) {
                    0 => {}
                    1..4 => late.push((base, deal)),
                    4 => {
                        venue.send(base, &deal);
                        venue.send(base, &deal);
                    }
                    _ => venue.send(base, &deal),
                }
            }
        }
        if random.random_ratio(1, 3) {
            late.drain(..)
                .for_each(|(base, deal)| venue.send(base, &deal));
        }
        venue.send_heartbeats();
        if Instant::now() >= cut {
            cut = Instant::now() + Duration::from_secs(cut_every);
            venue.cut();
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// So many seconds of faults, and a cut so often.
fn how_long() -> (u64, u64) {
    let set = std::env::var("VENUE_SECONDS").ok();
    match set.and_then(|text| text.parse().ok()) {
        Some(seconds) => (seconds, 10),
        None => (5, 2),
    }
}

/// Each trade is in the log once, in order, and candles are the venue's own, whatever
/// is lost on the way.
async fn loses_nothing(protocol: Protocol) -> anyhow::Result<()> {
    let bases = ["BTC", "ETH"];
    let venue = venue(protocol, &bases).await?;
    let mut watch = Watch::start(&[&venue], &[]).await?;
    let (seconds, cut_every) = how_long();
    // Who does not read is cut off.
    let reading = watch.for_a_while(Duration::from_secs(seconds));
    tokio::join!(trade_badly(&venue, &bases, seconds, cut_every), reading).1?;
    // What was lost last is found by the next trade, or by a heartbeat.
    until("it is there again", || {
        bases.iter().all(|base| venue.listeners(base) > 0)
    })
    .await?;
    for base in bases {
        let deal = Deal::at(now(), &mut chance(5));
        let newest = venue.trade(base, deal).id;
        let symbol = protocol.symbol(base);
        watch
            .until("all is there", |watch| watch.newest(&symbol) == newest)
            .await?;
        let truth = venue.with_truth(|truth| truth.deals(base).to_vec());
        watch.check_trades(&symbol, &truth)?;
        let truth = venue.with_truth(Truth::clone);
        for interval in Interval::ALL {
            let count = watch.check_candles(&symbol, base, interval, &truth).await?;
            let least = match interval {
                Interval::S1 | Interval::S5 => 2,
                Interval::M1 => 250,
                Interval::M5 => 50,
                Interval::M15 | Interval::H1 => 15,
                Interval::D1 => 2,
            };
            ensure!(count >= least, "{interval}: {count}");
        }
    }
    let name = protocol.name();
    watch
        .until("the counts are told", |watch| {
            watch.venue(name).is_some_and(|status| status.filled > 0)
        })
        .await?;
    let status = watch.venue(name).context("no status")?;
    ensure!(status.missed == 0, "{status:?}");
    let metrics = watch.text("/metrics").await?;
    let line = format!("tickwire_venue_missed_total{{venue=\"{name}\"}} 0");
    ensure!(metrics.contains(&line), "{metrics}");
    watch.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn kraken_loses_nothing() -> anyhow::Result<()> {
    loses_nothing(Protocol::Kraken).await
}

#[tokio::test(flavor = "multi_thread")]
async fn coinbase_loses_nothing() -> anyhow::Result<()> {
    loses_nothing(Protocol::Coinbase).await
}

#[tokio::test(flavor = "multi_thread")]
async fn binance_loses_nothing() -> anyhow::Result<()> {
    loses_nothing(Protocol::Binance).await
}

/// The past is there before the first trade, and readers get the session so far.
async fn a_symbol_begins_with_its_past_at(protocol: Protocol) -> anyhow::Result<()> {
    let venue = venue(protocol, &["BTC"]).await?;
    let mut watch = Watch::start(&[&venue], &[]).await?;
    let symbol = protocol.symbol("BTC");
    watch
        .until("its state is told", |watch| {
            watch.states.contains_key(&symbol)
        })
        .await?;
    let state = &watch.states[&symbol];
    let days = venue.with_truth(|truth| truth.candles("BTC", Interval::D1));
    let [.., before, day] = days.as_slice() else {
        anyhow::bail!("{} days", days.len());
    };
    ensure!(state.previous == Some(before.prices[3]), "{state:?}");
    ensure!(state.open == Some(day.prices[0]), "{state:?} {day:?}");
    let instrument = watch.symbols().await?.remove(0);
    ensure!(instrument.source == protocol.name() && instrument.decimals == 2);
    ensure!(
        instrument.step == Some(Decimal::HUNDREDTH),
        "{instrument:?}"
    );
    // Older bars are fetched when they are asked for, as far as there are some.
    let minutes = watch.candles(&symbol, Interval::M1, "").await?;
    let truth = venue.with_truth(|truth| truth.candles("BTC", Interval::M1));
    let expect = match protocol {
        Protocol::Kraken => truth.len().min(720),
        Protocol::Coinbase | Protocol::Binance => truth.len(),
    };
    // The running minute may be a new one.
    ensure!(
        minutes.len().abs_diff(expect) <= 1,
        "{protocol:?}: {} for {expect}",
        minutes.len()
    );
    watch.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_begins_with_its_past() -> anyhow::Result<()> {
    each(a_symbol_begins_with_its_past_at).await
}

/// Symbols of two venues are side by side; one that is lost does not stop the other.
#[tokio::test(flavor = "multi_thread")]
async fn two_venues_side_by_side() -> anyhow::Result<()> {
    let kraken = venue(Protocol::Kraken, &["BTC", "ETH"]).await?;
    let coinbase = venue(Protocol::Coinbase, &["BTC", "SOL"]).await?;
    let mut watch = Watch::start(&[&kraken, &coinbase], &[]).await?;
    let symbols = watch.symbols().await?;
    let symbols: Vec<_> = symbols
        .iter()
        .map(|instrument| instrument.symbol.as_str())
        .collect();
    ensure!(
        symbols == ["BTC-USD@kraken", "BTC-USD@coinbase", "ETH-USD", "SOL-USD"],
        "{symbols:?}"
    );
    let is = |watch: &Watch, name: &str, state| {
        watch.venue(name).is_some_and(|venue| venue.state == state)
    };
    watch
        .until("both are live", |watch| {
            is(watch, "kraken", FeedState::Live) && is(watch, "coinbase", FeedState::Live)
        })
        .await?;
    kraken.fail(|faults| faults.status = Some(503));
    kraken.cut();
    watch
        .until("one is lost", |watch| {
            is(watch, "kraken", FeedState::Reconnecting)
        })
        .await?;
    let status = watch.statuses.last().context("no status")?;
    ensure!(
        status.state == FeedState::Live && status.detail.starts_with("kraken: "),
        "{status:?}"
    );
    let before = watch.ids("BTC-USD@coinbase").len();
    coinbase.trade("BTC", Deal::at(now(), &mut chance(3)));
    watch
        .until("the other goes on", |watch| {
            watch.ids("BTC-USD@coinbase").len() > before
        })
        .await?;
    kraken.fail(|faults| faults.status = None);
    kraken.happen("BTC", Deal::at(now(), &mut chance(4)));
    let newest = kraken.with_truth(|truth| truth.newest("BTC"));
    watch
        .until("it is there again, with what was missed", |watch| {
            is(watch, "kraken", FeedState::Live) && watch.newest("BTC-USD@kraken") == newest
        })
        .await?;
    watch.stop().await
}

/// A venue that floods is slowed down, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_taken_in_as_a_whole() -> anyhow::Result<()> {
    const TRADES: u64 = 40_000;
    let venue = venue(Protocol::Kraken, &["BTC"]).await?;
    let mut watch = Watch::start(&[&venue], &["--log-capacity", "200000"]).await?;
    watch
        .until("it has begun", |watch| watch.states.contains_key("BTC-USD"))
        .await?;
    let mut random = chance(9);
    let first = venue.with_truth(|truth| truth.newest("BTC"));
    for _ in 0..TRADES {
        venue.trade("BTC", Deal::at(now(), &mut random));
    }
    watch
        .until("all are there", |watch| {
            watch.newest("BTC-USD") == first + TRADES
        })
        .await?;
    let truth = venue.with_truth(|truth| truth.deals("BTC").to_vec());
    watch.check_trades("BTC-USD", &truth)?;
    watch.stop().await
}
