//! Tickwire beside Nchan and a plain axum server: what one more client costs.
//!
//! Each server runs on the first core, with as many clients as asked for on the
//! second. What it costs without clients is measured before and subtracted. The
//! peers run both ways: each trade as a message, which is how they are used, and
//! the very same batches as messages.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser;
use loadtest::machine::cpu_of;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::sleep;

/// Where distributions put the module.
const NCHAN: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

#[derive(Parser)]
struct Arguments {
    /// How often each server is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many clients it has
    #[arg(long, default_value_t = 1_000)]
    clients: u32,
    /// For how long, in ms
    #[arg(long, default_value_t = 10_000)]
    measure_ms: u64,
}

/// A server under load.
struct Case {
    name: &'static str,
    kind: Kind,
    /// How many trades a second there are.
    rate: &'static str,
    /// More arguments of the clients.
    clients: &'static [&'static str],
}

enum Kind {
    /// With these arguments.
    Tickwire(&'static [&'static str]),
    /// A message being this.
    Axum(&'static str),
    Nchan(&'static str),
}

const CASES: [Case; 7] = [
    Case {
        name: "Tickwire, all symbols",
        kind: Kind::Tickwire(&[]),
        rate: "2000",
        clients: &[],
    },
    Case {
        name: "Tickwire, 5 of 500 symbols, all sets different",
        kind: Kind::Tickwire(&["--symbols=500"]),
        rate: "2000",
        clients: &["--subset=5"],
    },
    Case {
        name: "Tickwire, a trade a frame",
        kind: Kind::Tickwire(&["--flush-ms=0"]),
        rate: "100",
        clients: &[],
    },
    Case {
        name: "plain axum, a trade a message",
        kind: Kind::Axum("tick"),
        rate: "100",
        clients: &[],
    },
    Case {
        name: "plain axum, the same batches",
        kind: Kind::Axum("batch"),
        rate: "2000",
        clients: &[],
    },
    Case {
        name: "Nchan, a trade a message",
        kind: Kind::Nchan("tick"),
        rate: "100",
        clients: &[],
    },
    Case {
        name: "Nchan, the same batches",
        kind: Kind::Nchan("batch"),
        rate: "2000",
        clients: &[],
    },
];

/// What one measurement found.
#[derive(Clone, Copy, Debug)]
struct Found {
    /// Without clients, in µs a second.
    alone_us: f64,
    /// What clients cost beyond that, in µs a message.
    message_us: f64,
    /// The same, in µs a trade that a client got.
    trade_us: f64,
    age_p99_ms: Option<f64>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut found = vec![Vec::new(); CASES.len()];
    for round in 0..arguments.rounds {
        for (case, found) in CASES.iter().zip(&mut found) {
            eprintln!("round {} of {}: {}", round + 1, arguments.rounds, case.name);
            found.push(measure(case, &arguments).await?);
        }
    }
    print(&found);
    Ok(())
}

/// A server, and whoever feeds it; killed when this is dropped.
struct Server {
    host: String,
    pid: u32,
    /// Killed on drop.
    children: Vec<Child>,
    #[expect(dead_code, reason = "removed on drop")]
    folder: Option<TempDir>,
}

async fn measure(case: &Case, arguments: &Arguments) -> anyhow::Result<Found> {
    let server = start(case).await?;
    let whole = Duration::from_millis(arguments.measure_ms);
    let pause = (whole / 5).min(Duration::from_secs(1));
    sleep(pause).await;
    let before = cpu_of(server.pid)?;
    sleep(whole / 2).await;
    let alone = cpu_of(server.pid)?.saturating_sub(before);
    let alone_us = alone.as_secs_f64() * 1e6 / (whole / 2).as_secs_f64();
    let mut clients = on_core(1, &beside("loadtest")?);
    clients
        .args(["fanout", "--json", "--host", &server.host])
        .args(["--pid", &server.pid.to_string()])
        .args(["--clients", &arguments.clients.to_string()])
        .args(["--duration", &format!("{}ms", arguments.measure_ms)])
        .args(["--warm-up", &format!("{}ms", pause.as_millis())])
        .args(case.clients);
    if !matches!(case.kind, Kind::Tickwire(_)) {
        clients.args(["--path", "/sub"]);
    }
    let output = clients.stderr(Stdio::inherit()).output().await?;
    if !output.status.success() {
        bail!("{}: the clients failed", case.name);
    }
    let seen: Value = serde_json::from_slice(&output.stdout)?;
    let of = |name: &str| seen[name].as_f64().with_context(|| name.to_owned());
    let (seconds, messages) = (of("seconds")?, of("messages")?);
    let own_us = of("cpu_us")? - alone_us * seconds;
    let trades = match case.kind {
        Kind::Tickwire(_) => of("ticks")?,
        Kind::Axum("tick") | Kind::Nchan("tick") => messages,
        // All that there were, for each client.
        _ => case.rate.parse::<f64>()? * seconds * f64::from(arguments.clients),
    };
    Ok(Found {
        alone_us,
        message_us: own_us / messages.max(1.0),
        trade_us: own_us / trades.max(1.0),
        age_p99_ms: seen["age_p99_ms"].as_f64(),
    })
}

async fn start(case: &Case) -> anyhow::Result<Server> {
    match case.kind {
        Kind::Tickwire(more) => {
            let mut command = on_core(0, &beside("tickwire")?);
            command
                .args([
                    "--listen=127.0.0.1:0",
                    "--store=none",
                    "--quotes=0",
                    "--seed=7",
                ])
                .args([format!("--rate={}", case.rate)])
                .args(more);
            let (child, host) = listening(command).await?;
            one(child, host, None)
        }
        Kind::Axum(message) => {
            let mut command = on_core(0, &beside("plain_axum")?);
            command.args(["--message", message, "--rate", case.rate]);
            let (child, host) = listening(command).await?;
            one(child, host, None)
        }
        Kind::Nchan(message) => nchan(message, case.rate).await,
    }
}

fn one(child: Child, host: String, folder: Option<TempDir>) -> anyhow::Result<Server> {
    Ok(Server {
        host,
        pid: child.id().context("it has ended")?,
        children: vec![child],
        folder,
    })
}

async fn nchan(message: &str, rate: &str) -> anyhow::Result<Server> {
    if !Path::new(NCHAN).exists() {
        bail!("no {NCHAN}: apt-get install libnginx-mod-nchan");
    }
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().display();
    let config = format!(
        "load_module {NCHAN};\n\
         daemon off; master_process off; error_log {path}/errors; pid {path}/pid;\n\
         worker_rlimit_nofile 60000;\n\
         events {{ worker_connections 20000; }}\n\
         http {{\n\
         access_log off;\n\
         client_body_temp_path {path}/body; proxy_temp_path {path}/proxy;\n\
         fastcgi_temp_path {path}/f; uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;\n\
         server {{ listen {address} backlog=4096; tcp_nodelay on;\n\
         location = /pub {{ nchan_publisher; nchan_channel_id prices; nchan_message_buffer_length 0;\n\
         client_max_body_size 1m; client_body_buffer_size 1m; }}\n\
         location = /sub {{ nchan_subscriber websocket; nchan_channel_id prices;\n\
         nchan_subscriber_first_message newest; }}\n}}\n}}\n"
    );
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, config)?;
    let mut command = on_core(0, Path::new("/usr/sbin/nginx"));
    command
        .arg("-c")
        .arg(&file)
        .args(["-e", "stderr"])
        .stderr(Stdio::null());
    let child = command.spawn().context("no nginx")?;
    let host = address.to_string();
    let mut looks = 0;
    while TcpStream::connect(&host).await.is_err() {
        looks += 1;
        anyhow::ensure!(looks < 500, "nginx did not open its port");
        sleep(Duration::from_millis(20)).await;
    }
    let mut publisher = on_core(1, &beside("plain_axum")?);
    publisher
        .args(["--message", message, "--rate", rate])
        .args(["--publish", &format!("http://{host}/pub")]);
    let mut server = one(child, host, Some(folder))?;
    server.children.push(publisher.spawn()?);
    Ok(server)
}

