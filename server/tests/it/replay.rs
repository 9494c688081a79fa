//! Real bars, played through the whole server.

use std::collections::BTreeMap;

use anyhow::Context as _;
use client::Follower;
use shared::{Decimal, FeedState, ServerMessage, Span, Time, Transport};
use testkit::TestServer;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/sp500-daily.csv");

#[tokio::test]
async fn the_ticks_of_each_day_are_that_day_of_the_file() -> anyhow::Result<()> {
    let feed = format!("replay:{SAMPLE}");
    let server =
        TestServer::start(&["--feed", &feed, "--speed", "2000", "--symbols", "SPX"]).await?;
    let snapshot = reqwest::get(server.url("/api/snapshot")).await?;
    let snapshot: shared::SnapshotAnswer = snapshot.json().await?;
    let start = shared::Cursor {
        seq: 0,
        ..snapshot.cursor
    };
    let mut follower = Follower::new(&server.address().to_string(), "*", Some(start));
    follower.switch(Transport::Sse).await?;
    let mut days: BTreeMap<Time, Vec<(Decimal, Decimal)>> = BTreeMap::new();
    let ended = 'reading: loop {
        for message in follower.next().await? {
            match message {
                ServerMessage::Ticks { ticks, .. } => {
                    for tick in ticks {
                        let trade = tick.trade().context("a quote")?;
                        assert_eq!(
                            (trade.symbol.as_str(), trade.bid, trade.ask),
                            ("SPX", None, None)
                        );
                        let day = days.entry(trade.time.floor(Span::DAY)).or_default();
                        day.push((trade.price, trade.qty));
                    }
                }
                ServerMessage::Status { status, .. } if status.state == FeedState::Ended => {
                    break 'reading status;
                }
                _ => {}
            }
        }
    };
    assert!(ended.detail.contains("500 bars"), "{}", ended.detail);
    let file = std::fs::read_to_string(SAMPLE)?;
    let mut lines = 0;
    for (line, (_, ticks)) in file.lines().skip(1).zip(&days) {
        let fields: Vec<Decimal> = line
            .split(',')
            .skip(1)
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        let prices = || ticks.iter().map(|(price, _)| *price);
        assert_eq!(prices().next(), Some(fields[0]), "open: {line}");
        assert_eq!(prices().max(), Some(fields[1]), "high: {line}");
        assert_eq!(prices().min(), Some(fields[2]), "low: {line}");
        assert_eq!(prices().next_back(), Some(fields[3]), "close: {line}");
        let volume: Decimal = ticks.iter().map(|(_, qty)| *qty).sum();
        assert_eq!(volume, fields[5], "volume: {line}");
        lines += 1;
    }
    assert_eq!((lines, days.len()), (500, 500));
    server.stop().await
}
