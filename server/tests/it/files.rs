//! Files of prices, played through the whole server: the candles are the rows.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use shared::{Candle, CandlesAnswer, Decimal, FeedState, Interval, Time};
use testkit::TestServer;

/// The prices and the volume of a bar.
type Figures = [Decimal; 5];
/// The bars of each symbol, by their starts.
type Bars = BTreeMap<String, BTreeMap<Time, Figures>>;

/// A file as this test reads it, by splitting its lines: how its dates are
/// written, how many lines are above its rows, and the columns of symbol (if there
/// is one), date, open, high, low, close and volume.
struct Written {
    name: &'static str,
    interval: Interval,
    dates: &'static str,
    skip: usize,
    symbol: Result<usize, &'static str>,
    columns: [usize; 6],
}

impl Written {
    /// The bars of each symbol, by the starts of the candles that they go into.
    fn bars(&self, text: &str) -> anyhow::Result<Bars> {
        let mut all = Bars::new();
        for line in text.lines().skip(self.skip) {
            let cells: Vec<&str> = line.split(',').collect();
            let [date, prices @ ..] = self.columns.map(|at| cells[at]);
            let prices = prices.map(|cell| if cell.is_empty() { "0" } else { cell });
            let [open, high, low, close, volume] = prices.map(str::parse::<Decimal>);
            let symbol = self
                .symbol
                .map_or_else(str::to_owned, |at| cells[at].to_owned());
            let start = self.interval.start_of(time(date, self.dates)?);
            let before = all
                .entry(symbol)
                .or_default()
                .insert(start, [open?, high?, low?, close?, volume?]);
            anyhow::ensure!(before.is_none(), "two rows of one bar: {line}");
        }
        Ok(all)
    }
}

fn time(text: &str, form: &str) -> anyhow::Result<Time> {
    let read = jiff::fmt::strtime::parse(form, text)?;
    let wall = match read.to_datetime() {
        Ok(wall) => wall,
        Err(_) => read.to_date()?.at(0, 0, 0, 0),
    };
    let zoned = wall.to_zoned(jiff::tz::TimeZone::UTC)?;
    Ok(Time::from_micros(zoned.timestamp().as_microsecond()))
}

/// Plays a file to its end.
async fn played(path: &Path) -> anyhow::Result<TestServer> {
    let feed = format!("replay:{}", path.display());
    let server = TestServer::start(&["--feed", &feed, "--speed", "max"]).await?;
    let mut follower = client::Follower::new(&server.address().to_string(), "*", None);
    follower.switch(shared::Transport::WebSocket).await?;
    loop {
        for message in follower.next().await? {
            if let shared::ServerMessage::Status { status, .. } = message
                && status.state == FeedState::Ended
            {
                anyhow::ensure!(status.detail.starts_with("all of it"), "{}", status.detail);
                return Ok(server);
            }
        }
    }
}