/// A program, to run on one core, and to end with this one.
fn on_core(core: usize, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command
        .args(["-c", &core.to_string()])
        .arg(program)
        .kill_on_drop(true);
    command
}

/// Starts a server, which says where it listens.
async fn listening(mut command: Command) -> anyhow::Result<(Child, String)> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("no taskset")?;
    let stdout = child.stdout.take().context("no output")?;
    let mut lines = BufReader::new(stdout).lines();
    let line = lines.next_line().await?.context("it did not start")?;
    let (_, host) = line.split_once("http://").context("no address")?;
    let host = host.to_owned();
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((child, host))
}

/// A program in the folder of this one.
fn beside(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    anyhow::ensure!(
        path.exists(),
        "no {}: `cargo xtask bench fanout` builds it",
        path.display()
    );
    Ok(path)
}

/// The lowest, the middle and the highest.
fn spread(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    let middle = values.get(values.len() / 2).copied().unwrap_or_default();
    let at = |value: Option<&f64>| value.copied().unwrap_or_default();
    [at(values.first()), middle, at(values.last())]
}

/// A table for `docs/performance.md`.
fn print(found: &[Vec<Found>]) {
    let of = |case: usize, read: fn(&Found) -> f64| spread(found[case].iter().map(read).collect());
    println!("| server | alone (% of a core) | µs a message | µs a trade | age p99 (ms) |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (case, place) in CASES.iter().zip(0..) {
        let text = |[low, middle, high]: [f64; 3], decimals: usize| {
            format!("{middle:.decimals$} ({low:.decimals$}–{high:.decimals$})")
        };
        let ages: Vec<f64> = found[place]
            .iter()
            .filter_map(|found| found.age_p99_ms)
            .collect();
        let age = match ages.is_empty() {
            true => "–".to_owned(),
            false => text(spread(ages), 1),
        };
        println!(
            "| {} | {} | {} | {} | {age} |",
            case.name,
            text(of(place, |found| found.alone_us / 1e4), 1),
            text(of(place, |found| found.message_us), 2),
            text(of(place, |found| found.trade_us), 3),
        );
    }
    println!();
    println!("| ratio, round by round | median | lowest | highest | wanted |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let ratio = |name: &str, one: usize, other: usize, read: fn(&Found) -> f64, wanted: &str| {
        let pairs = found[one].iter().zip(&found[other]);
        let [low, middle, high] = spread(pairs.map(|(a, b)| read(a) / read(b)).collect());
        println!("| {name} | {middle:.3} | {low:.3} | {high:.3} | {wanted} |");
    };
    let message: fn(&Found) -> f64 = |found| found.message_us;
    let trade: fn(&Found) -> f64 = |found| found.trade_us;
    ratio(
        "a trade: Tickwire / plain axum, each trade",
        0,
        3,
        trade,
        "0.028",
    );
    ratio(
        "a trade: Tickwire / Nchan, each trade",
        0,
        5,
        trade,
        "0.028",
    );
    ratio(
        "a message: Tickwire / plain axum, batches",
        0,
        4,
        message,
        "0.9",
    );
    ratio("a message: Tickwire / Nchan, batches", 0, 6, message, "0.9");
    ratio("a message: 5 of 500 / all", 1, 0, message, "1.5");
    ratio(
        "a message: 5 of 500 / a trade a frame",
        1,
        2,
        message,
        "1.3",
    );
    ratio(
        "a message: a trade a frame / plain axum, each trade",
        2,
        3,
        message,
        "1",
    );
}
