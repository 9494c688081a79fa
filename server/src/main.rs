//! The server's command line: arguments, logging, signals.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;

use server::Listeners;
use server::api::Page;
use server::config::{Config, Invocation, LogFormat, url_of};
use tracing_subscriber::EnvFilter;

mod tool;

/// What `cargo xtask build` put into `server/page`.
#[derive(rust_embed::Embed)]
#[folder = "page/"]
struct Files;

/// That of the C library goes on holding what connections needed that are gone:
/// docs/performance.md, under the soak.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const PAGE: Page = Page(Files::get);

/// The exit code for an invalid setting.
const USAGE: u8 = 2;
/// The exit code after a second Ctrl-C, as shells define it.
const INTERRUPTED: i32 = 130;

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
        Ok(Invocation::Tool(tool)) => {
            return Ok(tool::run(&tool).unwrap_or_else(refuse));
        }
        Err(error) => return Ok(refuse(error)),
    };
    if let Err(error) = start_log(config.log_format) {
        return Ok(refuse(error));
    }
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let (catalogue, intake) = match server::open_intake(&config).await {
        Ok(opened) => opened,
        Err(error) => return Ok(refuse(error)),
    };
    let listeners = match bind(&config).await {
        Ok(listeners) => listeners,
        Err(error) => return Ok(refuse(error)),
    };
    let headline = intake.about().headline.clone();
    let opened = match server::open((catalogue, intake), &config).await {
        Ok(opened) => opened,
        Err(error) => return Ok(refuse(error)),
    };
    // Before the address is printed: from then on, someone may send a signal.
    let shutdown = signals()?;
    announce(&listeners, &headline, &config)?;
    server::run(listeners, opened, PAGE, &config, shutdown).await?;
    Ok(ExitCode::SUCCESS)
}

/// Listens at all addresses.
async fn bind(config: &Config) -> Result<Listeners, String> {
    let mut listeners = Listeners::default();
    for (flag, places, bound) in [
        ("--listen", &config.listen, &mut listeners.public),
        ("--admin-listen", &config.admin_listen, &mut listeners.admin),
    ] {
        for place in places {
            let listening = place.bind().await.map_err(|error| {
                format!("{flag} {place}: {error}; choose an address of this machine and a free port, or port 0")
            });
            bound.extend(listening?.into_iter().map(Arc::new));
        }
    }
    Ok(listeners)
}

fn refuse(error: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(USAGE)
}

/// Starts to write the log to stderr, filtered by `RUST_LOG`.
///
/// # Errors
///
/// `RUST_LOG` cannot be parsed.
fn start_log(format: LogFormat) -> Result<(), String> {
    let wanted = std::env::var("RUST_LOG").unwrap_or_default();
    let wanted = if wanted.is_empty() { "info" } else { &wanted };
    let filter = EnvFilter::try_new(wanted).map_err(|error| {
        format!("RUST_LOG: '{wanted}' is not allowed ({error}); a level, or levels of modules, as in info or server=debug,warn")
    })?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Colour codes are for terminals, not for files and journals.
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}

fn announce(listeners: &Listeners, headline: &str, config: &Config) -> std::io::Result<()> {
    for listener in &listeners.public {
        let address = listener.local_addr()?;
        println!("Tickwire is at {}", url_of(address, config.tls.is_some()));
        if address.ip().is_unspecified() {
            let port = address.port();
            println!("and at port {port} of every other address of this machine");
        }
    }
    for listener in &listeners.admin {
        let url = url_of(listener.local_addr()?, false);
        println!("Health, metrics and the API's description are at {url}");
    }
    if let Some(words) = config.access.words() {
        println!("{words}");
    }
    println!("{headline}");
    match &config.store {
        Some(path) => println!("History is kept in {}", path.display()),
        None => println!("History is kept in memory only"),
    }
    if !PAGE.is_there() {
        println!(
            "No page is embedded: `cargo xtask run` builds and embeds it; or run `trunk serve` beside this and open http://localhost:3000"
        );
    }
    Ok(())
}

/// Completes at Ctrl-C, SIGTERM, or SIGHUP, which a terminal sends when it is
/// closed. The handlers are installed when this function returns. After the
/// first signal, a second Ctrl-C ends the process at once.
fn signals() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    // With `nohup`, the server must outlive the terminal.
    #[cfg(unix)]
    let outlives = ignores_hang_up();
    #[cfg(unix)]
    let (mut terminate, mut interrupt, mut hang_up) = {
        use tokio::signal::unix::{SignalKind, signal};
        (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::hangup())?,
        )
    };
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv(), if !outlives => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
        tracing::info!("shutting down; Ctrl-C once more ends at once");
        tokio::spawn(async move {
            #[cfg(unix)]
            let _ = interrupt.recv().await;
            #[cfg(not(unix))]
            let _ = tokio::signal::ctrl_c().await;
            std::process::exit(INTERRUPTED);
        });
    })
}

/// Whether SIGHUP was ignored when the process started. Checked before a
/// handler is installed; if the system does not report it, it was not ignored.
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let ignored = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The first bit is of signal 1, SIGHUP.
    ignored.is_some_and(|mask| mask & 1 == 1)
}
