//! `cargo xtask`: everything that a person or CI does with the repository.

mod bench;
mod browser;
mod build;
mod deny;
mod exchanges;
mod fuzz;
mod nats;
mod page;
mod progress;
mod proof;
mod say;
mod small;
mod soak;
mod stamp;
mod system;
mod test;
mod tools;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use self::system::replace_with;

/// Builds, runs and tests Tickwire.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds the page and the server with the page in it, and starts it
    Run {
        /// Arguments of the server, as in: cargo xtask run -- --rate 500
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Builds the page and the server with the page in it
    Build,
    /// Format, lints, and all tests: native, in WebAssembly, in a real browser
    Test,
    /// What takes long by its nature: fifty kills of a server under load, half an
    /// hour of the soak, minutes of fuzzing, many requests by schemathesis (the
    /// tests run short forms of these), the page as trunk makes it, and checks
    /// for Windows and macOS
    Proof,
    /// Measures in a real browser how many frames a second the page draws
    Frames {
        /// How long to measure, in seconds
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Arguments of the server
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Benchmarks; run them on a machine that has nothing else to do
    Bench {
        #[command(subcommand)]
        what: Bench,
    },
    /// Lets clients come, go, switch and attack at random while the network, the
    /// disk and the clock fail
    Soak {
        /// For how long
        #[arg(long, default_value_t = 30)]
        minutes: u64,
        /// How many clients there are at once
        #[arg(long, default_value_t = 500)]
        clients: usize,
        /// Where memory, descriptors and delay of each second are written
        #[arg(long, default_value = "soak.csv")]
        csv: PathBuf,
    },
    /// Reads messages of exchanges that others recorded, and checks what is made of
    /// them
    Oracle,
    /// Tries the real exchanges from this machine, and says what it saw
    LiveCheck,
    /// Starts three NATS servers on this machine, by which servers share a log
    Nats,
    /// Takes the screenshots of the README in a real browser
    Screenshots,
}

#[derive(Subcommand)]
enum Bench {
    /// The chart beside uPlot and lightweight-charts, then the whole page
    /// under load
    Ui {
        /// How long the whole page is under load, in seconds
        #[arg(long, default_value_t = 300)]
        seconds: u64,
        /// Runs a few frames and seconds, only to check that it works
        #[arg(long)]
        short: bool,
    },
    /// What clients cost the server, beside Nchan and a plain axum server
    Fanout {
        /// Runs one round with a few clients, only to check that it works
        #[arg(long)]
        short: bool,
    },
    /// What the store costs: a start with a file of 2 GB, and what is written
    /// to the disk in half an hour
    Disk {
        /// Measures some seconds with a small file, only to check that it works
        #[arg(long)]
        short: bool,
    },
    /// What files of prices of 1 GB cost: seconds to the first price, and memory
    Files {
        /// Measures with small files, only to check that it works
        #[arg(long)]
        short: bool,
    },
    /// What following an exchange costs: 200 symbols, 5,000 trades a second
    Exchange {
        /// Runs for two seconds with a few symbols, only to check that it works
        #[arg(long)]
        short: bool,
    },
    /// How late prices are behind a relay, and in servers that share a log; and how soon
    /// another server leads when one is killed
    Hop {
        /// Runs for two seconds, only to check that it works
        #[arg(long)]
        short: bool,
    },
    /// What 10,000 alerts over 500 symbols cost at 5,000 trades a second,
    /// compared with none
    Alerts {
        /// Runs one round of a second, only to check that it works
        #[arg(long)]
        short: bool,
    },
}

/// Runs a benchmark.
fn measure(what: &Bench) -> anyhow::Result<()> {
    let length = |short: bool| match short {
        true => bench::Length::Short,
        false => bench::Length::Whole,
    };
    match *what {
        Bench::Ui { short: true, .. } => bench::ui(bench::Length::Short),
        Bench::Ui { seconds, .. } => bench::ui(bench::Length::Seconds(seconds)),
        Bench::Alerts { short } => bench::alerts(length(short)),
        Bench::Fanout { short } => bench::fanout(length(short)),
        Bench::Disk { short } => bench::disk(length(short)),
        Bench::Files { short } => bench::files(length(short)),
        Bench::Exchange { short } => bench::exchange(length(short)),
        Bench::Hop { short } => bench::hop(length(short)),
    }
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Run { arguments } => run(&arguments),
        Task::Build => build::all().map(drop),
        Task::Test => test::run(),
        Task::Proof => proof::run(),
        Task::Frames { seconds, arguments } => frames(seconds, &arguments),
        Task::Bench { what } => measure(&what),
        Task::Soak {
            minutes,
            clients,
            csv,
        } => soak::run(minutes, clients, &csv),
        Task::Oracle => exchanges::oracle(),
        Task::LiveCheck => exchanges::live_check(),
        Task::Nats => nats::run(),
        Task::Screenshots => screenshots(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's top folder.
fn root() -> PathBuf {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().map_or_else(|| xtask.clone(), PathBuf::from)
}

/// A cargo call at the top of the repository.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.current_dir(root());
    command
}

/// Cargo's target folder, however it was set.
fn target_directory() -> anyhow::Result<PathBuf> {
    let metadata = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("cargo metadata")?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&metadata.stdout).context("cargo metadata")?;
    let folder = metadata["target_directory"].as_str();
    Ok(folder
        .context("cargo metadata has no target_directory")?
        .into())
}

fn run(arguments: &[String]) -> anyhow::Result<()> {
    let server = build::all()?;
    replace_with(Command::new(&server).args(arguments))
        .with_context(|| format!("could not start {}", server.display()))
}

fn frames(seconds: u64, arguments: &[String]) -> anyhow::Result<()> {
    let mut measure = in_browser("frames")?;
    measure
        .args(["--seconds", &seconds.to_string(), "--"])
        .args(arguments);
    say::step("measuring frames", &mut measure)
}

fn screenshots() -> anyhow::Result<()> {
    let mut shoot = in_browser("screenshots")?;
    shoot.arg("--into").arg(root().join("docs"));
    say::step("taking screenshots", &mut shoot)
}

/// A program of `e2e`, with a page that is up to date, and a browser.
fn in_browser(program: &str) -> anyhow::Result<Command> {
    build::the_page()?;
    let browser = browser::find_or_install()?;
    let mut command = cargo();
    command
        .args(["run", "--quiet", "--release", "--package", "e2e"])
        .args(["--bin", program, "--"]);
    browser.give_to(&mut command);
    Ok(command)
}
