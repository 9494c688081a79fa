//! The WebDriver programs, which control browsers.

use std::net::TcpListener;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::Engine;

/// How long a driver may take to start.
const START: Duration = Duration::from_secs(180);
/// What Chromium's driver says before it ends for that reason.
const PORT_TAKEN: &str = "port not available";
/// How long a driver may take to end its browser.
const GOODBYE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// At most this many lines of a process's output are kept.
const LINES_MAX: usize = 10_000;

/// The lines that a process has printed so far.
type Printed = Arc<Mutex<Vec<String>>>;

/// A driver's process, and what it needs to run.
#[derive(Debug)]
pub(crate) struct Driver {
    #[expect(dead_code, reason = "owned for its drop")]
    process: Process,
    port: u16,
    printed: Printed,
    /// The virtual screen, for a browser that needs one. Dropped after the
    /// driver.
    #[expect(dead_code, reason = "owned for its drop")]
    screen: Option<Process>,
}

impl Driver {
    pub(crate) async fn start(engine: Engine) -> anyhow::Result<Self> {
        let named =
            |variable: &str, name: &str| std::env::var_os(variable).unwrap_or_else(|| name.into());
        match engine {
            Engine::Chromium => {
                let mut command = Command::new(named("CHROMEDRIVER", "chromedriver"));
                command.arg("--port=0");
                Self::with_any_port(command, "started successfully on port ").await
            }
            Engine::Firefox => {
                let mut command = Command::new(named("GECKODRIVER", "geckodriver"));
                command.args(["--port", "0"]);
                Self::with_any_port(command, "Listening on 127.0.0.1:").await
            }
            Engine::WebKit => {
                let (screen, display) = screen().await?;
                let port = free_port()?;
                let mut command = Command::new(named("WEBKITWEBDRIVER", "WebKitWebDriver"));
                command
                    .arg(format!("--port={port}"))
                    .env("DISPLAY", display)
                    // There is neither a graphics card nor a desktop session.
                    .env("LIBGL_ALWAYS_SOFTWARE", "1")
                    .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
                    .env("NO_AT_BRIDGE", "1")
                    .env("GSETTINGS_BACKEND", "memory");
                let (process, printed) = Process::start(&mut command)?;
                until_open(port).await?;
                Ok(Self {
                    process,
                    port,
                    printed,
                    screen: Some(screen),
                })
            }
        }
    }

    /// Starts a driver that chooses a free port and prints it. Chromium's chooses one
    /// of IPv4, needs the same one of IPv6, and ends if somebody else has that.
    async fn with_any_port(mut command: Command, says: &str) -> anyhow::Result<Self> {
        let end = Instant::now() + START;
        let (mut process, mut printed) = Process::start(&mut command)?;
        loop {
            if let Some(port) = port_in(&printed, says) {
                return Ok(Self {
                    process,
                    port,
                    printed,
                    screen: None,
                });
            }
            let has_ended = process.has_ended();
            if has_ended && Instant::now() < end && has_said(&printed, PORT_TAKEN) {
                (process, printed) = Process::start(&mut command)?;
            } else if has_ended || Instant::now() > end {
                let printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
                bail!("the driver did not say its port: {printed:?}");
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The lines printed by driver and browser that contain all of these texts.
    pub(crate) fn lines(&self, marks: &[&str]) -> Vec<String> {
        let printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = printed
            .iter()
            .filter(|line| marks.iter().all(|mark| line.contains(mark)));
        wanted.cloned().collect()
    }
}

/// Whether a line contains this text.
fn has_said(printed: &Printed, text: &str) -> bool {
    let printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
    printed.iter().any(|line| line.contains(text))
}

/// The port in the line that contains this text.
fn port_in(printed: &Printed, says: &str) -> Option<u16> {
    let printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
    let mut lines = printed.iter();
    lines.find_map(|line| {
        let (_, port) = line.split_once(says)?;
        let digits = port.trim_end_matches(|c: char| !c.is_ascii_digit());
        digits.parse().ok()
    })
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}

async fn until_open(port: u16) -> anyhow::Result<()> {
    let end = Instant::now() + START;
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if Instant::now() > end {
            bail!("the driver did not open its port");
        }
        sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

/// A virtual screen, and its name.
async fn screen() -> anyhow::Result<(Process, String)> {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "2000x1400x24"]);
    let (process, printed) = Process::start(&mut command)?;
    let found = async {
        loop {
            let number = {
                let printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
                let mut lines = printed.iter();
                lines.find_map(|line| line.trim().parse::<u32>().ok())
            };
            if let Some(number) = number {
                return format!(":{number}");
            }
            sleep(LOOK_AGAIN).await;
        }
    };
    let name = timeout(START, found).await;
    Ok((process, name.context("Xvfb did not start")?))
}

/// A process that is asked to end when it is dropped, also when a test fails. A
/// driver then ends its browser; if the driver were killed, the browser would
/// keep running.
#[derive(Debug)]
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> anyhow::Result<(Self, Printed)> {
        let program = command.as_std().get_program().to_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("no {}: run `cargo xtask test`", program.display()))?;
        let printed = Printed::default();
        if let Some(output) = child.stdout.take() {
            keep(output, Arc::clone(&printed));
        }
        if let Some(output) = child.stderr.take() {
            keep(output, Arc::clone(&printed));
        }
        Ok((Self(child), printed))
    }

    /// Whether it has ended by itself.
    fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

/// Reads all output continuously; otherwise the process would block.
fn keep(output: impl AsyncRead + Unpin + Send + 'static, printed: Printed) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
            if printed.len() < LINES_MAX {
                printed.push(String::from_utf8_lossy(&line).into_owned());
            }
        }
    });
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(id) = self.0.id() else {
            return;
        };
        // Without a `kill` program, the worst is a browser that keeps running.
        let _ = std::process::Command::new("kill")
            .arg(id.to_string())
            .status();
        let end = Instant::now() + GOODBYE;
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(LOOK_AGAIN);
        }
        let _ = self.0.start_kill();
    }
}
