//! NATS servers, by which servers share a log.

use std::path::PathBuf;
use std::process::{Child, Command};

use anyhow::{Context as _, bail};

use crate::{say, target_directory, tools};

/// The port of the first server for clients, and of the first for the others.
const PORT: u16 = 4_222;
const ROUTES: u16 = 6_222;
const SERVERS: u16 = 3;

/// Starts three servers that share everything, until one of them ends.
pub(crate) fn run() -> anyhow::Result<()> {
    let program = tools::nats_server()?;
    let folder = target_directory()?.join("nats");
    let routes: Vec<_> = (0..SERVERS)
        .map(|at| format!("nats://127.0.0.1:{}", ROUTES + at))
        .collect();
    let mut servers = (0..SERVERS)
        .map(|at| start(&program, at, &routes, folder.join(at.to_string())))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let hosts: Vec<_> = (0..SERVERS)
        .map(|at| format!("127.0.0.1:{}", PORT + at))
        .collect();
    let hosts = hosts.join(",");
    say::line(&format!(
        "three NATS servers run until Ctrl-C; share a log with --log nats://{hosts}"
    ));
    // Ctrl-C ends them, too.
    let ended = servers[0].wait()?;
    for server in &mut servers[1..] {
        _ = server.kill();
    }
    if !ended.success() {
        bail!("NATS ended ({ended})");
    }
    Ok(())
}

fn start(program: &PathBuf, at: u16, routes: &[String], folder: PathBuf) -> anyhow::Result<Child> {
    let mut server = Command::new(program);
    server
        .args(["--addr", "127.0.0.1", "--port", &(PORT + at).to_string()])
        .args(["--name", &format!("n{at}"), "--cluster_name", "tickwire"])
        .args([
            "--cluster",
            &routes[usize::from(at)],
            "--routes",
            &routes.join(","),
        ])
        .arg("--jetstream")
        .arg("--store_dir")
        .arg(folder)
        // Its own log says every second who is not there yet.
        .args(["--log", "/dev/null"]);
    server
        .spawn()
        .with_context(|| program.display().to_string())
}
