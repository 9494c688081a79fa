//! What is asked of the server.

use gloo_net::http::Request;
use shared::{Alert, AlertSpec, AlertsAnswer, FiredAnswer, Firing};

use crate::client::http::{get, send};

const ALERTS: &str = "api/alerts";
/// How long an answer may take. A server waits up to two seconds for its store.
const PATIENCE_MS: u32 = 10_000;

fn unreadable(error: shared::JsonError) -> String {
    format!("the answer could not be read: {error}")
}

pub(super) async fn alerts() -> Result<Vec<Alert>, String> {
    let body = get(ALERTS, PATIENCE_MS).await?;
    let answer: AlertsAnswer = shared::from_json(&body).map_err(unreadable)?;
    Ok(answer.alerts)
}

pub(super) async fn fired() -> Result<Vec<Firing>, String> {
    let body = get("api/alerts/fired?limit=100", PATIENCE_MS).await?;
    let answer: FiredAnswer = shared::from_json(&body).map_err(unreadable)?;
    Ok(answer.fired)
}

fn json(spec: &AlertSpec) -> Result<Option<String>, String> {
    let json = serde_json::to_string(spec).map_err(|error| error.to_string())?;
    Ok(Some(json))
}

pub(super) async fn create(spec: AlertSpec) -> Result<(), String> {
    send(Request::post(ALERTS), json(&spec)?, PATIENCE_MS).await?;
    Ok(())
}

/// Sets an alert anew, unless it has changed since it was got.
pub(super) async fn replace(alert: Alert, spec: AlertSpec) -> Result<(), String> {
    let request = Request::put(&format!("{ALERTS}/{}", alert.id));
    let request = request.header("if-match", &format!("\"{}\"", alert.version));
    send(request, json(&spec)?, PATIENCE_MS).await?;
    Ok(())
}

pub(super) async fn delete(id: u64) -> Result<(), String> {
    let request = Request::delete(&format!("{ALERTS}/{id}"));
    send(request, None, PATIENCE_MS).await?;
    Ok(())
}
