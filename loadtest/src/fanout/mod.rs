//! Many WebSockets of one server, and what each message costs.
//!
//! The clients do little, since they share a machine with the server: each
//! follows the chain of its messages, and a sample of them decodes every tick.

mod reader;
mod server;
mod socket;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use loadtest::machine;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::index::sample;
use serde::Serialize;
use shared::{Channel, Pace, SymbolsAnswer, Transport, WireFormat, routes};
use tokio::task::LocalSet;
use tokio::time::{Instant, interval, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use self::reader::{Plan, Seen, Wire};
use self::server::Server;
use crate::look::{Clock, spent};

/// How many clients are opened at once, and the pause before the next ones.
const OPENED_TOGETHER: u32 = 20;
const OPEN_PERIOD: Duration = Duration::from_millis(10);
/// How long it may take until all clients are open.
const OPEN_MAX: Duration = Duration::from_secs(60);
/// About this many clients decode every tick; at least one does.
const SAMPLE: u32 = 20;
const REFRESH: Duration = Duration::from_millis(200);

/// How many clients connect, what they subscribe to, and how.
#[derive(Args, Clone, Debug)]
pub(crate) struct Fanout {
    /// The address of a running server; without it a server is started on the
    /// first core, and the clients run on the second
    #[arg(long)]
    host: Option<String>,
    /// The process ID of that server, to measure its processor time and memory
    #[arg(long, requires = "host")]
    pid: Option<u32>,
    /// How many clients
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    clients: u32,
    /// How many symbols the started server has
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    symbols: u32,
    /// How many of the symbols each client subscribes to, chosen at random; 0
    /// for all
    #[arg(long, default_value_t = 0)]
    subset: u32,
    /// How many trades a second the started server makes
    #[arg(long, default_value_t = 2_000.0)]
    rate: f64,
    /// How long the started server gathers trades into a batch, in ms
    #[arg(long, default_value_t = 16)]
    flush_ms: u32,
    /// How messages are encoded: json or binary
    #[arg(long, default_value = "binary")]
    encoding: WireFormat,
    /// At most one message in this many milliseconds
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=i64::from(Pace::EVERY_MS_MAX)))]
    every_ms: u32,
    /// The share of clients that read nothing at all, as in 5%
    #[arg(long, default_value = "0%", value_parser = percent)]
    slow: u32,
    /// The clients subscribe to nothing
    #[arg(long, conflicts_with = "subset")]
    idle: bool,
    /// The path of another server's WebSocket, whose messages are only counted
    #[arg(long, requires = "host")]
    path: Option<String>,
    /// How long to measure
    #[arg(long, default_value = "10s", value_parser = crate::duration)]
    duration: Duration,
    /// How long to warm up before that
    #[arg(long, default_value = "2s", value_parser = crate::duration)]
    warm_up: Duration,
    /// Prints the results as JSON
    #[arg(long)]
    json: bool,
}

fn percent(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok();
    let number = number.filter(|percent| *percent < 100);
    number.ok_or_else(|| "a share from 0% to 99% is allowed".to_owned())
}

/// The results.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    clients: u32,
    /// Clients that were lost before the end.
    lost: u32,
    /// How long all of them took to open, in s.
    opened_s: f64,
    /// How long was measured, in s.
    seconds: f64,
    /// Messages received by all clients together.
    messages: u64,
    /// Bytes received by all clients together, framing included.
    bytes: u64,
    /// Ticks that the server sent, if it is a Tickwire server.
    ticks: Option<u64>,
    /// The server's processor time, in µs.
    cpu_us: Option<f64>,
    /// The processor time of the clients, in µs.
    own_cpu_us: f64,
    /// The server's memory before the clients connected, and with them, in
    /// bytes.
    memory: Option<[u64; 2]>,
    /// The memory of this process for each client, in bytes.
    own_memory_each: f64,
    /// The age of ticks when the sampled clients decoded them, in ms.
    age_p50_ms: Option<f64>,
    age_p99_ms: Option<f64>,
    missed: u64,
    repeated: u64,
}

