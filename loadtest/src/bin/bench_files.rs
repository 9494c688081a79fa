//! What large files of prices cost: the time from the start of the server to the
//! first price, and the memory that it takes.
//!
//! The files are zip archives with one table each, of bars of a second, one in
//! order of time and one newest first. The first is played as it is read; the
//! second has to be indexed before.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use loadtest::machine::{beside, listening, peak_of};
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::process::Command;
use tokio::time::{Instant, sleep};
use zip::write::{SimpleFileOptions, ZipWriter};

/// The newest bar, in seconds since the epoch.
const NEWEST: i64 = 1_760_000_000;
/// After so many rows it is looked how large the archive is.
const LOOK_ROWS: i64 = 100_000;

#[derive(Parser)]
struct Arguments {
    /// How large each archive is, in MB
    #[arg(long, default_value_t = 1_000)]
    megabytes: u64,
    /// For how long each is played, as fast as it goes, in seconds
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Where the files are: on a disk, not in memory
    #[arg(long, default_value = ".")]
    folder: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    for (words, step) in [("in order", 1), ("newest first", -1)] {
        let folder = tempfile::tempdir_in(&arguments.folder)?;
        let path = folder.path().join("BENCH.zip");
        let rows = write(&path, step, arguments.megabytes * 1_000_000)?;
        let megabytes = std::fs::metadata(&path)?.len() / 1_000_000;
        println!("{words}: an archive of {megabytes} MB with {rows} rows");
        measure(&path, Duration::from_secs(arguments.seconds)).await?;
    }
    Ok(())
}

/// Writes an archive of about this size. Returns how many rows it has.
fn write(path: &Path, step: i64, bytes: u64) -> anyhow::Result<i64> {
    let mut archive = ZipWriter::new(BufWriter::new(File::create(path)?));
    let options = SimpleFileOptions::default()
        .compression_level(Some(1))
        .large_file(true);
    archive.start_file("BENCH.csv", options)?;
    let mut random = SmallRng::seed_from_u64(1);
    // Written in large pieces: the archive is slow with small ones.
    let mut text = "time,open,high,low,close,volume\n".to_owned();
    let (mut rows, mut price) = (0, 6_400_000_i64);
    // In the order of the file; which way the prices go does not matter.
    while rows % LOOK_ROWS != 0 || written(path)? < bytes {
        let time = NEWEST + step * rows;
        let open = price;
        price = (price + random.random_range(-300..=300)).max(100_000);
        let high = open.max(price) + random.random_range(0..200);
        let low = open.min(price) - random.random_range(0..200);
        let volume = random.random_range(0..1_000_000);
        let shown = |cents: i64| format!("{}.{:02}", cents / 100, cents % 100);
        writeln!(
            text,
            "{time},{},{},{},{},{}.{:04}",
            shown(open),
            shown(high),
            shown(low),
            shown(price),
            volume / 10_000,
            volume % 10_000,
        )?;
        rows += 1;
        if rows % LOOK_ROWS == 0 {
            archive.write_all(text.as_bytes())?;
            archive.flush()?;
            text.clear();
        }
    }
    let mut file = archive.finish()?;
    file.flush()?;
    file.rewind()?;
    Ok(rows)
}

fn written(path: &Path) -> anyhow::Result<u64> {
    Ok(std::fs::metadata(path)?.len())
}

/// Starts the server with a file, plays it for a while, and tells what that took.
async fn measure(path: &Path, playing: Duration) -> anyhow::Result<()> {
    let mut command = Command::new(beside("tickwire", "build the server")?);
    command
        .arg("--feed")
        .arg(format!("replay:{}", path.display()))
        .args([
            "--store",
            "none",
            "--speed",
            "max",
            "--listen",
            "127.0.0.1:0",
        ]);
    let begun = Instant::now();
    let (mut server, host) = listening(command).await?;
    let pid = server.id().context("the server ended")?;
    while !is_ready(&host).await? {
        sleep(Duration::from_millis(2)).await;
    }
    let first = begun.elapsed().as_secs_f64();
    let before = peak_of(pid)? / 1_000_000;
    println!("  the first price after {first:.2} s, with {before} MB at most until then");
    sleep(playing).await;
    let (after, seconds) = (peak_of(pid)? / 1_000_000, playing.as_secs());
    println!("  {after} MB at most after {seconds} s of playing");
    server.kill().await?;
    Ok(())
}

/// Whether a price has arrived.
async fn is_ready(host: &str) -> anyhow::Result<bool> {
    let answer = reqwest::get(format!("http://{host}/readyz")).await?;
    Ok(answer.status().is_success())
}