/// Plays a file, and compares every candle with its row. Returns how many there
/// were.
async fn check(path: &Path, written: &Written, text: &str) -> anyhow::Result<usize> {
    let server = played(path).await?;
    let mut count = 0;
    for (symbol, rows) in written.bars(text)? {
        let query = format!("symbol={symbol}&interval={}&limit=10000", written.interval);
        let answer = reqwest::get(server.url(&format!("/api/candles?{query}"))).await?;
        let answer: CandlesAnswer = answer.error_for_status()?.json().await?;
        let figures = |bar: &Candle| [bar.open, bar.high, bar.low, bar.close, bar.volume];
        let found: BTreeMap<Time, Figures> = answer
            .candles
            .iter()
            .map(|bar| (bar.time, figures(bar)))
            .collect();
        let other = rows.iter().find(|(time, row)| found.get(time) != Some(row));
        if let Some((time, row)) = other {
            anyhow::bail!("{symbol} at {time}: {:?}, not {row:?}", found.get(time));
        }
        anyhow::ensure!(
            found.len() == rows.len(),
            "{} of {}",
            found.len(),
            rows.len()
        );
        count += rows.len();
    }
    server.stop().await?;
    Ok(count)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_of_a_real_file_is_its_candle() -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let days = "%Y-%m-%d";
    for (written, count) in [
        (
            Written {
                name: "sp500-daily.csv",
                interval: Interval::D1,
                dates: days,
                skip: 1,
                symbol: Err("SP500-DAILY"),
                columns: [0, 1, 2, 3, 4, 6],
            },
            5_105,
        ),
        (
            Written {
                name: "five-stocks.csv.gz",
                interval: Interval::D1,
                dates: days,
                skip: 1,
                symbol: Ok(0),
                columns: [1, 2, 3, 4, 5, 6],
            },
            12_154,
        ),
        (
            Written {
                name: "bitfinex-btcusd-1h.csv",
                interval: Interval::H1,
                dates: "%Y-%m-%d %H:%M",
                skip: 1,
                symbol: Ok(1),
                columns: [0, 2, 3, 4, 5, 6],
            },
            2_000,
        ),
        (
            Written {
                name: "cryptodatadownload-btcusd-1h.csv",
                interval: Interval::H1,
                dates: "%Y-%m-%d %I-%p",
                skip: 2,
                symbol: Ok(1),
                columns: [0, 2, 3, 4, 5, 6],
            },
            1_498,
        ),
    ] {
        let path = folder.join(written.name);
        let mut text = String::new();
        let file = std::fs::File::open(&path)?;
        match written.name.ends_with(".gz") {
            true => flate2::read::GzDecoder::new(file).read_to_string(&mut text)?,
            false => { file }.read_to_string(&mut text)?,
        };
        let found = check(&path, &written, &text).await;
        assert_eq!(found.context(written.name)?, count, "{}", written.name);
    }
    Ok(())
}

