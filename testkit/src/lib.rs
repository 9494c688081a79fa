//! The real server for tests and measurements, in this process and on a free
//! port, and the proxies that can stand between it and its clients.

mod authority;
mod gate;
mod nats;
mod nginx;
mod process;
mod proxy;
mod tunnel;
mod venue;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use server::Listeners;
use server::api::Page;
use server::config::{Config, Invocation};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use authority::Authority;
pub use gate::{Gate, Passage};
pub use nats::{Nats, log_at};
pub use nginx::Nginx;
pub use process::Process;
pub use proxy::{Fault, Proxy, Seen};
pub use tunnel::Tunnel;
pub use venue::{Bar, Deal, Faults, MockVenue, Protocol, Truth};

/// The page, as it was built last.
#[derive(rust_embed::Embed)]
#[folder = "../server/page/"]
struct Files;

/// The page's files, if the page was built.
pub const PAGE: Page = Page(Files::get);

/// The real server, in this process, on a free port.
#[derive(Debug)]
pub struct TestServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<Result<(), server::Stopped>>,
}

impl TestServer {
    /// Starts it with these command-line arguments.
    ///
    /// # Errors
    ///
    /// The arguments are invalid.
    pub async fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        Self::start_on("127.0.0.1:0".parse()?, arguments).await
    }

    /// Starts it on this address. It keeps its history in memory only, and its
    /// simulated market begins without a past, unless the arguments say so.
    ///
    /// # Errors
    ///
    /// The arguments are invalid, or the address is in use.
    pub async fn start_on(address: SocketAddr, arguments: &[&str]) -> anyhow::Result<Self> {
        let arguments = std::iter::once(&"server").chain(arguments);
        // A flag takes precedence over these variables.
        let variables = [
            ("TICKWIRE_STORE".into(), "none".into()),
            ("TICKWIRE_PAST".into(), "off".into()),
        ];
        let config = match Config::load(arguments.map(Into::into), variables)? {
            Invocation::Run(config) => config,
            Invocation::Print(text) => bail!("not a server's arguments: {text}"),
            Invocation::Tool(tool) => bail!("not a server's arguments: {tool:?}"),
        };
        let intake = server::open_intake(&config).await?;
        let opened = server::open(intake, &config).await?;
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let shutdown = async {
                // Dropping the sender stops the server as well.
                let _ = stopped.await;
            };
            let listeners = Listeners {
                public: vec![Arc::new(listener)],
                admin: Vec::new(),
            };
            server::run(listeners, opened, PAGE, &config, shutdown).await
        });
        Ok(Self {
            address,
            stop: Some(stop),
            running,
        })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path on this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Shuts it down, and waits until it has ended.
    ///
    /// # Errors
    ///
    /// It ended with an error.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.stop.take());
        Ok(self.running.await.context("the server panicked")??)
    }
}
