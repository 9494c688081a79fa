use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use crate::Page;

/// How long a driver has to end its browser.
const GOODBYE: Duration = Duration::from_secs(5);

/// A headless Chromium with a profile of its own.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    #[expect(dead_code, reason = "owned for its drop")]
    driver: Driver,
    #[expect(dead_code, reason = "owned for its drop")]
    profile: TempDir,
}

impl Browser {
    /// Starts one with a window of this size, in CSS pixels.
    ///
    /// # Errors
    ///
    /// No driver on `PATH` or in `CHROMEDRIVER`, or no browser.
    pub async fn start(width: u32, height: u32) -> anyhow::Result<Self> {
        Self::start_with(width, height, Screen::Desktop).await
    }

    /// Starts one that shows pages as a phone with a screen of this size does.
    ///
    /// # Errors
    ///
    /// See [`Self::start`].
    pub async fn start_phone(width: u32, height: u32) -> anyhow::Result<Self> {
        Self::start_with(width, height, Screen::Phone).await
    }

    async fn start_with(width: u32, height: u32, screen: Screen) -> anyhow::Result<Self> {
        let program = std::env::var_os("CHROMEDRIVER").unwrap_or("chromedriver".into());
        let mut driver = Command::new(&program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map(Driver)
            .with_context(|| format!("no {}: run `cargo xtask test`", program.display()))?;
        let output = driver.0.stdout.take().context("no output of the driver")?;
        let port = timeout(Duration::from_secs(60), port_of(output));
        let port = port.await.context("the driver did not start")??;
        let profile = tempfile::tempdir()?;
        let mut client = ClientBuilder::new(HttpConnector::new());
        let Value::Object(capabilities) = capabilities(profile.path(), (width, height), screen)
        else {
            bail!("capabilities are an object");
        };
        let client = client
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await?;
        Ok(Self {
            client,
            driver,
            profile,
        })
    }

    /// Opens an address.
    ///
    /// # Errors
    ///
    /// The browser has gone.
    pub async fn open(&self, url: &str) -> anyhow::Result<Page> {
        self.client.goto(url).await?;
        Ok(Page::new(self.client.clone()))
    }

    /// Ends the browser.
    ///
    /// # Errors
    ///
    /// The browser has gone.
    pub async fn close(self) -> anyhow::Result<()> {
        Ok(self.client.close().await?)
    }
}

/// The driver's process. Asked to end when dropped, also by a test that fails:
/// it then ends its Chromium, which a killed driver would leave behind.
#[derive(Debug)]
struct Driver(Child);

impl Drop for Driver {
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
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.start_kill();
    }
}

/// The port that the driver says it took.
async fn port_of(output: tokio::process::ChildStdout) -> anyhow::Result<u16> {
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some((_, port)) = line.rsplit_once("started successfully on port ") {
            let port = port.trim_end_matches('.').parse()?;
            // Someone has to go on reading, or the driver blocks.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(port);
        }
    }
    bail!("the driver ended before it named its port")
}

/// A phone's window can be narrower than a desktop's.
#[derive(Clone, Copy)]
enum Screen {
    Desktop,
    Phone,
}

fn capabilities(profile: &Path, (width, height): (u32, u32), screen: Screen) -> Value {
    let arguments = [
        "--headless".to_owned(),
        // Tests in containers run as root, where Chromium has no sandbox.
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--hide-scrollbars".to_owned(),
        format!("--window-size={width},{height}"),
        format!("--user-data-dir={}", profile.display()),
    ];
    let mut options = json!({ "args": arguments });
    if let Screen::Phone = screen {
        let metrics = json!({ "width": width, "height": height, "pixelRatio": 2.0 });
        options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
    }
    json!({ "goog:chromeOptions": options })
}
