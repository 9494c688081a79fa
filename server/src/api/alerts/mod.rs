//! Alerts: create, change and delete.
//!
//! Requests that a browser lets pages of other origins send without a preflight
//! are rejected: these calls need a JSON body or a method other than GET and
//! POST.

mod described;
mod draft;

pub(super) use self::described::AlertDraft;

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use shared::{Alert, AlertSpec, AlertsAnswer, FiredAnswer, Firing, WebhooksAnswer};
use tokio::time::timeout;

use crate::access::Client;
use crate::alerts::Elsewhere;
use crate::app::App;
use crate::http::fault::{
    BadAlert, BadQuery, BadTag, Fault, Full, NoAlert, NotJson, Stale, TooLong,
};
use crate::http::negotiate;
use crate::http::query::{AlertsParameters, FiredParameters, Query};

/// How long an answer waits for the store. If the store fails, the alert is in
/// force all the same, and `/readyz` and every page report the failure.
const SAVE_TIMEOUT: Duration = Duration::from_secs(2);

/// All alerts
///
/// By number, one page at a time. The `ETag` changes with every change of any
/// alert, so a client that polls with `If-None-Match` gets the list only when
/// it has changed.
#[utoipa::path(get, path = "/api/alerts", tag = "Alerts",
    params(AlertsParameters, ("If-None-Match" = Option<String>, Header, pattern = "^(\\*|\"[0-9]{1,19}\")$", example = "\"k3f9zq-12\"",
        description = "The ETag of the same page, if the client has it")),
    responses((status = 200, description = "The alerts, by number", body = AlertsAnswer,
        headers(("ETag" = String, description = "Changes with every change of any alert")),
        example = json!({"alerts": [{"id": 7, "version": 1, "symbol": "BTC-USD",
            "above": "64000.00", "repeat": false, "cooldown_s": 60, "enabled": true,
            "note": "", "created": 1_763_836_800_000_000_i64, "fired": 0}]})),
        (status = 304, description = "Not modified"), BadQuery))]
pub(super) async fn list(
    State(app): State<App>,
    Query(parameters): Query<AlertsParameters>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let (after, limit) = (parameters.after()?, parameters.limit()?);
    let page = app.alerts.page(after, limit);
    // Changes are counted by each server for itself, from its start on.
    let tag = format!("\"{}-{}\"", app.start, page.change);
    let known = negotiate::has(&headers, &tag);
    // May be cached, but must be revalidated each time.
    let headers = [
        (header::ETAG, tag),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let alerts = page.alerts.iter().map(|alert| Alert::clone(alert));
    let answer = AlertsAnswer {
        alerts: alerts.collect(),
        next: page
            .alerts
            .last()
            .filter(|_| page.has_more)
            .map(|alert| alert.id),
    };
    Ok((headers, Json(answer)).into_response())
}

/// Webhook receivers
///
/// The receivers that `--webhook` names, and the state of their deliveries.
#[utoipa::path(get, path = "/api/webhooks", tag = "Alerts",
    responses((status = 200, description = "The receivers, in configured order", body = WebhooksAnswer,
        example = json!({"webhooks": [{"receiver": "hooks.example.org", "waiting": 3,
            "taken": 12, "given_up": 0, "failing_since": 1_763_836_800_000_000_i64,
            "detail": "it answered 503 Service Unavailable"}]}))))]
pub(super) async fn webhooks(State(app): State<App>) -> Json<WebhooksAnswer> {
    let webhooks = app.webhooks.iter().map(|webhook| webhook.status());
    Json(WebhooksAnswer {
        webhooks: webhooks.collect(),
    })
}

/// Recent firings
///
/// Newest first, including those of deleted alerts.
#[utoipa::path(get, path = "/api/alerts/fired", tag = "Alerts", params(FiredParameters),
    responses((status = 200, description = "The newest firings", body = FiredAnswer,
        example = json!({"fired": [{"id": 7, "symbol": "BTC-USD", "above": "64000.00",
            "price": "64012.75", "time": 1_763_836_800_012_345_i64, "count": 1}]})), BadQuery))]
