use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::Page;
use crate::driver::Driver;

/// How long a browser may take to carry out a command, just after it started.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A browser engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Blink: Chromium.
    Chromium,
    /// Gecko: Firefox ESR.
    Firefox,
    /// The engine of Safari: WebKitGTK's MiniBrowser.
    WebKit,
}

/// A browser without a visible window, with a profile of its own.
#[derive(Debug)]
pub struct Browser {
    engine: Engine,
    client: Client,
    driver: Driver,
    #[expect(dead_code, reason = "owned for its drop")]
    profile: TempDir,
}

impl Browser {
    /// Starts Chromium with a window of this size, in CSS pixels.
    ///
    /// # Errors
    ///
    /// There is no driver on `PATH` or in `CHROMEDRIVER`, or no browser.
    pub async fn start(width: u32, height: u32) -> anyhow::Result<Self> {
        Self::start_in(Engine::Chromium, width, height).await
    }

    /// Starts the browser with this engine.
    ///
    /// # Errors
    ///
    /// There is no such browser, or no driver for it.
    pub async fn start_in(engine: Engine, width: u32, height: u32) -> anyhow::Result<Self> {
        Self::start_with(engine, (width, height), Screen::Desktop).await
    }

    /// Starts Chromium, which shows pages as a phone with a screen of this size
    /// does.
    ///
    /// # Errors
    ///
    /// See [`Self::start`].
    pub async fn start_phone(width: u32, height: u32) -> anyhow::Result<Self> {
        Self::start_with(Engine::Chromium, (width, height), Screen::Phone).await
    }

    async fn start_with(engine: Engine, size: (u32, u32), screen: Screen) -> anyhow::Result<Self> {
        let driver = Driver::start(engine).await?;
        let profile = tempfile::tempdir()?;
        let capabilities = match engine {
            Engine::Chromium => chromium(profile.path(), size, screen),
            Engine::Firefox => firefox(size),
            Engine::WebKit => webkit(),
        };
        let Value::Object(capabilities) = capabilities else {
            bail!("capabilities are an object");
        };
        let mut client = ClientBuilder::new(HttpConnector::new());
        let client = client
            .capabilities(capabilities)
            .connect(&driver.url())
            .await?;
        let browser = Self {
            engine,
            client,
            driver,
            profile,
        };
        if let Screen::Desktop = screen {
            browser.resize(size).await?;
        }
        Ok(browser)
    }

    /// Resizes the window until the page has this size, in CSS pixels. What
    /// surrounds the page differs between browsers.
    ///
    /// # Errors
    ///
    /// The browser does not accept the size.
    pub async fn resize(&self, (width, height): (u32, u32)) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        let inner = "return [window.innerWidth, window.innerHeight];";
        loop {
            let value = self.client.execute(inner, Vec::new()).await?;
            let now: [i64; 2] = serde_json::from_value(value)?;
            let off = [i64::from(width) - now[0], i64::from(height) - now[1]];
            if off == [0, 0] {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("the window is {now:?} and not {width} by {height}");
            }
            let (outer_width, outer_height) = self.client.get_window_size().await?;
            let wanted = |outer: u64, off: i64| outer.saturating_add_signed(off) as u32;
            self.client
                .set_window_size(wanted(outer_width, off[0]), wanted(outer_height, off[1]))
                .await?;
            // The new size takes effect a moment later.
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Which engine it has.
    pub fn engine(&self) -> Engine {
        self.engine
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

    /// The errors in the console, of all pages so far.
    ///
    /// # Errors
    ///
    /// The browser has gone.
    pub async fn console_errors(&self) -> anyhow::Result<Vec<String>> {
        match self.engine {
            Engine::Chromium => Page::new(self.client.clone()).chromium_log().await,
            Engine::Firefox => Ok(self.driver.lines(&["JavaScript error", "console.error"])),
            Engine::WebKit => Ok(self.driver.lines(&["CONSOLE", "ERROR"])),
        }
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

/// The kind of screen. A phone's window can be narrower than a desktop's.
#[derive(Clone, Copy)]
enum Screen {
    Desktop,
    Phone,
}

fn chromium(profile: &Path, (width, height): (u32, u32), screen: Screen) -> Value {
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
    json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } })
}

fn firefox((width, height): (u32, u32)) -> Value {
    let width = format!("--width={width}");
    let height = format!("--height={height}");
    let mut options = json!({
        "args": ["--headless", width, height],
        "prefs": {
            // Also writes the page's console messages to the process's output.
            "devtools.console.stdout.content": true,
            // Sound and notifications are allowed without any interaction.
            "media.autoplay.default": 0,
            "permissions.default.desktop-notification": 1,
            // The browser itself is not to contact the network.
            "app.normandy.enabled": false,
            "network.captive-portal-service.enabled": false,
            "network.connectivity-service.enabled": false,
            "datareporting.policy.dataSubmissionEnabled": false,
        },
    });
    if let Some(program) = std::env::var_os("FIREFOX") {
        options["binary"] = program.to_string_lossy().into();
    }
    json!({ "moz:firefoxOptions": options })
}

fn webkit() -> Value {
    let mut options = json!({
        "args": ["--automation", "--enable-write-console-messages-to-stdout=true"],
    });
    if let Some(program) = std::env::var_os("MINIBROWSER") {
        options["binary"] = program.to_string_lossy().into();
    }
    json!({ "webkitgtk:browserOptions": options })
}
