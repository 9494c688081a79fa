//! The server's command: arguments, logging, signals.

use std::process::ExitCode;

use server::config::{Config, FeedConfig, Invocation};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// A setting is not allowed.
const USAGE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    match start().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn start() -> anyhow::Result<ExitCode> {
    let config = match Config::load(std::env::args_os(), std::env::vars_os()) {
        Ok(Invocation::Run(config)) => config,
        Ok(Invocation::Print(text)) => {
            print!("{text}");
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => return Ok(refuse(error)),
    };
    let feed = match config.feed.open() {
        Ok(feed) => feed,
        Err(error) => return Ok(refuse(error)),
    };
    let listener = match TcpListener::bind(config.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            let listen = config.listen;
            return Ok(refuse(format!(
                "--listen {listen}: {error}; choose an address of this machine and a free port, or port 0"
            )));
        }
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let opened = match server::open(feed, &config) {
        Ok(opened) => opened,
        Err(error) => return Ok(refuse(error)),
    };
    // Before the address is printed, since from then on someone may stop us.
    let shutdown = signals()?;
    announce(&listener, &config)?;
    server::run(listener, opened, &config, shutdown).await;
    Ok(ExitCode::SUCCESS)
}

fn refuse(error: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(USAGE)
}

fn announce(listener: &TcpListener, config: &Config) -> std::io::Result<()> {
    let address = listener.local_addr()?;
    println!("Tickwire is at http://{address}");
    match &config.feed {
        FeedConfig::Sim(sim) if sim.goes_on && config.store.is_some() => {
            println!("Simulated prices, which go on where they stood; anew with a --seed");
        }
        FeedConfig::Sim(sim) => {
            println!("Simulated prices; the same again with --seed {}", sim.seed);
        }
        FeedConfig::Replay { path, .. } => println!("Replaying {}", path.display()),
    }
    match &config.store {
        Some(path) => println!("History is kept in {}", path.display()),
        None => println!("History is kept in memory only"),
    }
    if !server::transports::is_page_embedded() {
        println!(
            "No page is embedded: `cargo xtask run` builds and embeds it; or run `trunk serve` beside this and open http://localhost:3000"
        );
    }
    Ok(())
}

/// Completes at Ctrl-C or SIGTERM. The handlers are in place when it returns.
fn signals() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    let mut terminate = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate())?
    };
    #[cfg(unix)]
    let mut interrupt = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::interrupt())?
    };
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
        tracing::info!("shutting down");
    })
}
