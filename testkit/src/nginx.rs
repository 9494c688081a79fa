//! A real nginx in front of a server.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// How long nginx may take to open its port.
const START: Duration = Duration::from_secs(30);
/// What a block says that is reached from outside.
const LISTEN: &str = "listen 80;";
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A running nginx, killed when this is dropped.
#[derive(Debug)]
pub struct Nginx {
    #[expect(dead_code, reason = "killed on drop")]
    child: Child,
    #[expect(dead_code, reason = "removed on drop")]
    folder: TempDir,
    address: SocketAddr,
}

impl Nginx {
    /// Starts nginx on a free port, with these directives in its only `server`
    /// block.
    ///
    /// # Errors
    ///
    /// nginx is missing, or rejects the directives: then the error contains its
    /// output.
    pub async fn start(directives: &str) -> anyhow::Result<Self> {
        let block = format!("server {{ {LISTEN}\n{directives}\n}}");
        Self::start_with(&block).await
    }

    /// Starts nginx with these blocks, one of which listens at port 80: here at a free
    /// one.
    ///
    /// # Errors
    ///
    /// As [`Nginx::start`].
    pub async fn start_with(blocks: &str) -> anyhow::Result<Self> {
        ensure!(blocks.contains(LISTEN), "no block says {LISTEN}");
        let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
        let folder = tempfile::tempdir()?;
        let path = folder.path().display();
        let config = format!(
            "daemon off; master_process off; error_log stderr warn; pid {path}/pid;\n\
             events {{}}\n\
             http {{\n\
             access_log off;\n\
             client_body_temp_path {path}/body; proxy_temp_path {path}/proxy;\n\
             fastcgi_temp_path {path}/f; uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;\n\
             {}\n}}\n",
            blocks.replace(LISTEN, &format!("listen {address};"))
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config)?;
        let mut child = nginx()
            .arg("-c")
            .arg(&file)
            .arg("-p")
            .arg(folder.path())
            .args(["-e", "stderr"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .context("no nginx: run `cargo xtask test`")?;
        let end = Instant::now() + START;
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = child.try_wait()? {
                bail!("nginx ended: {status}");
            }
            if Instant::now() > end {
                bail!("nginx did not open its port");
            }
            sleep(LOOK_AGAIN).await;
        }
        Ok(Self {
            child,
            folder,
            address,
        })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// Distributions put nginx into a folder that is not on every user's `PATH`.
fn nginx() -> Command {
    let name = std::env::var_os("NGINX");
    let place = Path::new("/usr/sbin/nginx");
    match name {
        Some(name) => Command::new(name),
        None if place.exists() => Command::new(place),
        None => Command::new("nginx"),
    }
}