/// Writes a file and plays it.
async fn check_text(written: &Written, rows: &str) -> anyhow::Result<usize> {
    let folder = tempfile::tempdir()?;
    let path: PathBuf = folder.path().join(written.name);
    let text = format!("date,open,high,low,close,volume\n{rows}");
    std::fs::write(&path, &text)?;
    check(&path, written, &text).await.context(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_whole_into_the_bar_that_their_start_lies_in() -> anyhow::Result<()> {
    let (day, minute) = ("%Y-%m-%d", "%Y-%m-%dT%H:%M");
    // Hours that begin at half past, weeks, and prices below zero.
    for (interval, dates, rows, count) in [
        (
            Interval::H1,
            minute,
            "2025-01-02T09:30,1,2,1,1.5,10\n2025-01-02T10:30,2,3,1,2.5,0.7\n\
             2025-01-02T11:30,2,9,1,2.5,3\n",
            3,
        ),
        (
            Interval::D1,
            day,
            "2025-01-01,1,2,1,1.5,10\n2025-01-08,2,3,1,2.5,0.7\n2025-01-15,2,9,1,2.5,3\n",
            3,
        ),
        (
            Interval::D1,
            day,
            "2020-04-17,25.03,25.20,17.31,18.27,10\n2020-04-20,17.73,17.85,-40.32,-37.63,5\n\
             2020-04-21,-14.00,13.86,-16.74,10.01,\n",
            3,
        ),
        // As many digits as there can be.
        (
            Interval::D1,
            day,
            "2025-01-01,1.000000000000000000000000001,9.999999999999999999999999999,\
             0.000000000000000000000000001,2.5,9999999999999999999999999999\n\
             2025-01-02,1,1,1,1,1\n",
            2,
        ),
    ] {
        let written = Written {
            name: "T.csv",
            interval,
            dates,
            skip: 1,
            symbol: Err("T"),
            columns: [0, 1, 2, 3, 4, 5],
        };
        assert_eq!(check_text(&written, rows).await?, count);
    }
    Ok(())
}

/// Files that a folder has, and why it is refused.
async fn refused(files: &[(&str, &str)]) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    for (name, rows) in files {
        let header = match name.ends_with(".csv") {
            true => "date,open,high,low,close,volume\n",
            false => "",
        };
        std::fs::write(folder.path().join(name), header.to_owned() + rows)?;
    }
    let feed = format!("replay:{}", folder.path().display());
    match TestServer::start(&["--feed", &feed]).await {
        Ok(server) => {
            server.stop().await?;
            Ok(String::new())
        }
        Err(error) => Ok(error.to_string()),
    }
}

#[tokio::test]
async fn files_of_one_symbol_follow_each_other_or_are_refused() -> anyhow::Result<()> {
    let january = "2025-01-02,1,2,1,1.5,10\n2025-01-03,1,2,1,1.5,10\n";
    let february = "2025-02-03,1,2,1,1.5,10\n2025-02-04,1,2,1,1.5,10\n";
    let hours = "2025-01-02T09:00,1,2,1,1.5,10\n2025-01-02T10:00,1,2,1,1.5,10\n";
    let names = ["BTCUSDT-1d-2025-01.csv", "BTCUSDT-1d-2025-02.csv"];
    assert_eq!(
        refused(&[(names[0], january), (names[1], february)]).await?,
        ""
    );
    let error = refused(&[(names[0], january), (names[1], january)]).await?;
    assert!(error.contains("which are of the same time"), "{error}");
    let error = refused(&[("XBTUSD_60.csv", hours), ("XBTUSD_1440.csv", january)]).await?;
    assert!(
        error.contains("which have bars of other lengths"),
        "{error}"
    );
    // What is nothing like prices is left out of a folder.
    assert_eq!(
        refused(&[("A.csv", january), ("README.md", "Some words.")]).await?,
        ""
    );
    Ok(())
}

/// A part in which there are no rows is refused with the dates that there are.
#[tokio::test]
async fn a_part_without_rows_is_refused() -> anyhow::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/sp500-daily.csv");
    let feed = format!("replay:{path}");
    let found = TestServer::start(&["--feed", &feed, "--from", "2025-01-01"]).await;
    let error = found.err().context("it has started")?.to_string();
    assert!(error.ends_with(" to 2020-04-17T00:00:00Z"), "{error}");
    Ok(())
}

/// Bars of two symbols that begin at different times are played side by side.
#[tokio::test]
async fn bars_that_overlap_are_played_in_order_of_time() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let header = "date,open,high,low,close,volume\n";
    let hours = |minute: &str| {
        let row = |hour| format!("2025-01-02T{hour:02}:{minute},1,2,1,1.5,16\n");
        (9..15).map(row).collect::<String>()
    };
    for (name, rows) in [("A.csv", hours("00")), ("B.csv", hours("30"))] {
        std::fs::write(folder.path().join(name), header.to_owned() + &rows)?;
    }
    let feed = format!("replay:{}", folder.path().display());
    let server = TestServer::start(&["--feed", &feed, "--speed", "max"]).await?;
    let snapshot = reqwest::get(server.url("/api/snapshot")).await?;
    let snapshot: shared::SnapshotAnswer = snapshot.json().await?;
    let start = shared::Cursor {
        seq: 0,
        ..snapshot.cursor
    };
    let mut follower = client::Follower::new(&server.address().to_string(), "*", Some(start));
    follower.switch(shared::Transport::Sse).await?;
    let (mut times, mut is_over) = (Vec::new(), false);
    while !is_over {
        for message in follower.next().await? {
            match message {
                shared::ServerMessage::Ticks { ticks, .. } => {
                    times.extend(ticks.iter().map(shared::Tick::time));
                }
                shared::ServerMessage::Status { status, .. } => {
                    is_over = status.state == FeedState::Ended;
                }
                _ => {}
            }
        }
    }
    assert_eq!(times.len(), 2 * 6 * 16);
    assert!(times.is_sorted());
    server.stop().await
}