/// Runs the measurement and prints the results.
pub(crate) async fn run(fanout: &Fanout) -> anyhow::Result<()> {
    let readers = u64::from(fanout.clients);
    machine::allow_descriptors(readers + 100)?;
    let server = match &fanout.host {
        Some(host) => Server::known(host, fanout.pid),
        None => {
            machine::stay_on_core(1);
            Server::start(fanout.symbols, fanout.rate, fanout.flush_ms).await?
        }
    };
    let outcome = LocalSet::new().run_until(measure(fanout, &server)).await;
    server.stop().await;
    let outcome = outcome?;
    if fanout.json {
        println!("{}", serde_json::to_string(&outcome)?);
    } else {
        outcome.print();
    }
    anyhow::ensure!(outcome.lost == 0, "{} clients were lost", outcome.lost);
    Ok(())
}

/// The paths that clients request. The clients take them in turn.
async fn paths(fanout: &Fanout, host: &str) -> anyhow::Result<Vec<String>> {
    if let Some(path) = &fanout.path {
        return Ok(vec![path.clone()]);
    }
    let pace = Pace {
        every_ms: fanout.every_ms,
        latest: false,
    };
    let ws = routes::WS;
    if fanout.idle {
        return Ok(vec![format!("/{ws}")]);
    }
    if fanout.subset == 0 {
        return Ok(vec![format!("/{ws}?symbols=*{}", pace.query())]);
    }
    let url = format!("http://{host}/{}", routes::SYMBOLS);
    let answer: SymbolsAnswer = reqwest::get(url).await?.json().await?;
    let known = &answer.symbols;
    let wanted = fanout.subset as usize;
    anyhow::ensure!(
        wanted <= known.len(),
        "the server has {} symbols",
        known.len()
    );
    // The seed is fixed, so the sets are the same in every run.
    let mut rng = StdRng::seed_from_u64(7);
    let of_one = |_| {
        let chosen = sample(&mut rng, known.len(), wanted);
        let names: Vec<_> = chosen.iter().map(|at| known[at].symbol.as_str()).collect();
        format!("/{ws}?symbols={}{}", names.join(","), pace.query())
    };
    Ok((0..fanout.clients).map(of_one).collect())
}

async fn plan(fanout: &Fanout, host: &str) -> anyhow::Result<Plan> {
    let is_own = fanout.path.is_none();
    let clock = match is_own {
        true => Some(Clock::measure(host).await?),
        false => None,
    };
    Ok(Plan {
        host: host.to_owned(),
        paths: paths(fanout, host).await?,
        wire: match (is_own, fanout.encoding) {
            (false, _) => Wire::Other,
            (true, format) => Wire::Tickwire(format),
        },
        clock,
        buffer: RefCell::new(vec![0; 256 * 1024]),
        seen: RefCell::new(Seen::new()?),
        stop: CancellationToken::new(),
    })
}

/// Keeps this thread from sleeping. A server on the same machine would pay for
/// waking clients that sleep, and would pay more the slower it sends. On a
/// network it would not.
fn stay_awake(stop: CancellationToken) {
    tokio::task::spawn_local(async move {
        while !stop.is_cancelled() {
            tokio::task::yield_now().await;
        }
    });
}

async fn measure(fanout: &Fanout, server: &Server) -> anyhow::Result<Outcome> {
    let is_own = fanout.path.is_none();
    let plan = Rc::new(plan(fanout, &server.host).await?);
    let memory_before = server.pid.map(machine::memory_of).transpose()?;
    let own_before = machine::memory_of(std::process::id())?;
    let opened_s = open(fanout, &plan).await?;
    stay_awake(plan.stop.clone());
    sleep(fanout.warm_up).await;
    let channel = Channel::new(Transport::WebSocket, fanout.encoding);
    let look = async || -> anyhow::Result<_> {
        let cpu = server.pid.map(machine::cpu_of).transpose()?;
        let ticks = match is_own {
            true => Some(spent(&server.host, channel).await?.ticks),
            false => None,
        };
        let own = machine::cpu_of(std::process::id())?;
        Ok((cpu, ticks, own))
    };
    let before = look().await?;
    plan.seen.borrow_mut().begin();
    let begun = Instant::now();
    show(begun, fanout.duration).await;
    let seconds = begun.elapsed().as_secs_f64();
    let counts = plan.seen.borrow().counts();
    let after = look().await?;
    let memory_after = server.pid.map(machine::memory_of).transpose()?;
    let own_after = machine::memory_of(std::process::id())?;
    plan.stop.cancel();
    let seen = plan.seen.borrow();
    let difference = |before: Option<Duration>, after: Option<Duration>| {
        Some((after? - before?).as_secs_f64() * 1e6)
    };
    Ok(Outcome {
        clients: fanout.clients,
        lost: seen.lost(),
        opened_s,
        seconds,
        messages: counts.messages,
        bytes: counts.bytes,
        ticks: after.1.zip(before.1).map(|(after, before)| after - before),
        cpu_us: difference(before.0, after.0),
        own_cpu_us: (after.2 - before.2).as_secs_f64() * 1e6,
        memory: memory_before.zip(memory_after).map(|(a, b)| [a, b]),
        own_memory_each: own_after.saturating_sub(own_before) as f64 / f64::from(fanout.clients),
        age_p50_ms: seen.age_ms(0.5),
        age_p99_ms: seen.age_ms(0.99),
        missed: seen.missed(),
        repeated: seen.repeated(),
    })
}

