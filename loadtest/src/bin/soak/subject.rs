//! The server under test, a process of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use loadtest::machine::{beside, listening};
use shared::SymbolsAnswer;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::weather::Weather;

/// The bounds are low, so that a few attackers reach them.
const BOUNDS: [&str; 12] = [
    // This machine is no proxy here, so that its connections are counted.
    "--trust-proxy=192.0.2.1",
    "--max-connections-each=700",
    "--max-long-polls=250",
    "--max-streams=500",
    "--max-symbols=50",
    "--max-unsent-bytes=20000000",
    "--max-history-calls=8",
    "--max-alerts=200",
    "--max-alerts-a-minute=100",
    "--head-limit-s=5",
    "--body-limit-s=5",
    "--slow-limit-s=5",
];

/// The process, its files, and what can be done to it.
pub(crate) struct Subject {
    folder: TempDir,
    child: Child,
    host: String,
    pid: u32,
}

/// Where distributions put the library that fakes times.
fn faketime() -> Option<PathBuf> {
    let folders = ["x86_64-linux-gnu", "aarch64-linux-gnu", ""];
    let mut found = folders.into_iter().map(|folder| {
        Path::new("/usr/lib")
            .join(folder)
            .join("faketime/libfaketime.so.1")
    });
    found.find(|path| path.exists())
}

impl Subject {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let offset = folder.path().join("offset");
        std::fs::write(&offset, "+0")?;
        let mut command = Command::new(beside("tickwire", "build the server")?);
        match faketime() {
            Some(library) => {
                command
                    .env("LD_PRELOAD", library)
                    .env("FAKETIME_TIMESTAMP_FILE", &offset)
                    .env("FAKETIME_NO_CACHE", "1")
                    .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
            }
            None => println!("the clock is not stepped, for want of libfaketime"),
        }
        command
            .arg("--store")
            .arg(folder.path().join("soak.db"))
            // Few symbols: their candles fill the memory that they may have, for
            // hours, and would hide what does not belong there.
            .args(["--listen=127.0.0.1:0", "--rate=500", "--symbols=10"])
            .args(BOUNDS)
            .stderr(Stdio::from(std::fs::File::create(
                folder.path().join("log"),
            )?));
        let (child, host) = listening(command).await?;
        let pid = child.id().context("the server ended")?;
        Ok(Self {
            folder,
            child,
            host,
            pid,
        })
    }

    /// Where it listens, as in `127.0.0.1:41234`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// The symbols of its catalogue.
    pub(crate) async fn symbols(&self) -> anyhow::Result<Vec<String>> {
        let url = format!("http://{}/api/symbols", self.host);
        let answer: SymbolsAnswer = reqwest::get(url).await?.json().await?;
        Ok(answer
            .symbols
            .into_iter()
            .map(|known| known.symbol)
            .collect())
    }

    /// What can be done to its disk, clock and process.
    pub(crate) fn weather(&self) -> Weather {
        Weather {
            store: self.folder.path().join("soak.db"),
            offset: self.folder.path().join("offset"),
            pid: self.pid,
        }
    }

    /// Ends it as its user does, and checks what it leaves.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        let mut kill = Command::new("kill");
        kill.args(["-TERM", &self.pid.to_string()]).status().await?;
        let status = self.child.wait().await?;
        let log = std::fs::read_to_string(self.folder.path().join("log"))?;
        let panics: Vec<_> = log
            .lines()
            .filter(|line| line.contains("panicked"))
            .collect();
        anyhow::ensure!(panics.is_empty(), "{panics:#?}");
        anyhow::ensure!(status.success(), "it ended with {status}");
        let mut check = Command::new(beside("tickwire", "build the server")?);
        check.arg("check").arg(self.folder.path().join("soak.db"));
        let check = check.output().await?;
        print!("{}", String::from_utf8_lossy(&check.stdout));
        anyhow::ensure!(check.status.success(), "its store is damaged");
        Ok(())
    }
}
