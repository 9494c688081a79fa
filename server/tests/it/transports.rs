//! The property that Tickwire is built on: four transports, one log.

use anyhow::Context as _;
use client::Follower;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use shared::{
    Cursor, Pace, ServerMessage, SnapshotAnswer, SnapshotReason, Tick, Transport, WireFormat,
};
use testkit::TestServer;

const COUNT: usize = 10_000;

async fn host_and_start(server: &TestServer) -> anyhow::Result<(String, Cursor)> {
    let body = reqwest::get(server.url("/api/snapshot"))
        .await?
        .bytes()
        .await?;
    let snapshot: SnapshotAnswer = serde_json::from_slice(&body)?;
    let start = Cursor {
        seq: 0,
        ..snapshot.cursor
    };
    Ok((server.address().to_string(), start))
}

/// How the log is read.
type Way = (Transport, WireFormat, Pace);

fn every_ms(every_ms: u32) -> Pace {
    let latest = false;
    Pace { every_ms, latest }
}

/// Reads `count` ticks from the follower's cursor on; before each message the
/// `switch` may change the way.
async fn read(
    mut follower: Follower,
    count: usize,
    mut switch: impl FnMut() -> Option<Way>,
) -> anyhow::Result<Vec<Tick>> {
    let mut ticks = Vec::new();
    while ticks.len() < count {
        if let Some((transport, format, pace)) = switch() {
            follower.change(format, pace);
            follower.switch(transport).await?;
        }
        for message in follower.next().await? {
            match message {
                ServerMessage::Ticks { ticks: new, .. } => ticks.extend(new),
                ServerMessage::Snapshot { reason, .. } => anyhow::bail!("a snapshot: {reason:?}"),
                _ => {}
            }
        }
    }
    assert_eq!(
        (follower.chain().missed(), follower.chain().repeated()),
        (0, 0)
    );
    ticks.truncate(count);
    Ok(ticks)
}

