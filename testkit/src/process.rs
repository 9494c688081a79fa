//! The real server as a separate process, which can be killed.

use std::process::Stdio;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A flag takes precedence over this variable.
const PAST: &str = "TICKWIRE_PAST";

/// A running server, killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    /// The process itself.
    pub child: Child,
    /// Where it listens, as in `127.0.0.1:41234`.
    pub host: String,
}

impl Process {
    /// Starts `command`, whose last arguments are those of a server, on a free
    /// port. Its simulated market begins without a past, unless it is told to.
    ///
    /// # Errors
    ///
    /// It does not print the address that it listens on. The error contains
    /// what it printed instead.
    pub async fn start(command: Command) -> anyhow::Result<Self> {
        Self::start_on("127.0.0.1:0", command).await
    }

    /// Starts it on this address.
    ///
    /// # Errors
    ///
    /// As [`Process::start`].
    pub async fn start_on(address: &str, mut command: Command) -> anyhow::Result<Self> {
        let mut variables = command.as_std().get_envs();
        if variables.all(|(name, _)| name != PAST) {
            command.env(PAST, "off");
        }
        let mut child = command
            .args(["--listen", address])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut errors = BufReader::new(child.stderr.take().context("stderr")?).lines();
        let mut lines = BufReader::new(child.stdout.take().context("stdout")?).lines();
        let Some(line) = lines.next_line().await? else {
            let said = errors.next_line().await?.unwrap_or_default();
            anyhow::bail!("the server did not start: {said}");
        };
        let (_, host) = line.split_once("http://").context("no address")?;
        let host = host.to_owned();
        // A pipe that nobody reads would fill up and block the server.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        tokio::spawn(async move { while let Ok(Some(_)) = errors.next_line().await {} });
        Ok(Self { child, host })
    }

    /// The URL of a path on this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    /// Kills it at once, as if the power had failed for this process alone.
    ///
    /// # Errors
    ///
    /// It cannot be killed.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}
