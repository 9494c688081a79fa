//! The programs that drive browsers.

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

/// How long a driver has to start.
const START: Duration = Duration::from_secs(60);
/// How long it has to end its browser.
const GOODBYE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// So much of what a browser prints is kept.
const LINES_MAX: usize = 10_000;

/// What a process has printed so far.
type Printed = Arc<Mutex<Vec<String>>>;

/// A driver's process, and what it needs.
#[derive(Debug)]
pub(crate) struct Driver {
    #[expect(dead_code, reason = "owned for its drop")]
    process: Process,
    port: u16,
    printed: Printed,
    /// The screen of a browser that needs one. Dropped after the driver.
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
                    // There is neither a graphics card nor a person.
                    .env("LIBGL_ALWAYS_SOFTWARE", "1")
                    .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
                    .env("NO_AT_BRIDGE", "1")
                    .env("GSETTINGS_BACKEND", "memory");
                let (process, printed) = Process::start(command)?;
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

    /// Starts a driver that takes any free port and says which.
    async fn with_any_port(command: Command, says: &str) -> anyhow::Result<Self> {
        let (process, printed) = Process::start(command)?;
        let found = async {
            loop {
                if let Some(port) = port_in(&printed, says) {
                    return port;
                }
                sleep(LOOK_AGAIN).await;
            }
        };
        let port = timeout(START, found).await;
        let port = port.context("the driver did not say its port")?;
        Ok(Self {
            process,
            port,
            printed,
            screen: None,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The lines that driver and browser printed with all of these in them.
    pub(crate) fn lines(&self, marks: &[&str]) -> Vec<String> {
        let printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = printed
            .iter()
            .filter(|line| marks.iter().all(|mark| line.contains(mark)));
        wanted.cloned().collect()
    }
}

/// The port in the line that says it.
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

/// A screen that nobody sees, and its name.
async fn screen() -> anyhow::Result<(Process, String)> {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "2000x1400x24"]);
    let (process, printed) = Process::start(command)?;
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

/// A process that is asked to end when dropped, also by a test that fails: a
/// driver then ends its browser, which a killed one would leave behind.
#[derive(Debug)]
struct Process(Child);

impl Process {
    fn start(mut command: Command) -> anyhow::Result<(Self, Printed)> {
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
}

/// Reads what is printed, all the time, or the process would block.
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
        // Where there is no `kill`, the worst is a browser too many.
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