/// The same ticks over each transport alone, in both encodings, at once or
/// slowly, and over a random switching between all of these.
async fn check(symbols: &str, count: usize, seed: u64) -> anyhow::Result<()> {
    let arguments = [
        "--rate",
        "20000",
        "--seed",
        "7",
        "--log-capacity",
        "10000000",
    ];
    let server = TestServer::start(&arguments).await?;
    let (host, start) = host_and_start(&server).await?;
    let follower = || Follower::new(&host, symbols, Some(start));
    let mut all = Vec::new();
    for transport in Transport::ALL {
        for format in WireFormat::ALL {
            for pace in [every_ms(0), every_ms(30)] {
                let mut once = Some((transport, format, pace));
                let ticks = read(follower(), count, || once.take()).await;
                all.push(ticks.with_context(|| format!("{transport:?} {format} {pace:?}"))?);
            }
        }
    }
    let mut rng = StdRng::seed_from_u64(seed);
    let mut used = Vec::new();
    let mut connected = false;
    // Short answers, so that there are many occasions to switch.
    let ticks = read(follower().limit(250), count, || {
        let change = !connected || rng.random_bool(0.5);
        connected = true;
        let mut way = || {
            let transport = *Transport::ALL.choose(&mut rng)?;
            let format = *WireFormat::ALL.choose(&mut rng)?;
            Some((transport, format, every_ms(rng.random_range(0..10))))
        };
        let next = change.then(&mut way).flatten();
        used.extend(next);
        next
    });
    let ticks = ticks
        .await
        .with_context(|| format!("switching with seed {seed}: {used:?}"))?;
    all.push(ticks);
    if symbols == "*" {
        assert!(
            all[0].iter().map(|tick| tick.seq()).eq(1..=count as u64),
            "each number once"
        );
    }
    for (ticks, other) in all.iter().zip(&all[1..]) {
        assert_eq!(ticks.len(), count);
        assert!(ticks == other, "transports differ; switching: {used:?}");
    }
    println!(
        "{count} ticks of {symbols}: equal over four transports, two encodings, two paces, and {} switches",
        used.len()
    );
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_10000_ticks_over_every_transport_and_any_switching() -> anyhow::Result<()> {
    check("*", COUNT, rand::random()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_holds_for_some_of_the_symbols() -> anyhow::Result<()> {
    check("BTC-USD,AAPL,WTI", 1_000, rand::random()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tick_by_itself_is_the_same_again() -> anyhow::Result<()> {
    let server = TestServer::start(&["--rate", "2000", "--flush-ms", "0"]).await?;
    let (host, start) = host_and_start(&server).await?;
    let mut follower = Follower::new(&host, "*", Some(start));
    follower.switch(Transport::WebSocket).await?;
    let mut seq = 0;
    while seq < 500 {
        for message in follower.next().await? {
            if let ServerMessage::Ticks {
                from,
                cursor,
                ticks,
                ..
            } = message
            {
                assert_eq!((ticks.len(), from.seq, cursor.seq), (1, seq, seq + 1));
                seq += 1;
            }
        }
    }
    server.stop().await
}

/// What a cursor gets that the log cannot go on from, over each transport.
async fn check_reason(
    arguments: &[&str],
    cursor: &str,
    reason: SnapshotReason,
) -> anyhow::Result<()> {
    let server = TestServer::start(arguments).await?;
    let (host, start) = host_and_start(&server).await?;
    let cursor = cursor.replace("EPOCH", &start.epoch.to_string()).parse()?;
    // Ticks that a log of one batch has lost by now.
    let mut reader = Follower::new(&host, "*", None);
    reader.switch(Transport::WebSocket).await?;
    let mut batches = 0;
    while batches < 10 {
        for message in reader.next().await? {
            batches += i32::from(matches!(message, ServerMessage::Ticks { .. }));
        }
    }
    for transport in Transport::ALL {
        let mut follower = Follower::new(&host, "BTC-USD", Some(cursor));
        follower.switch(transport).await?;
        let found = loop {
            let found = follower
                .next()
                .await?
                .into_iter()
                .find_map(|message| match message {
                    ServerMessage::Snapshot {
                        reason, symbols, ..
                    } => Some((reason, symbols.len())),
                    ServerMessage::Ticks { .. } => panic!("ticks before a snapshot"),
                    _ => None,
                });
            if let Some(found) = found {
                break found;
            }
        };
        assert_eq!(found, (reason, 1), "{transport:?}");
    }
    server.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_run_gets_a_snapshot_that_says_so() -> anyhow::Result<()> {
    check_reason(&[], "zzzzz9-5", SnapshotReason::Restarted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_ahead_of_the_log_gets_a_snapshot_that_says_so() -> anyhow::Result<()> {
    check_reason(&[], "EPOCH-9999999999", SnapshotReason::Restarted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_fell_out_of_the_log_gets_a_snapshot_that_says_so() -> anyhow::Result<()> {
    check_reason(&["--log-capacity", "1"], "EPOCH-0", SnapshotReason::Lagged).await
}

/// What is left out is counted: who sees the newest only, and who sees all, know
/// of as many ticks.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_newest_leave_out_is_counted() -> anyhow::Result<()> {
    let arguments = ["--rate", "20000", "--log-capacity", "10000000"];
    let server = TestServer::start(&arguments).await?;
    let (host, start) = host_and_start(&server).await?;
    for transport in Transport::ALL {
        for format in WireFormat::ALL {
            let mut follower = Follower::new(&host, "*", Some(start));
            let (every_ms, latest) = (40, true);
            follower.change(format, Pace { every_ms, latest });
            follower.switch(transport).await?;
            let mut ticks = 0;
            while follower.chain().skipped() < COUNT as u64 {
                for message in follower.next().await? {
                    if let ServerMessage::Ticks { ticks: new, .. } = message {
                        let kinds = new.iter().map(|t| (t.symbol(), t.trade().is_some()));
                        let kinds: std::collections::HashSet<_> = kinds.collect();
                        assert_eq!(kinds.len(), new.len(), "each symbol and kind once");
                        ticks += new.len() as u64;
                    }
                }
            }
            let chain = follower.chain();
            let position = chain.cursor().context("a position")?;
            assert_eq!((chain.missed(), chain.repeated()), (0, 0));
            // Every entry of this log is a tick.
            let all = ticks + chain.skipped();
            assert_eq!(all, position.seq, "{transport:?} {format}");
        }
    }
    server.stop().await
}

/// Bytes above TCP for each trade of the default market, over a WebSocket.
async fn bytes_a_trade(format: WireFormat) -> anyhow::Result<f64> {
    let server = TestServer::start(&["--quotes", "0", "--seed", "7"]).await?;
    let host = server.address().to_string();
    let mut follower = Follower::new(&host, "*", None).format(format);
    follower.switch(Transport::WebSocket).await?;
    let (mut trades, mut before) = (0, 0);
    while trades < 5_000 {
        let before_message = follower.traffic().down;
        for message in follower.next().await? {
            if let ServerMessage::Ticks { ticks, .. } = message {
                if trades == 0 {
                    before = before_message;
                }
                trades += ticks.len();
            }
        }
    }
    let bytes = follower.traffic().down - before;
    server.stop().await?;
    Ok(bytes as f64 / trades as f64)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_takes_few_bytes() -> anyhow::Result<()> {
    for (format, most) in [(WireFormat::Json, 135.0), (WireFormat::Binary, 12.0)] {
        let bytes = bytes_a_trade(format).await?;
        println!("{format}: {bytes:.2} bytes a trade");
        assert!(
            bytes <= most,
            "{format}: {bytes:.2} bytes a trade, not {most}"
        );
    }
    Ok(())
}

/// One that takes nothing for a while holds nobody up, and then gets all that it
/// missed, from the middle of the message at which it stopped.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_pauses_misses_nothing() -> anyhow::Result<()> {
    let arguments = ["--rate", "20000", "--log-capacity", "10000000"];
    let server = TestServer::start(&arguments).await?;
    let host = server.address().to_string();
    // Shorter than after which it would be given up, and more than the system
    // keeps for a socket.
    for (format, enough) in [
        (WireFormat::Json, 8_000_000),
        (WireFormat::Binary, 1_500_000),
    ] {
        let follower = || Follower::new(&host, "*", None).format(format);
        let (mut pauses, mut reads) = (follower(), follower());
        for follower in [&mut pauses, &mut reads] {
            follower.switch(Transport::WebSocket).await?;
            while follower.chain().cursor().is_none() {
                follower.next().await?;
            }
        }
        let bytes = reads.traffic().down;
        while reads.traffic().down < bytes + enough {
            if let [ServerMessage::Snapshot { .. }] = reads.next().await?.as_slice() {
                anyhow::bail!("{format}: the one that reads fell behind");
            }
        }
        let there = reads.chain().cursor().context("a position")?;
        while pauses.chain().cursor().context("a position")?.seq < there.seq {
            if let [ServerMessage::Snapshot { .. }] = pauses.next().await?.as_slice() {
                anyhow::bail!("{format}: the one that paused missed something");
            }
        }
        for follower in [&pauses, &reads] {
            let chain = follower.chain();
            assert_eq!((chain.missed(), chain.repeated()), (0, 0), "{format}");
        }
    }
    server.stop().await
}
