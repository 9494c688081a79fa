//! A server that mirrors another one: the same log, under the same numbers.

mod watch;

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use shared::{
    Candle, CandlesAnswer, Cursor, FeedState, SnapshotAnswer, SnapshotReason, SymbolState,
    SymbolsAnswer, Transport,
};
use testkit::{Gate, Passage, TestServer};
use tokio::time::{Instant, sleep};

use self::watch::Watch;

/// Nothing takes longer than this, however slow the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

const MARKET: [&str; 8] = [
    "--symbols",
    "8",
    "--rate",
    "400",
    "--quotes",
    "1",
    "--seed",
    "7",
];

async fn relay_of(host: &str, more: &[&str]) -> anyhow::Result<TestServer> {
    let feed = format!("tickwire:ws://{host}/ws");
    let arguments = ["--feed", &feed].into_iter().chain(more.iter().copied());
    TestServer::start(&arguments.collect::<Vec<_>>()).await
}

async fn get<T: serde::de::DeserializeOwned>(server: &TestServer, path: &str) -> anyhow::Result<T> {
    let answer = reqwest::get(server.url(path)).await?;
    Ok(answer.error_for_status()?.json().await?)
}

/// Waits until a server has this entry.
async fn until_at(server: &TestServer, cursor: Cursor) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let snapshot: SnapshotAnswer = get(server, "/api/snapshot").await?;
        if snapshot.cursor.epoch == cursor.epoch && snapshot.cursor.seq >= cursor.seq {
            return Ok(());
        }
        ensure!(Instant::now() < end, "{} for {cursor}", snapshot.cursor);
        sleep(Duration::from_millis(10)).await;
    }
}

