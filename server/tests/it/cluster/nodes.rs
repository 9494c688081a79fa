//! Servers that share a log.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::de::DeserializeOwned;
use testkit::Process;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

/// Nothing takes longer than this, however slow the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A server.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) process: Process,
}

impl Node {
    /// Starts one that shares this log.
    pub(crate) async fn start(name: &str, log: &str, more: &[&str]) -> anyhow::Result<Self> {
        Self::start_on("127.0.0.1:0", name, log, more).await
    }

    /// Starts one that listens at this address.
    pub(crate) async fn start_on(
        address: &str,
        name: &str,
        log: &str,
        more: &[&str],
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
        command.args(["--node", name, "--log", log]).args(more);
        if !more.contains(&"--store") {
            command.args(["--store", "none"]);
        }
        Ok(Self {
            name: name.to_owned(),
            process: Process::start_on(address, command).await?,
        })
    }

    /// Starts one that shares nothing.
    pub(crate) async fn alone(name: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
        command.args(arguments);
        Ok(Self {
            name: name.to_owned(),
            process: Process::start(command).await?,
        })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.process.url(path)
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let answer = reqwest::get(self.url(path)).await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Whether it leads; `None` if it does not say.
    pub(crate) async fn leads(&self) -> anyhow::Result<Option<bool>> {
        let Ok(answer) = reqwest::get(self.url("/metrics")).await else {
            return Ok(None);
        };
        let text = answer.text().await?;
        let line = format!("tickwire_node_leads{{node=\"{}\"}} ", self.name);
        let value = text.lines().find_map(|text| text.strip_prefix(&line));
        Ok(value.map(|value| value == "1"))
    }

    /// Which of these leads.
    pub(crate) async fn leader(nodes: &[Self]) -> anyhow::Result<usize> {
        let end = Instant::now() + PATIENCE;
        loop {
            for (at, node) in nodes.iter().enumerate() {
                if node.leads().await? == Some(true) {
                    return Ok(at);
                }
            }
            ensure!(Instant::now() < end, "nobody leads");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let pid = self.process.child.id().context("it has ended")?;
        let sent = std::process::Command::new("kill")
            .args([&format!("-{signal}"), &pid.to_string()])
            .status()?;
        ensure!(sent.success(), "no {signal}");
        Ok(())
    }

    pub(crate) async fn kill(mut self) -> anyhow::Result<String> {
        self.process.child.kill().await?;
        Ok(self.name)
    }
}

/// Waits until this is so.
pub(crate) async fn until(
    what: &str,
    mut is_so: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    while !is_so().await? {
        ensure!(Instant::now() < end, "waited in vain until {what}");
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