pub(super) async fn fired(
    State(app): State<App>,
    Query(parameters): Query<FiredParameters>,
) -> Result<Json<FiredAnswer>, Fault> {
    let fired = app.alerts.fired(parameters.limit()?);
    let fired = fired.iter().map(|firing| Firing::clone(firing));
    Ok(Json(FiredAnswer {
        fired: fired.collect(),
    }))
}

/// Creates an alert
///
/// The condition is exactly one of `above`, `below` and `crosses` (a price as a
/// string), `moves` (`{"percent":"2.5","window_s":300}`) and `silent_s`
/// (seconds without a tick). The answer is sent once the alert is stored. If
/// the store cannot save (see `/readyz`), the answer is sent after two seconds,
/// and the alert is stored later.
#[utoipa::path(post, path = "/api/alerts", tag = "Alerts",
    request_body(content = AlertDraft, example = json!({"symbol": "BTC-USD", "above": "64000.00", "repeat": true, "cooldown_s": 300,
            "note": "time to look"})),
    responses((status = 201, description = "Created", body = Alert,
        headers(("Location" = String, description = "The URL of the alert: `/api/alerts/{id}`"),
            ("ETag" = String, description = "Its version")),
        example = json!({"id": 7, "version": 1, "symbol": "BTC-USD",
            "above": "64000.00", "repeat": false, "cooldown_s": 60, "enabled": true,
            "note": "", "created": 1_763_836_800_000_000_i64, "fired": 0})), BadAlert, Full, TooLong, NotJson))]
pub(super) async fn create(
    State(app): State<App>,
    Extension(Client(client)): Extension<Client>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Fault> {
    let spec = spec(&headers, &body)?;
    app.bounds.change(client)?;
    let alert = app.alerts.create(spec)?;
    save(&app).await?;
    let place = HeaderValue::try_from(format!("{}/api/alerts/{}", app.base_path, alert.id));
    let place = place.map_err(|_| Fault::Internal)?;
    let mut response = (StatusCode::CREATED, answer(&alert)).into_response();
    response.headers_mut().insert(header::LOCATION, place);
    Ok(response)
}

/// One alert
#[utoipa::path(get, path = "/api/alerts/{id}", tag = "Alerts",
    params(("id" = u64, Path, description = "The alert's number", example = 7)),
    responses((status = 200, description = "The alert", body = Alert,
        headers(("ETag" = String, description = "Its version")),
        example = json!({"id": 7, "version": 1, "symbol": "BTC-USD",
            "above": "64000.00", "repeat": false, "cooldown_s": 60, "enabled": true,
            "note": "", "created": 1_763_836_800_000_000_i64, "fired": 0})), NoAlert))]
pub(super) async fn get(
    State(app): State<App>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Response, Fault> {
    let alert = app.alerts.get(number(id)?)?;
    Ok(answer(&alert).into_response())
}

/// Replaces an alert
///
/// All settings are replaced: a missing field gets its default. An answer of
/// GET can be changed and sent back. The alert is armed again, as if it had not
/// fired.
#[utoipa::path(put, path = "/api/alerts/{id}", tag = "Alerts",
    params(("id" = u64, Path, description = "The alert's number", example = 7), ("If-Match" = Option<String>, Header, pattern = "^(\\*|\"[0-9]{1,19}\")$", example = "\"1\"",
            description = "The ETag of the expected version; without it, or with `*`, any version")),
    request_body(content = AlertDraft, example = json!({"symbol": "BTC-USD", "above": "64000.00", "repeat": true, "cooldown_s": 300,
            "note": "time to look"})),
    responses((status = 200, description = "The changed alert", body = Alert,
        headers(("ETag" = String, description = "Its version")),
        example = json!({"id": 7, "version": 1, "symbol": "BTC-USD",
            "above": "64000.00", "repeat": false, "cooldown_s": 60, "enabled": true,
            "note": "", "created": 1_763_836_800_000_000_i64, "fired": 0})), BadAlert, NoAlert, Stale, TooLong, NotJson))]
