//! Real NATS servers, one or three, which can be killed and come back.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// The variable with the path of the program: `cargo xtask test` installs it.
const PROGRAM: &str = "NATS_SERVER";
const PATIENCE: Duration = Duration::from_secs(60);

/// NATS servers that share everything.
#[derive(Debug)]
pub struct Nats {
    servers: Vec<Server>,
    folder: TempDir,
    /// A copy of what they kept.
    copy: Option<TempDir>,
}

#[derive(Debug)]
struct Server {
    address: SocketAddr,
    routes: SocketAddr,
    child: Option<Child>,
}

impl Nats {
    /// Starts so many on free ports, with files in a folder of their own.
    ///
    /// # Errors
    ///
    /// There is no program, or it does not start.
    pub async fn start(count: usize) -> anyhow::Result<Self> {
        let mut servers = Vec::new();
        for _ in 0..count {
            servers.push(Server {
                address: free().await?,
                routes: free().await?,
                child: None,
            });
        }
        let mut nats = Self {
            servers,
            folder: tempfile::tempdir()?,
            copy: None,
        };
        nats.start_all().await?;
        Ok(nats)
    }

    /// Starts those that do not run.
    ///
    /// # Errors
    ///
    /// One does not start.
    pub async fn start_all(&mut self) -> anyhow::Result<()> {
        for index in 0..self.servers.len() {
            self.start_one(index)?;
        }
        let end = Instant::now() + PATIENCE;
        for server in &self.servers {
            while TcpStream::connect(server.address).await.is_err() {
                ensure!(Instant::now() < end, "NATS does not start");
                sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(())
    }

    /// Starts one, if it does not run.
    ///
    /// # Errors
    ///
    /// There is no program.
    pub fn start_one(&mut self, index: usize) -> anyhow::Result<()> {
        let all: Vec<_> = self.servers.iter().map(|server| server.routes).collect();
        let server = &mut self.servers[index];
        if server.child.is_some() {
            return Ok(());
        }
        let program = std::env::var_os(PROGRAM).map_or_else(|| "nats-server".into(), PathBuf::from);
        let mut command = Command::new(&program);
        command
            .args([
                "--addr",
                "127.0.0.1",
                "--port",
                &server.address.port().to_string(),
            ])
            .arg("--jetstream")
            .arg("--store_dir")
            .arg(self.folder.path().join(index.to_string()));
        if all.len() > 1 {
            let routes: Vec<_> = all.iter().map(|at| format!("nats://{at}")).collect();
            command
                .args(["--name", &format!("n{index}"), "--cluster_name", "test"])
                .args(["--cluster", &format!("nats://{}", server.routes)])
                .args(["--routes", &routes.join(",")]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("no {}: run `cargo xtask test`", program.display()))?;
        server.child = Some(child);
        Ok(())
    }

    /// Kills one at once.
    ///
    /// # Errors
    ///
    /// It cannot be killed.
    pub async fn kill_one(&mut self, index: usize) -> anyhow::Result<()> {
        if let Some(mut child) = self.servers[index].child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Kills all of them at once.
    ///
    /// # Errors
    ///
    /// One cannot be killed.
    pub async fn kill_all(&mut self) -> anyhow::Result<()> {
        for index in 0..self.servers.len() {
            self.kill_one(index).await?;
        }
        Ok(())
    }

    /// Kills all of them, and deletes everything that they kept.
    ///
    /// # Errors
    ///
    /// One cannot be killed, or files cannot be deleted.
    pub async fn lose_everything(&mut self) -> anyhow::Result<()> {
        self.kill_all().await?;
        for entry in std::fs::read_dir(self.folder.path())? {
            std::fs::remove_dir_all(entry?.path())?;
        }
        Ok(())
    }

    /// Starts all of them again; what they keep until now is copied meanwhile.
    ///
    /// # Errors
    ///
    /// Files cannot be copied, or one does not start.
    pub async fn remember(&mut self) -> anyhow::Result<()> {
        self.kill_all().await?;
        let copy = tempfile::tempdir()?;
        copy_all(self.folder.path(), copy.path())?;
        self.copy = Some(copy);
        self.start_all().await
    }

    /// Kills all of them; they have what they had when it was copied. What they
    /// acknowledged since is lost.
    ///
    /// # Errors
    ///
    /// One cannot be killed, or there is no copy.
    pub async fn forget(&mut self) -> anyhow::Result<()> {
        self.lose_everything().await?;
        let copy = self.copy.as_ref().context("nothing was copied")?;
        copy_all(copy.path(), self.folder.path())
    }

    /// Where each of them is.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(|server| server.address).collect()
    }

    /// The value of `--log`.
    pub fn log(&self) -> String {
        log_at(&self.addresses())
    }
}

/// Copies everything in a folder into another one.
fn copy_all(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir(&to)?;
            copy_all(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// The value of `--log` for NATS servers at these addresses.
pub fn log_at(addresses: &[SocketAddr]) -> String {
    let hosts: Vec<_> = addresses.iter().map(SocketAddr::to_string).collect();
    format!("nats://{}", hosts.join(","))
}

/// A port that is free now.
async fn free() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}
