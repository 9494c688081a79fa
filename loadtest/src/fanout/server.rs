//! The server to measure.

use tokio::process::{Child, Command};

use loadtest::machine::{beside, listening};

/// What to do if the server is not there.
const REMEDY: &str =
    "build it by `cargo build --release --package server`, or name a server with --host";

/// A running server, with its process if it was started here.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) host: String,
    /// Its process ID, if known.
    pub(super) pid: Option<u32>,
    child: Option<Child>,
}

impl Server {
    /// A server that is running already.
    pub(super) fn known(host: &str, pid: Option<u32>) -> Self {
        Self {
            host: host.to_owned(),
            pid,
            child: None,
        }
    }

    /// Starts the server that was built beside this program, on the first core,
    /// with trades only.
    pub(super) async fn start(symbols: u32, rate: f64, flush_ms: u32) -> anyhow::Result<Self> {
        let program = beside("tickwire", REMEDY)?;
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(&program);
        command.args([
            "--listen=127.0.0.1:0",
            "--store=none",
            "--quotes=0",
            "--seed=7",
        ]);
        command.arg(format!("--symbols={symbols}"));
        command.arg(format!("--rate={rate}"));
        command.arg(format!("--flush-ms={flush_ms}"));
        let (child, host) = listening(command).await?;
        Ok(Self {
            host,
            pid: child.id(),
            child: Some(child),
        })
    }

    /// Stops the server, if it was started here.
    pub(super) async fn stop(self) {
        if let Some(mut child) = self.child {
            // It may have ended already.
            let _ = child.kill().await;
        }
    }
}