/// Two relays in a row have the same entries, states and candles as the market, and
/// what they have not seen themselves is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_of_a_relay_has_the_same() -> anyhow::Result<()> {
    let market = TestServer::start(&MARKET).await?;
    let host = |server: &TestServer| server.address().to_string();
    let mut first = Watch::new(&host(&market), None, Transport::WebSocket).await?;
    // Some of the bars are of before the relays.
    first
        .until("there are bars", |watch| watch.ticks.len() > 1_000)
        .await?;
    let near = relay_of(&host(&market), &[]).await?;
    let far = relay_of(&host(&near), &[]).await?;
    let start: SnapshotAnswer = get(&far, "/api/snapshot").await?;
    let mut watches = Vec::new();
    for (server, transport) in [
        (&market, Transport::WebSocket),
        (&near, Transport::Sse),
        (&far, Transport::LongPoll),
    ] {
        watches.push(Watch::new(&host(server), Some(start.cursor), transport).await?);
    }
    let enough = start.cursor.seq + 2_000;
    let reached = |watch: &Watch| watch.cursor.is_some_and(|cursor| cursor.seq >= enough);
    for watch in &mut watches {
        watch.until("ticks came", reached).await?;
        ensure!(watch.snapshots.is_empty(), "{:?}", watch.snapshots);
        watch.ticks.retain(|tick| tick.seq() <= enough);
    }
    ensure!(watches[1].ticks == watches[0].ticks && watches[2].ticks == watches[0].ticks);
    // At the same position, all of the state is the same.
    market.stop().await?;
    let cursor = get::<SnapshotAnswer>(&near, "/api/snapshot").await?.cursor;
    until_at(&far, cursor).await?;
    let states = |snapshot: SnapshotAnswer| -> Vec<SymbolState> { snapshot.symbols };
    let near_states = states(get(&near, "/api/snapshot").await?);
    ensure!(near_states == states(get(&far, "/api/snapshot").await?));
    ensure!(
        near_states
            .iter()
            .all(|state| state.volume > shared::Decimal::ZERO)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn candles_are_those_of_the_market() -> anyhow::Result<()> {
    let market = TestServer::start(&MARKET).await?;
    let host = market.address().to_string();
    let mut first = Watch::new(&host, None, Transport::WebSocket).await?;
    first
        .until("there are bars", |watch| watch.ticks.len() > 2_000)
        .await?;
    let relay = relay_of(&host, &[]).await?;
    let candles = async |server: &TestServer, query: &str| -> anyhow::Result<Vec<Candle>> {
        let path = format!("/api/candles?symbol=BTC-USD&{query}");
        Ok(get::<CandlesAnswer>(server, &path).await?.candles)
    };
    let start: SnapshotAnswer = get(&relay, "/api/snapshot").await?;
    first
        .until("the relay has seen some", |watch| {
            watch
                .cursor
                .is_some_and(|cursor| cursor.seq > start.cursor.seq + 2_000)
        })
        .await?;
    until_at(&relay, first.cursor.context("no cursor")?).await?;
    for interval in ["1s", "5s", "1m", "1h", "1d"] {
        // Closed ones do not change, and the open one begins at the same time.
        let (ours, theirs) = (
            candles(&relay, &format!("interval={interval}")).await?,
            candles(&market, &format!("interval={interval}")).await?,
        );
        let closed = ours.len() - 1;
        ensure!(
            closed < theirs.len() && ours[..closed] == theirs[..closed],
            "{interval}"
        );
        ensure!(ours[closed].time == theirs[closed].time, "{interval}");
        ensure!(ours[closed].trades <= theirs[closed].trades, "{interval}");
    }
    let before = candles(&relay, "interval=1s").await?;
    let to = before[2].time.micros();
    let page = candles(&relay, &format!("interval=1s&to={to}&limit=2")).await?;
    ensure!(page == before[..2], "{page:?}");
    Ok(())
}

/// What changes something is done by the market, and is seen on the relay.
#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_those_of_the_market() -> anyhow::Result<()> {
    let market = TestServer::start(&MARKET).await?;
    let client = reqwest::Client::new();
    let make = async |server: &TestServer, alert: Value| -> anyhow::Result<Value> {
        let made = client.post(server.url("/api/alerts")).json(&alert);
        Ok(made.send().await?.error_for_status()?.json().await?)
    };
    let early = json!({"symbol": "BTC-USD", "above": "1000000", "note": "early"});
    make(&market, early).await?;
    let relay = relay_of(&market.address().to_string(), &[]).await?;
    let made = make(
        &relay,
        json!({"symbol": "btc-usd", "above": "0.01", "note": "late"}),
    )
    .await?;
    ensure!(made["id"] == 2 && made["symbol"] == "BTC-USD", "{made}");
    let wrong = client
        .post(relay.url("/api/alerts"))
        .json(&json!({"symbol": "NO"}));
    ensure!(wrong.send().await?.status() == 400);
    let end = Instant::now() + PATIENCE;
    let same = async || -> anyhow::Result<bool> {
        let mut all = Vec::new();
        for path in ["/api/alerts", "/api/alerts/fired"] {
            all.push((
                get::<Value>(&market, path).await?,
                get::<Value>(&relay, path).await?,
            ));
        }
        Ok(all[1].0["fired"]
            .as_array()
            .is_some_and(|fired| !fired.is_empty())
            && all.iter().all(|(ours, theirs)| ours == theirs))
    };
    while !same().await? {
        ensure!(Instant::now() < end, "the alerts differ");
        sleep(Duration::from_millis(20)).await;
    }
    let gone = client.delete(relay.url("/api/alerts/1")).send().await?;
    ensure!(gone.status() == 204, "{gone:?}");
    while get::<Value>(&relay, "/api/alerts").await?["alerts"][0]["id"] != 2 {
        ensure!(Instant::now() < end, "it is still there");
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// A reader who comes from the market is ahead of a relay that is late: it waits, over
/// each transport, and needs no snapshot.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_may_be_ahead() -> anyhow::Result<()> {
    let market = TestServer::start(&MARKET).await?;
    let gate = Gate::start(market.address()).await?;
    let relay = relay_of(&gate.address().to_string(), &[]).await?;
    gate.set(Passage::Late(Duration::from_millis(300)));
    for transport in Transport::ALL {
        let newest: SnapshotAnswer = get(&market, "/api/snapshot").await?;
        let host = relay.address().to_string();
        let mut watch = Watch::new(&host, Some(newest.cursor), transport).await?;
        watch
            .until("ticks come", |watch| !watch.ticks.is_empty())
            .await?;
        ensure!(watch.snapshots.is_empty(), "{transport:?}");
        ensure!(watch.ticks[0].seq() > newest.cursor.seq);
    }
    // Nobody is so far ahead.
    let mut cursor = get::<SnapshotAnswer>(&market, "/api/snapshot")
        .await?
        .cursor;
    cursor.seq += 1_000_000;
    for server in [&market, &relay] {
        let host = server.address().to_string();
        let mut watch = Watch::new(&host, Some(cursor), Transport::Poll).await?;
        watch
            .until("a snapshot comes", |watch| !watch.snapshots.is_empty())
            .await?;
        ensure!(watch.snapshots[0] == SnapshotReason::Restarted);
    }
    Ok(())
}

/// A relay that loses its upstream says so over every transport, and goes on where it
/// stood.
#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_where_it_stood() -> anyhow::Result<()> {
    let market = TestServer::start(&MARKET).await?;
    let gate = Gate::start(market.address()).await?;
    let relay = relay_of(&gate.address().to_string(), &[]).await?;
    let host = relay.address().to_string();
    let mut watches = Vec::new();
    for transport in Transport::ALL {
        watches.push(Watch::new(&host, None, transport).await?);
    }
    for watch in &mut watches {
        watch
            .until("ticks came", |watch| !watch.ticks.is_empty())
            .await?;
        watch.statuses.clear();
    }
    gate.set(Passage::Closed);
    for watch in &mut watches {
        watch
            .until("it says that it is lost", |watch| {
                let mut statuses = watch.statuses.iter();
                statuses.any(|status| {
                    status.state == FeedState::Reconnecting && status.detail.contains("/ws: ")
                })
            })
            .await?;
    }
    let fresh: Value = {
        let mut fresh = Watch::new(&host, None, Transport::Poll).await?;
        fresh
            .until("a snapshot came", |watch| !watch.statuses.is_empty())
            .await?;
        json!(fresh.statuses[0].state)
    };
    ensure!(fresh == "reconnecting", "{fresh}");
    let made = reqwest::Client::new()
        .post(relay.url("/api/alerts"))
        .json(&json!({"symbol": "BTC-USD", "above": "1"}));
    ensure!(made.send().await?.status() == 503);
    let ticks: Vec<_> = watches.iter().map(|watch| watch.ticks.len()).collect();
    gate.set(Passage::Open);
    for (watch, before) in watches.iter_mut().zip(ticks) {
        watch
            .until("it goes on", |watch| {
                let last = watch.statuses.last().map(|status| status.state);
                watch.ticks.len() > before && last == Some(FeedState::Live)
            })
            .await?;
        ensure!(
            watch.snapshots == [SnapshotReason::Start],
            "{:?}",
            watch.snapshots
        );
        let follow = watch.ticks.iter().zip(&watch.ticks[1..]);
        let mut gaps = follow.filter(|(one, next)| next.seq() != one.seq() + 1);
        // Statuses are entries, too.
        ensure!(gaps.next().is_none());
    }
    Ok(())
}

