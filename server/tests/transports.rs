//! The property that Tickwire is built on: four transports, one log.

use anyhow::Context as _;
use client::Follower;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use shared::{Cursor, ServerMessage, SnapshotAnswer, SnapshotReason, Tick, Transport};
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

/// Reads `count` ticks from the follower's cursor on; before each message the
/// `switch` may change the transport.
async fn read(
    mut follower: Follower,
    count: usize,
    mut switch: impl FnMut() -> Option<Transport>,
) -> anyhow::Result<Vec<Tick>> {
    let mut ticks = Vec::new();
    while ticks.len() < count {
        if let Some(transport) = switch() {
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

/// The same ticks over each transport alone and over a random switching.
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
        let mut once = Some(transport);
        let ticks = read(follower(), count, || once.take()).await;
        all.push(ticks.with_context(|| format!("{transport:?}"))?);
    }
    let mut rng = StdRng::seed_from_u64(seed);
    let mut used = Vec::new();
    let mut connected = false;
    // Short answers, so that there are many occasions to switch.
    let ticks = read(follower().limit(250), count, || {
        let change = !connected || rng.random_bool(0.5);
        connected = true;
        let next = change
            .then(|| Transport::ALL.choose(&mut rng).copied())
            .flatten();
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
        "{count} ticks of {symbols}: equal over four transports and {} switches",
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