/// Opens all clients, a few at a time; returns how long that took, in s.
async fn open(fanout: &Fanout, plan: &Rc<Plan>) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let stalled = u64::from(fanout.clients) * u64::from(fanout.slow) / 100;
    let every = (fanout.clients / SAMPLE).max(1);
    for index in 0..fanout.clients {
        let is_stalled = u64::from(index) < stalled;
        let is_sampled = !is_stalled && (fanout.clients - 1 - index).is_multiple_of(every);
        let plan = Rc::clone(plan);
        tokio::task::spawn_local(reader::read(plan, index as usize, is_stalled, is_sampled));
        if (index + 1).is_multiple_of(OPENED_TOGETHER) {
            sleep(OPEN_PERIOD).await;
        }
    }
    let end = begun + OPEN_MAX;
    while plan.seen.borrow().opened() < fanout.clients {
        let fault = plan.seen.borrow().fault().map(str::to_owned);
        if let Some(fault) = fault {
            anyhow::bail!("a client could not be opened: {fault}");
        }
        anyhow::ensure!(Instant::now() < end, "not all clients could be opened");
        sleep(OPEN_PERIOD).await;
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// Waits for `whole`, with a progress bar on standard error if that is a
/// terminal.
async fn show(begun: Instant, whole: Duration) {
    let bar = ProgressBar::new(u64::try_from(whole.as_millis()).unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("measuring {wide_bar} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut looks = interval(REFRESH);
    let end = begun + whole;
    while Instant::now() < end {
        tokio::select! {
            _ = looks.tick() => {}
            () = sleep_until(end) => {}
        }
        bar.set_position(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
    }
    bar.finish_and_clear();
}

impl Outcome {
    fn print(&self) {
        let messages = self.messages as f64;
        let line = |name: &str, value: Option<f64>, decimals: usize| match value {
            Some(value) => println!("{name:36} {value:>14.decimals$}"),
            None => println!("{name:36} {:>14}", "–"),
        };
        line("clients", Some(self.clients.into()), 0);
        line("all open after (s)", Some(self.opened_s), 2);
        line("messages a second", Some(messages / self.seconds), 0);
        line("bytes a second", Some(self.bytes as f64 / self.seconds), 0);
        let per = |count: Option<f64>| {
            let count = count.filter(|count| *count > 0.0);
            self.cpu_us.zip(count).map(|(us, count)| us / count)
        };
        let cores = |us: f64| us / 1e4 / self.seconds;
        line(
            "server's processor (% of a core)",
            self.cpu_us.map(cores),
            1,
        );
        line(
            "clients' processor (% of a core)",
            Some(cores(self.own_cpu_us)),
            1,
        );
        line("server's time a message (µs)", per(Some(messages)), 2);
        let ticks = self.ticks.map(|ticks| ticks as f64);
        line("server's time a delivered tick (µs)", per(ticks), 3);
        let memory = self.memory.map(|[before, after]| {
            after.saturating_sub(before) as f64 / 1024.0 / f64::from(self.clients)
        });
        line("server's memory a client (KB)", memory, 1);
        line(
            "this one's memory a client (KB)",
            Some(self.own_memory_each / 1024.0),
            1,
        );
        line("age p50 (ms)", self.age_p50_ms, 1);
        line("age p99 (ms)", self.age_p99_ms, 1);
        line("missed", Some(self.missed as f64), 0);
        line("repeated", Some(self.repeated as f64), 0);
        line("clients lost", Some(self.lost.into()), 0);
    }
}