pub(super) async fn replace(
    State(app): State<App>,
    Extension(Client(client)): Extension<Client>,
    id: Result<Path<u64>, PathRejection>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Fault> {
    let id = number(id)?;
    let expected = expected(&headers)?;
    let spec = spec(&headers, &body)?;
    app.bounds.change(client)?;
    let alert = app.alerts.replace(id, expected.as_deref(), spec)?;
    save(&app).await?;
    Ok(answer(&alert).into_response())
}

/// Deletes an alert
#[utoipa::path(delete, path = "/api/alerts/{id}", tag = "Alerts",
    params(("id" = u64, Path, description = "The alert's number", example = 7), ("If-Match" = Option<String>, Header, pattern = "^(\\*|\"[0-9]{1,19}\")$", example = "*",
            description = "The ETag of the expected version; without it, or with `*`, any version")),
    responses((status = 204, description = "Deleted"), BadTag, NoAlert, Stale))]
pub(super) async fn delete(
    State(app): State<App>,
    Extension(Client(client)): Extension<Client>,
    id: Result<Path<u64>, PathRejection>,
    headers: HeaderMap,
) -> Result<StatusCode, Fault> {
    let id = number(id)?;
    app.bounds.change(client)?;
    app.alerts.delete(id, expected(&headers)?.as_deref())?;
    save(&app).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Waits until a change is saved, and known to the servers that share the log.
///
/// # Errors
///
/// Another server leads, or none does: then the change may not hold.
async fn save(app: &App) -> Result<(), Fault> {
    // See SAVE_TIMEOUT.
    let saved = timeout(SAVE_TIMEOUT, app.alerts.until_saved());
    let shared = timeout(SAVE_TIMEOUT, app.alerts.until_shared());
    let (_, shared) = tokio::join!(saved, shared);
    Ok(shared.unwrap_or(Err(Elsewhere))?)
}

/// The alert with its version as `ETag`.
fn answer(alert: &Alert) -> impl IntoResponse {
    let tag = format!("\"{}\"", alert.version);
    let headers = [
        (header::ETAG, tag),
        // The count of firings changes while the version does not.
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, Json(alert.clone()))
}

fn number(id: Result<Path<u64>, PathRejection>) -> Result<u64, Fault> {
    let Path(id) = id.map_err(|_| {
        let message = "the id of an alert is a whole number; GET /api/alerts lists them";
        Fault::NotFound(message.to_owned())
    })?;
    Ok(id)
}

/// The versions that the client expects; `None` for any.
fn expected(headers: &HeaderMap) -> Result<Option<Vec<u64>>, Fault> {
    let mut versions = None;
    for value in headers.get_all(header::IF_MATCH) {
        // A header that is not text is not one of our tags.
        let value = value.to_str().unwrap_or("?");
        if value.trim() == "*" {
            return Ok(None);
        }
        // A proxy that compresses answers makes tags weak (RFC 9110, section
        // 8.8.3.3). A version is the same for all encodings of an answer.
        let tags = negotiate::tags(value).ok_or_else(|| {
            let value: String = value.chars().take(40).collect();
            Fault::BadParameter(format!(
                "if-match {value} is not allowed; give back an ETag of the alert, as in \"3\", or *"
            ))
        })?;
        // An unknown tag matches nothing, and neither does an empty list.
        let tags = tags.iter().map(|tag| tag.parse().unwrap_or(0));
        versions.get_or_insert_with(Vec::new).extend(tags);
    }
    Ok(versions)
}

fn spec(headers: &HeaderMap, body: &[u8]) -> Result<AlertSpec, Fault> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Fault::UnsupportedMediaType(
            "the body has to be JSON; say so with content-type: application/json",
        ));
    }
    draft::read(body).map_err(Fault::BadFields)
}
