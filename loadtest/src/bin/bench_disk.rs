//! What the store costs: how long a start with a large file takes, and how much
//! is written to the disk at rest.
//!
//! The file has a month of minutes of each symbol, and symbols that are not in
//! the catalogue any more until it is as large as was asked for. Its pages are
//! dropped from the system's cache before the start. What is written is what
//! the kernel counts for the process (`write_bytes`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use loadtest::machine::{beside, listening};
use rusqlite::Connection;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// As many bars are in a block of the file.
const BLOCK_BARS: i64 = 120;
const MINUTES_OF_A_MONTH: i64 = 30 * 24 * 60;

#[derive(Parser)]
struct Arguments {
    /// How large the file is, in MB
    #[arg(long, default_value_t = 2_000)]
    megabytes: u64,
    /// For how long it is measured what is written, in seconds; bars are packed
    /// every quarter of an hour
    #[arg(long, default_value_t = 1_800)]
    seconds: u64,
    /// For how long the market runs before that, in seconds; the first quarter of
    /// an hour makes the rows that are overwritten ever after
    #[arg(long, default_value_t = 960)]
    settle: u64,
    /// Where the file is: on a disk, not in memory
    #[arg(long, default_value = ".")]
    folder: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir_in(&arguments.folder)?;
    let store = folder.path().join("bench.db");
    // It makes the tables and the series.
    let (server, host) = start(&store).await?;
    until(&host, "saved").await?;
    stop(server).await?;
    fill(&store, arguments.megabytes * 1_000_000)?;
    drop_from_cache(&store)?;
    let begun = Instant::now();
    let (server, host) = start(&store).await?;
    until(&host, "saved").await?;
    let ready = begun.elapsed();
    let megabytes = std::fs::metadata(&store)?.len() / 1_000_000;
    println!(
        "{megabytes} MB, not in the system's cache: ready after {:.2} s",
        ready.as_secs_f64()
    );
    until(&host, "is sound").await?;
    println!(
        "checked beside the market: sound after {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let pid = server.id().context("the server ended")?;
    // What the start and the first round of rows write does not count.
    sleep(Duration::from_secs(arguments.settle)).await;
    let before = written_by(pid)?;
    let begun = Instant::now();
    sleep(Duration::from_secs(arguments.seconds)).await;
    let (bytes, passed) = (written_by(pid)? - before, begun.elapsed().as_secs_f64());
    let a_day = bytes as f64 * 86_400.0 / passed / 1e9;
    println!("{bytes} bytes written in {passed:.0} s: {a_day:.2} GB a day");
    stop(server).await
}

/// Starts the default market with this store.
async fn start(store: &Path) -> anyhow::Result<(Child, String)> {
    let mut command = Command::new(beside("tickwire", "build the server")?);
    command
        .arg("--store")
        .arg(store)
        .args(["--listen", "127.0.0.1:0"]);
    listening(command).await
}

/// Ends a server as its user does.
async fn stop(mut server: Child) -> anyhow::Result<()> {
    let mut kill = Command::new("kill");
    let pid = server.id().context("the server ended")?;
    kill.args(["-TERM", &pid.to_string()]).status().await?;
    server.wait().await?;
    Ok(())
}

/// Waits until `/readyz` says this of the store.
async fn until(host: &str, part: &str) -> anyhow::Result<()> {
    loop {
        let text = reqwest::get(format!("http://{host}/readyz")).await?;
        let text = text.text().await?;
        anyhow::ensure!(!text.contains("damaged"), "{text}");
        if text.contains(part) {
            return Ok(());
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// Fills the file up to this size.
fn fill(store: &Path, bytes: u64) -> anyhow::Result<()> {
    let mut database = Connection::open(store)?;
    database.pragma_update(None, "synchronous", "OFF")?;
    let newest: i64 = database.query_row("SELECT unixepoch()", (), |row| row.get(0))?;
    // The oldest block of each is too old soon, as one is every two hours.
    let last = newest / 60 * 60 - 60;
    let minutes: Vec<i64> = {
        let mut select = database.prepare("SELECT id FROM series WHERE interval = '1m'")?;
        let ids = select.query_map((), |row| row.get(0))?;
        ids.collect::<Result<_, _>>()?
    };
    let transaction = database.transaction()?;
    for id in minutes {
        month(&transaction, id, last)?;
    }
    transaction.commit()?;
    let mut number = 0;
    loop {
        let size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
        let size: u64 = database.query_row(size, (), |row| row.get(0))?;
        if size >= bytes {
            break;
        }
        let transaction = database.transaction()?;
        for _ in 0..20 {
            number += 1;
            transaction.execute(
                "INSERT INTO series (feed, symbol, interval) VALUES ('sim', ?1, '1m')",
                [format!("LEFT-{number}")],
            )?;
            month(&transaction, transaction.last_insert_rowid(), last)?;
        }
        transaction.commit()?;
    }
    database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

/// A month of minutes of a series.
fn month(database: &Connection, series: i64, last: i64) -> anyhow::Result<()> {
    // The market has made a past, whose blocks may begin at the same minutes.
    let mut insert = database.prepare_cached(
        "INSERT OR REPLACE INTO block (series, time, last, bars) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut first = last - MINUTES_OF_A_MONTH * 60;
    while first < last {
        let bars: Vec<_> = (0..BLOCK_BARS)
            .map(|bar| {
                let price = |n: i64| format!("{}.{:02}", 64_000 + (bar * n) % 97, (bar * n) % 100);
                let volume = format!("{}.{:04}", bar % 7, (bar * 37) % 10_000);
                (
                    bar * 60,
                    price(3),
                    "64099.00",
                    "63900.50",
                    price(7),
                    volume,
                    bar + 1,
                )
            })
            .collect();
        let bars = serde_json::to_string(&bars)?;
        let end = first + (BLOCK_BARS - 1) * 60;
        insert.execute((series, first, end, bars))?;
        first += BLOCK_BARS * 60;
    }
    Ok(())
}

/// Writes the file to the disk and drops its pages from the system's cache.
#[cfg(target_os = "linux")]
fn drop_from_cache(path: &Path) -> anyhow::Result<()> {
    use rustix::fs::{Advice, fadvise};
    let file = std::fs::File::open(path)?;
    file.sync_all()?;
    Ok(fadvise(&file, 0, None, Advice::DontNeed)?)
}

#[cfg(not(target_os = "linux"))]
fn drop_from_cache(_: &Path) -> anyhow::Result<()> {
    anyhow::bail!("this is measured on Linux only")
}

/// How many bytes a process has had written to disks so far.
fn written_by(pid: u32) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/io"))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(line.context("no write_bytes")?.trim().parse()?)
}