/// The market begins anew: so does the relay, for all its readers.
#[tokio::test(flavor = "multi_thread")]
async fn a_market_that_restarted_is_another_run() -> anyhow::Result<()> {
    let market = TestServer::start(&MARKET).await?;
    let address = market.address();
    let relay = relay_of(&address.to_string(), &[]).await?;
    let far = relay_of(&relay.address().to_string(), &[]).await?;
    let mut watch = Watch::new(&far.address().to_string(), None, Transport::WebSocket).await?;
    watch
        .until("ticks came", |watch| !watch.ticks.is_empty())
        .await?;
    let before = watch.cursor.context("no cursor")?;
    market.stop().await?;
    let market = TestServer::start_on(address, &MARKET).await?;
    let after: SnapshotAnswer = get(&market, "/api/snapshot").await?;
    ensure!(after.cursor.epoch != before.epoch);
    watch.ticks.clear();
    watch
        .until("the new run came", |watch| {
            watch.snapshots.contains(&SnapshotReason::Restarted) && !watch.ticks.is_empty()
        })
        .await?;
    ensure!(
        watch
            .cursor
            .is_some_and(|cursor| cursor.epoch == after.cursor.epoch)
    );
    Ok(())
}

/// A jump of a replay is one on the relay, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_jumps_jumps_here_too() -> anyhow::Result<()> {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/sp500-daily.csv");
    let feed = format!("replay:{sample}");
    let market = TestServer::start(&["--feed", &feed, "--speed", "20"]).await?;
    let relay = relay_of(&market.address().to_string(), &[]).await?;
    let mut watch = Watch::new(&relay.address().to_string(), None, Transport::Sse).await?;
    watch
        .until("ticks came", |watch| !watch.ticks.is_empty())
        .await?;
    // To the middle of March 2020, through the relay.
    let jump = json!({"at": 1_584_230_400_000_000_i64});
    let client = reqwest::Client::new();
    let jumped = client.patch(relay.url("/api/replay")).json(&jump).send();
    jumped.await?.error_for_status()?;
    watch
        .until("it jumped", |watch| {
            watch.snapshots.contains(&SnapshotReason::Jumped)
        })
        .await?;
    let symbols: SymbolsAnswer = get(&relay, "/api/symbols").await?;
    let symbol = &symbols.symbols[0].symbol;
    let path = format!("/api/candles?symbol={symbol}&interval=1d&limit=5&to=1584230400000000");
    let ours: CandlesAnswer = get(&relay, &path).await?;
    let theirs: CandlesAnswer = get(&market, &path).await?;
    ensure!(
        ours.candles.len() == 5 && ours.candles == theirs.candles,
        "{ours:?}"
    );
    Ok(())
}
