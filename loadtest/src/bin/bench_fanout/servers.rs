//! Starts servers on the first core, and their clients on the second.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use loadtest::machine::{beside, cpu_of, listening};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::sleep;

/// What to do if a program is not there.
const REMEDY: &str = "`cargo xtask bench fanout` builds it";
/// Where Linux distributions install the Nchan module.
const NCHAN: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

/// A server, and the load to measure it under.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// How many trades there are a second.
    pub(super) rate: u32,
    /// Extra arguments for the clients.
    pub(super) clients: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Tickwire, started with these extra arguments.
    Tickwire(Vec<String>),
    /// The plain axum server. The text is the value of its `--message` option.
    Axum(&'static str),
    Nchan(&'static str),
}

/// The result of one measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// The server's processor time without clients, in µs a second.
    pub(super) alone_us: f64,
    /// The extra processor time with clients, in µs a message.
    pub(super) message_us: f64,
    /// The same, in µs for each trade delivered to a client.
    pub(super) trade_us: f64,
    pub(super) age_p99_ms: Option<f64>,
}

/// A running server, and the process that feeds it, if there is one. Both are
/// killed on drop.
struct Server {
    host: String,
    pid: u32,
    /// Killed on drop.
    children: Vec<Child>,
    #[expect(dead_code, reason = "removed on drop")]
    folder: Option<TempDir>,
}

/// Measures a case once, with this many clients, for this long.
///
/// # Errors
///
/// A program is missing, or fails.
pub(super) async fn measure(case: &Case, clients: u32, whole: Duration) -> anyhow::Result<Found> {
    let server = start(case).await?;
    let pause = (whole / 5).min(Duration::from_secs(1));
    sleep(pause).await;
    let before = cpu_of(server.pid)?;
    sleep(whole / 2).await;
    let alone = cpu_of(server.pid)?.saturating_sub(before);
    let alone_us = alone.as_secs_f64() * 1e6 / (whole / 2).as_secs_f64();
    let mut load = on_core(1, &beside("loadtest", REMEDY)?);
    load.args(["fanout", "--json", "--host", &server.host])
        .args(["--pid", &server.pid.to_string()])
        .args(["--clients", &clients.to_string()])
        .args(["--duration", &format!("{}ms", whole.as_millis())])
        .args(["--warm-up", &format!("{}ms", pause.as_millis())])
        .args(&case.clients);
    if !matches!(case.kind, Kind::Tickwire(_)) {
        load.args(["--path", "/sub"]);
    }
    let output = load.stderr(Stdio::inherit()).output().await?;
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
        // Every client receives every trade.
        _ => f64::from(case.rate) * seconds * f64::from(clients),
    };
    Ok(Found {
        alone_us,
        message_us: own_us / messages.max(1.0),
        trade_us: own_us / trades.max(1.0),
        age_p99_ms: seen["age_p99_ms"].as_f64(),
    })
}

async fn start(case: &Case) -> anyhow::Result<Server> {
    match &case.kind {
        Kind::Tickwire(more) => {
            let mut command = on_core(0, &beside("tickwire", REMEDY)?);
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
            let mut command = on_core(0, &beside("plain_axum", REMEDY)?);
            command.args(["--message", message, "--rate", &case.rate.to_string()]);
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

async fn nchan(message: &str, rate: u32) -> anyhow::Result<Server> {
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
    let mut publisher = on_core(1, &beside("plain_axum", REMEDY)?);
    publisher
        .args(["--message", message, "--rate", &rate.to_string()])
        .args(["--publish", &format!("http://{host}/pub")]);
    let mut server = one(child, host, Some(folder))?;
    server.children.push(publisher.spawn()?);
    Ok(server)
}

/// A command that runs on one core. Its process is killed when its handle is
/// dropped.
fn on_core(core: usize, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command
        .args(["-c", &core.to_string()])
        .arg(program)
        .kill_on_drop(true);
    command
}
