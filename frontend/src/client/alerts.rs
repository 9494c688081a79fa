//! The server's alerts: what is asked of it, and the wishes of whoever looks at
//! prices, fulfilled one after the other.

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

/// How long an answer may take. A server waits up to two seconds for its store.
const PATIENCE_MS: u32 = 10_000;
/// For how many seconds one that fired is quiet, unless that is said.
const COOLDOWN_S: u32 = 60;

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let answer = shared::from_json(body);
    answer.map_err(|error| format!("the answer could not be read: {error}"))
}

/// At most `limit` alerts after the number `after`, and whether there are more.
async fn page(after: u64, limit: usize) -> Result<AlertsAnswer, String> {
    let url = format!("{}?after={after}&limit={limit}", routes::ALERTS);
    read(&get(&url, PATIENCE_MS).await?)
}

/// The first `count` alerts, and whether there are more.
pub(crate) async fn first(count: usize) -> Result<(Vec<Alert>, bool), String> {
    /// The most that a server gives at once.
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

/// The newest `limit` firings, the newest first.
pub(crate) async fn fired(limit: u32) -> Result<Vec<Firing>, String> {
    let url = format!("{}?limit={limit}", routes::FIRED);
    let answer: FiredAnswer = read(&get(&url, PATIENCE_MS).await?)?;
    Ok(answer.fired)
}

/// Who else is told of alerts.
pub(crate) async fn webhooks() -> Result<Vec<WebhookStatus>, String> {
    let answer: WebhooksAnswer = read(&get(routes::WEBHOOKS, PATIENCE_MS).await?)?;
    Ok(answer.webhooks)
}

async fn set(request: RequestBuilder, spec: &AlertSpec) -> Result<Alert, String> {
    let json = serde_json::to_string(spec).map_err(|error| error.to_string())?;
    read(&send(request, Some(json), PATIENCE_MS).await?)
}

/// One alert.
pub(crate) async fn one(id: u64) -> Result<Alert, String> {
    read(&get(&format!("{}/{id}", routes::ALERTS), PATIENCE_MS).await?)
}

/// Makes an alert.
pub(crate) async fn create(spec: &AlertSpec) -> Result<Alert, String> {
    set(Request::post(routes::ALERTS), spec).await
}

/// Sets an alert anew, unless it has changed since it was got.
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

/// What the page wishes of the server's alerts.
pub enum AlertCommand {
    /// To know them all.
    List,
    /// To know what fired.
    Fired,
    /// To have one at another price.
    Move(Rc<Alert>, Decimal),
    /// To have one more: a symbol, and the price that it has to reach.
    Add(String, Decimal),
}

/// What there is to tell whoever wished.
pub enum Answer {
    /// A wish is taken up: what changes from now on may be missing in its
    /// answer.
    Begun {
        /// Whether it is to know all alerts.
        is_list: bool,
    },
    /// All alerts.
    All(Vec<Alert>),
    /// What fired, the newest first.
    Fired(Vec<Firing>),
    /// One is new, or other than before.
    Changed(Alert),
    /// It did not work.
    Fault {
        /// The alert that was to be another.
        alert: Option<u64>,
        /// Why.
        why: String,
    },
    /// A question had no answer that nobody asked in person: it is to be asked
    /// again, a little later.
    Again(AlertCommand),
}

/// Fulfils wishes, one after the other.
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
