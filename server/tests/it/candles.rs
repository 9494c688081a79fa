//! Candles over HTTP equal those that a client counts from the ticks.

use std::collections::HashMap;

use shared::{Candle, Candles, CandlesAnswer, Interval, ServerMessage, TicksAnswer, Time};
use testkit::TestServer;

async fn candles(server: &TestServer, query: &str) -> anyhow::Result<CandlesAnswer> {
    let response = reqwest::get(server.url(&format!("/api/candles?{query}"))).await?;
    Ok(response.error_for_status()?.json().await?)
}

/// Every tick from the first one of the log to its present end.
async fn all_ticks(server: &TestServer) -> anyhow::Result<Vec<shared::Tick>> {
    let epoch_start = {
        let now: TicksAnswer = reqwest::get(server.url("/api/ticks")).await?.json().await?;
        let epoch = now.cursor.epoch;
        format!("{epoch}-0")
    };
    let url = server.url(&format!("/api/ticks?cursor={epoch_start}"));
    let answer: TicksAnswer = reqwest::get(url).await?.json().await?;
    assert_eq!(answer.from.seq, 0);
    let ticks = answer.events.into_iter().filter_map(|event| match event {
        ServerMessage::Ticks { ticks, .. } => Some(ticks),
        _ => None,
    });
    Ok(ticks.flatten().collect())
}

/// Waits until the log has this many entries.
async fn until_seq(server: &TestServer, seq: u64) -> anyhow::Result<()> {
    let mut cursor = None;
    loop {
        let query = match &cursor {
            Some(cursor) => format!("?cursor={cursor}&wait_ms=1000"),
            None => String::new(),
        };
        let url = server.url(&format!("/api/ticks{query}"));
        let answer: TicksAnswer = reqwest::get(url).await?.json().await?;
        if answer.cursor.seq >= seq {
            return Ok(());
        }
        cursor = Some(answer.cursor);
    }
}

#[tokio::test]
async fn every_interval_says_what_the_ticks_say() -> anyhow::Result<()> {
    let server = TestServer::start(&["--symbols", "3", "--rate", "4000"]).await?;
    until_seq(&server, 6_000).await?;
    let mut answers = Vec::new();
    for symbol in ["BTC-USD", "EUR-USD", "AAPL"] {
        for interval in Interval::ALL {
            let answer = candles(&server, &format!("symbol={symbol}&interval={interval}")).await?;
            assert_eq!(
                (answer.symbol.as_str(), answer.interval.as_str()),
                (symbol, interval.name())
            );
            answers.push((symbol, interval, answer));
        }
    }
    let ticks = all_ticks(&server).await?;
    for (symbol, interval, answer) in answers {
        let mut expected = Candles::new(interval, usize::MAX);
        let own = ticks.iter().filter(|tick| tick.symbol() == symbol);
        for tick in own.filter(|tick| tick.seq() <= answer.cursor.seq) {
            tick.trade().map(|trade| expected.apply(trade));
        }
        let expected = expected.range(Time::MIN, Time::MAX, usize::MAX);
        assert!(!expected.is_empty());
        assert_eq!(answer.candles, expected, "{symbol} {interval}");
    }
    server.stop().await
}

#[tokio::test]
async fn a_replay_gives_the_candles_of_its_file() -> anyhow::Result<()> {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/sp500-daily.csv");
    let feed = format!("replay:{sample}");
    let server = TestServer::start(&["--feed", &feed, "--speed", "1000"]).await?;
    let file = std::fs::read_to_string(sample)?;
    let days: Vec<Vec<&str>> = file
        .lines()
        .skip(1)
        .map(|l| l.split(',').collect())
        .collect();
    let all = loop {
        let answer = candles(&server, "symbol=SP500-DAILY&interval=1d&limit=10000").await;
        match answer {
            Ok(answer) if answer.candles.len() == days.len() => break answer.candles,
            _ => until_seq(&server, 1).await?,
        }
    };
    for (candle, day) in all.iter().zip(&days).take(days.len() - 1) {
        let figures = [candle.open, candle.high, candle.low, candle.close];
        let expected: Vec<shared::Decimal> = day[1..5]
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>()?;
        assert_eq!(figures.as_slice(), expected.as_slice(), "{}", day[0]);
    }
    server.stop().await
}

#[tokio::test]
async fn a_range_is_what_it_says() -> anyhow::Result<()> {
    let server = TestServer::start(&["--symbols", "1", "--rate", "4000"]).await?;
    let enough = |answer: &CandlesAnswer| answer.candles.len() >= 4;
    let answer = loop {
        until_seq(&server, 1).await?;
        let answer = candles(&server, "symbol=BTC-USD&interval=1s").await?;
        if enough(&answer) {
            break answer;
        }
        until_seq(&server, answer.cursor.seq + 500).await?;
    };
    let times: HashMap<Time, &Candle> = answer.candles.iter().map(|c| (c.time, c)).collect();
    let (from, to) = (answer.candles[1].time, answer.candles[3].time);
    let query = format!("symbol=BTC-USD&interval=1s&from={from}&to={to}");
    let part = candles(&server, &query).await?;
    let found: Vec<Time> = part.candles.iter().map(|c| c.time).collect();
    assert_eq!(found, [from, answer.candles[2].time]);
    assert!(
        part.candles.iter().all(|c| times[&c.time] == c),
        "closed bars stay"
    );
    let one = candles(&server, &format!("{query}&limit=1")).await?;
    assert_eq!(one.candles, part.candles[1..], "the newest of them");
    let none = candles(&server, "symbol=BTC-USD&interval=1s&to=0").await?;
    assert_eq!(none.candles, []);
    server.stop().await
}
