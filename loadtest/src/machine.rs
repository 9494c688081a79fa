//! Processor time and memory of processes, and the limits of this one.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Raises this process's limit of open descriptors as far as the system allows.
///
/// # Errors
///
/// The system allows fewer than `needed`.
#[cfg(unix)]
pub fn allow_descriptors(needed: u64) -> anyhow::Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    match limit.maximum {
        Some(most) if most < needed => {
            anyhow::bail!("{needed} descriptors are needed, and the system allows {most}")
        }
        _ => Ok(()),
    }
}

/// There is no such limit on this system.
///
/// # Errors
///
/// None.
#[cfg(not(unix))]
pub fn allow_descriptors(_needed: u64) -> anyhow::Result<()> {
    Ok(())
}

/// Pins this process to one core; returns whether the system has that core, and
/// can do that.
#[cfg(target_os = "linux")]
pub fn stay_on_core(core: usize) -> bool {
    use rustix::thread::{CpuSet, sched_setaffinity};

    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).is_ok()
}

/// Other systems cannot do that.
#[cfg(not(target_os = "linux"))]
pub fn stay_on_core(_core: usize) -> bool {
    false
}

/// The processor time that a process has used so far, summed over its live
/// threads.
///
/// # Errors
///
/// There is no such process.
pub fn cpu_of(pid: u32) -> anyhow::Result<Duration> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
        .with_context(|| format!("no process {pid}"))?;
    let mut total = 0;
    for task in tasks {
        // A thread may end while it is being read.
        let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) else {
            continue;
        };
        let first = text.split_whitespace().next();
        total += first.and_then(|ns| ns.parse().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(total))
}

/// The resident memory of a process, in bytes.
///
/// # Errors
///
/// There is no such process.
pub fn memory_of(pid: u32) -> anyhow::Result<u64> {
    memory(pid, "VmRSS:")
}

/// The most resident memory that a process had until now, in bytes.
///
/// # Errors
///
/// There is no such process.
pub fn peak_of(pid: u32) -> anyhow::Result<u64> {
    memory(pid, "VmHWM:")
}

fn memory(pid: u32, key: &str) -> anyhow::Result<u64> {
    let path = PathBuf::from(format!("/proc/{pid}/status"));
    let text = std::fs::read_to_string(path).with_context(|| format!("no process {pid}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let kb = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kb.with_context(|| format!("no {key}"))? * 1024)
}

/// Starts a server, which is killed when the child is dropped; the address that
/// it prints.
///
/// # Errors
///
/// The program is not there, or does not print an address.
pub async fn listening(mut command: Command) -> anyhow::Result<(Child, String)> {
    let mut child = command
        .stdout(Stdio::piped())
        .kill_on_drop(true)
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

/// The path of a program in this program's own folder.
///
/// # Errors
///
/// It is not there; `remedy` says what to do then.
pub fn beside(name: &str, remedy: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    anyhow::ensure!(path.exists(), "no {}: {remedy}", path.display());
    Ok(path)
}
