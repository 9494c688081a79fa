//! The server's alerts: calls that read and change them, and a loop that
//! carries out alert commands one after the other.

use std::rc::Rc;

use futures_channel::mpsc;
use futures_util::StreamExt;
use gloo_net::http::{Request, RequestBuilder};
use serde::de::DeserializeOwned;
use shared::{
    Alert, AlertSpec, AlertsAnswer, Condition, Decimal, FiredAnswer, Firing, PriceKind,
    WebhookStatus, WebhooksAnswer, routes,
};

use super::http::{get, send};

/// How long an answer may take. A server may wait up to two seconds for its
/// store.
const PATIENCE_MS: u32 = 10_000;
/// The cooldown of an alert that is added from a chart, in seconds.
const COOLDOWN_S: u32 = 60;

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let answer = serde_json::from_slice(body);
    answer.map_err(|error| format!("the answer could not be read: {error}"))
}

/// At most `limit` alerts with numbers above `after`, and whether there are
/// more.
async fn page(after: u64, limit: usize) -> Result<AlertsAnswer, String> {
    let url = format!("{}?after={after}&limit={limit}", routes::ALERTS);
    read(&get(&url, PATIENCE_MS).await?)
}

/// The first `count` alerts, and whether there are more.
pub(crate) async fn first(count: usize) -> Result<(Vec<Alert>, bool), String> {
    /// The most alerts that a server returns at once.
    const PAGE_MAX: usize = 1_000;
    let (mut alerts, mut after) = (Vec::new(), 0);
    loop {
        let answer = page(after, PAGE_MAX.min(count - alerts.len())).await?;
        alerts.extend(answer.alerts);
        match answer.next {
            Some(next) if alerts.len() < count => after = next,
            next => return Ok((alerts, next.is_some())),
        }
    }
}

/// The newest `limit` firings, newest first.
pub(crate) async fn fired(limit: u32) -> Result<Vec<Firing>, String> {
    let url = format!("{}?limit={limit}", routes::FIRED);
    let answer: FiredAnswer = read(&get(&url, PATIENCE_MS).await?)?;
    Ok(answer.fired)
}

/// The programs that the server notifies of alerts.
pub(crate) async fn webhooks() -> Result<Vec<WebhookStatus>, String> {
    let answer: WebhooksAnswer = read(&get(routes::WEBHOOKS, PATIENCE_MS).await?)?;
    Ok(answer.webhooks)
}

async fn set(request: RequestBuilder, spec: &AlertSpec) -> Result<Alert, String> {
    let json = serde_json::to_string(spec).map_err(|error| error.to_string())?;
    read(&send(request, Some(json), PATIENCE_MS).await?)
}

/// One alert, by its number.
pub(crate) async fn one(id: u64) -> Result<Alert, String> {
    read(&get(&format!("{}/{id}", routes::ALERTS), PATIENCE_MS).await?)
}

/// Makes an alert.
pub(crate) async fn create(spec: &AlertSpec) -> Result<Alert, String> {
    set(Request::post(routes::ALERTS), spec).await
}

/// Replaces an alert, unless it has changed since it was read.
pub(crate) async fn replace(alert: &Alert, spec: &AlertSpec) -> Result<Alert, String> {
    let request = Request::put(&format!("{}/{}", routes::ALERTS, alert.id));
    let tag = format!("\"{}\"", alert.version);
    set(request.header("if-match", &tag), spec).await
}

/// Deletes an alert.
pub(crate) async fn delete(id: u64) -> Result<(), String> {
    let request = Request::delete(&format!("{}/{id}", routes::ALERTS));
    send(request, None, PATIENCE_MS).await?;
    Ok(())
}

/// What the page asks of the server's alerts.
pub enum AlertCommand {
    /// List all alerts.
    List,
    /// List what fired.
    Fired,
    /// Move an alert to another price.
    Move(Rc<Alert>, Decimal),
    /// Add an alert that fires when the symbol crosses this price.
    Add(String, Decimal),
}

/// An event for the sender of alert commands.
pub enum Answer {
    /// A command has been started. Its answer may lack changes from now on.
    Begun {
        /// Whether the command lists all alerts.
        is_list: bool,
    },
    /// All alerts.
    All(Vec<Alert>),
    /// What fired, newest first.
    Fired(Vec<Firing>),
    /// This alert was added or changed.
    Changed(Alert),
    /// A command failed.
    Fault {
        /// The alert that was to be moved; `None` if one was to be added.
        alert: Option<u64>,
        /// The reason, in words.
        why: String,
    },
    /// A list could not be read. No person has asked for it, so the failure is
    /// not shown, and the command is to be repeated a little later.
    Again(AlertCommand),
}

/// Carries out alert commands, one after the other.
pub(crate) async fn serve(
    mut wishes: mpsc::UnboundedReceiver<AlertCommand>,
    tell: impl Fn(Answer),
) {
    while let Some(wish) = wishes.next().await {
        let is_list = matches!(wish, AlertCommand::List);
        tell(Answer::Begun { is_list });
        let answer = match wish {
            AlertCommand::List => {
                let all = first(usize::MAX).await;
                all.map_or(Answer::Again(AlertCommand::List), |(all, _)| {
                    Answer::All(all)
                })
            }
            AlertCommand::Fired => {
                let fired = fired(1_000).await;
                fired.map_or(Answer::Again(AlertCommand::Fired), Answer::Fired)
            }
            AlertCommand::Move(alert, level) => {
                let mut spec = alert.spec.clone();
                spec.condition = spec.condition.at(level);
                let fault = |why| Answer::Fault {
                    alert: Some(alert.id),
                    why,
                };
                let moved = replace(&alert, &spec).await;
                moved.map_or_else(fault, Answer::Changed)
            }
            AlertCommand::Add(symbol, level) => {
                let spec = AlertSpec {
                    symbol,
                    condition: Condition::Crosses(level),
                    on: PriceKind::Last,
                    repeat: false,
                    cooldown_s: COOLDOWN_S,
                    enabled: true,
                    note: String::new(),
                };
                let fault = |why| Answer::Fault { alert: None, why };
                create(&spec).await.map_or_else(fault, Answer::Changed)
            }
        };
        tell(answer);
    }
}
