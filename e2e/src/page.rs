use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use fantoccini::actions::{InputSource as _, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, Locator};
use http::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use url::{ParseError, Url};

/// How long anything on the page may take. Generous, since machines are shared
/// and slow; a test that passes never waits this long.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// A drag consists of this many moves.
const DRAG_STEPS: u32 = 8;

/// The dashboard in a browser. Elements are found by the names that it promises
/// to assistive technology and tests.
#[derive(Clone, Debug)]
pub struct Page {
    client: Client,
}

/// The `data-stat` of a figure in the status bar.
pub type Stat = &'static str;

impl Page {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Runs a script; returns its result.
    ///
    /// # Errors
    ///
    /// The script throws.
    pub async fn run(&self, script: &str) -> anyhow::Result<Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// Waits until the script, an expression, is truthy; returns its value. What
    /// it asks of an element that is not there yet is not true yet.
    ///
    /// # Errors
    ///
    /// It is not truthy within a minute. The error contains the text of the
    /// status bar.
    pub async fn until(&self, what: &str, expression: &str) -> anyhow::Result<Value> {
        let end = Instant::now() + PATIENCE;
        let script = format!(
            "try {{ return {expression}; }} catch (error) {{ \
             if (error instanceof TypeError) return null; throw error; }}"
        );
        loop {
            let value = self.run(&script).await?;
            if !matches!(&value, Value::Null | Value::Bool(false)) {
                return Ok(value);
            }
            if Instant::now() > end {
                let status = self.text(r#"[aria-label="Connection"]"#).await;
                bail!("not in time: {what}; the status bar says {status:?}");
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits until prices arrive.
    ///
    /// # Errors
    ///
    /// They do not arrive.
    pub async fn until_live(&self) -> anyhow::Result<()> {
        let rows = "document.querySelector('tr[data-symbol]')";
        let live = format!("{rows} && {} === 'live'", stat_expression("state"));
        self.until("the page is live", &live).await?;
        Ok(())
    }

    /// The value of a figure of the status bar; `None` where there is none.
    ///
    /// # Errors
    ///
    /// The browser has gone.
    pub async fn stat(&self, name: Stat) -> anyhow::Result<Option<f64>> {
        let script = format!("return {};", stat_expression(name));
        let value = self.run(&script).await?;
        Ok(value.as_str().and_then(|text| text.parse().ok()))
    }

    /// Chooses a transport by the label of its radio button.
    ///
    /// # Errors
    ///
    /// There is no such radio button.
    pub async fn choose(&self, transport: &str) -> anyhow::Result<()> {
        let path = format!(
            r#"//*[@role="radiogroup"][@aria-label="Transport"]//label[normalize-space()="{transport}"]/input"#
        );
        let radio = self.client.find(Locator::XPath(&path)).await;
        let radio = radio.with_context(|| format!("no radio '{transport}'"))?;
        Ok(radio.click().await?)
    }

    /// The text of the first element that matches.
    ///
    /// # Errors
    ///
    /// No element matches.
    pub async fn text(&self, selector: &str) -> anyhow::Result<String> {
        Ok(self
            .client
            .find(Locator::Css(selector))
            .await?
            .text()
            .await?)
    }

    /// Types keys into the element that has the focus.
    ///
    /// # Errors
    ///
    /// The browser has gone.
    pub async fn press(&self, keys: &str) -> anyhow::Result<()> {
        let active = self.client.active_element().await?;
        Ok(active.send_keys(keys).await?)
    }

    /// Fills the field that this expression finds, as a person would: the page is
    /// told of it. A checkbox is checked or not.
    ///
    /// # Errors
    ///
    /// There is no such field.
    pub async fn fill(&self, field: &str, value: impl Into<Value>) -> anyhow::Result<()> {
        let value = value.into();
        let property = if value.is_boolean() {
            "checked"
        } else {
            "value"
        };
        self.run(&format!(
            "const field = {field}; field.{property} = {value};\
             for (const event of ['input', 'change']) field.dispatchEvent(new Event(event, {{ bubbles: true }}));"
        ))
        .await?;
        Ok(())
    }

    /// Clicks on the first element that matches.
    ///
    /// # Errors
    ///
    /// No element matches.
    pub async fn click(&self, selector: &str) -> anyhow::Result<()> {
        Ok(self
            .client
            .find(Locator::Css(selector))
            .await?
            .click()
            .await?)
    }

    /// Moves the mouse to this position in the window, in CSS pixels.
    ///
    /// # Errors
    ///
    /// The browser has gone.
    pub async fn point(&self, (x, y): (f64, f64)) -> anyhow::Result<()> {
        let mouse = MouseActions::new("mouse".to_owned()).then(move_to(x, y));
        Ok(self.client.perform_actions(mouse).await?)
    }

    /// Drags with the mouse from one position in the window to another.
    ///
    /// # Errors
    ///
    /// The browser has gone.
    pub async fn drag(&self, from: (f64, f64), to: (f64, f64)) -> anyhow::Result<()> {
        let button = MOUSE_BUTTON_LEFT;
        let mut mouse = MouseActions::new("mouse".to_owned())
            .then(move_to(from.0, from.1))
            .then(PointerAction::Down { button });
        for step in 1..=DRAG_STEPS {
            let share = f64::from(step) / f64::from(DRAG_STEPS);
            let at = |from: f64, to: f64| from + share * (to - from);
            mouse = mouse.then(move_to(at(from.0, to.0), at(from.1, to.1)));
        }
        let mouse = mouse.then(PointerAction::Up { button });
        Ok(self.client.perform_actions(mouse).await?)
    }

    /// Sends a command of the DevTools protocol; returns its result.
    ///
    /// # Errors
    ///
    /// The browser does not know the command, or has gone.
    pub async fn devtools(&self, command: &str, parameters: Value) -> anyhow::Result<Value> {
        let command = DevTools {
            body: json!({ "cmd": command, "params": parameters }).to_string(),
        };
        Ok(self.client.issue_cmd(command).await?)
    }

    /// The errors in Chromium's log since the last call.
    pub(crate) async fn chromium_log(&self) -> anyhow::Result<Vec<String>> {
        let entries = self.client.issue_cmd(BrowserLog).await?;
        let entries = entries.as_array().into_iter().flatten();
        let errors = entries.filter(|entry| entry["level"] == "SEVERE");
        Ok(errors.map(Value::to_string).collect())
    }

    /// Writes a screenshot into this folder, as a PNG of this name.
    ///
    /// # Errors
    ///
    /// The screenshot is nearly empty, or the file cannot be written.
    pub async fn save_picture(&self, folder: &Path, name: &str) -> anyhow::Result<()> {
        let picture = self.screenshot().await?;
        if picture.len() < 20_000 {
            bail!("{name} is nearly empty");
        }
        let path = folder.join(format!("{name}.png"));
        std::fs::write(&path, picture).with_context(|| path.display().to_string())?;
        println!("{}", path.display());
        Ok(())
    }

    /// The violations that axe-core finds, in its own words. There should be
    /// none.
    ///
    /// # Errors
    ///
    /// axe-core is missing.
    pub async fn accessibility_faults(&self) -> anyhow::Result<Vec<String>> {
        let path =
            std::env::var("AXE_CORE").context("AXE_CORE is not set: run `cargo xtask test`")?;
        let axe = std::fs::read_to_string(&path).with_context(|| path.clone())?;
        self.run(&axe).await?;
        let found = self
            .run(
                "const result = await axe.run(document, { resultTypes: ['violations'] });\
                 return result.violations.flatMap(v => v.nodes.slice(0, 3).map(n =>\
                     `${v.id}: ${n.target} ${n.failureSummary}`));",
            )
            .await?;
        Ok(serde_json::from_value(found)?)
    }

    /// A screenshot, as PNG.
    ///
    /// # Errors
    ///
    /// The browser has gone.
    pub async fn screenshot(&self) -> anyhow::Result<Vec<u8>> {
        Ok(self.client.screenshot().await?)
    }
}

fn move_to(x: f64, y: f64) -> PointerAction {
    PointerAction::MoveTo {
        duration: Some(Duration::from_millis(10)),
        x: x.round(),
        y: y.round(),
    }
}

/// ChromeDriver's command that returns the browser's log entries since the last
/// call.
#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

/// ChromeDriver's command for DevTools, which the WebDriver standard does not
/// have.
#[derive(Debug)]
struct DevTools {
    body: String,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.clone()))
    }
}

fn stat_expression(name: Stat) -> String {
    format!(
        r#"document.querySelector('[role="status"][aria-label="Connection"] [data-stat="{name}"]')?.getAttribute('data-value')"#
    )
}
