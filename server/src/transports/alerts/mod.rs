//! Alerts: made, changed and deleted.
//!
//! What a browser lets pages of other servers send without asking is refused:
//! these calls need a JSON body or another method than GET and POST.

mod draft;

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use shared::{Alert, AlertSpec, AlertsAnswer, FiredAnswer};
use tokio::time::timeout;

use super::App;
use super::fault::Fault;
use super::query::FiredParameters;

/// The longest body: many times the longest alert.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024;
/// How long an answer waits for the store. When that is in trouble, the alert
/// is in force all the same, and `/readyz` and every page tell of the trouble.
const SAVE_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) async fn list(State(app): State<App>) -> Json<AlertsAnswer> {
    let alerts = app.market.alerts();
    Json(AlertsAnswer { alerts })
}

pub(super) async fn fired(
    State(app): State<App>,
    parameters: FiredParameters,
) -> Result<Json<FiredAnswer>, Fault> {
    let fired = app.market.fired(parameters.limit()?);
    Ok(Json(FiredAnswer { fired }))
}

pub(super) async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Fault> {
    let spec = spec(&headers, body)?;
    let alert = app.market.create_alert(spec)?;
    save(&app).await;
    let place = HeaderValue::try_from(format!("/api/alerts/{}", alert.id));
    let place = place.map_err(|_| Fault::Internal)?;
    let mut response = (StatusCode::CREATED, answer(&alert)).into_response();
    response.headers_mut().insert(header::LOCATION, place);
    Ok(response)
}

pub(super) async fn get(
    State(app): State<App>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Response, Fault> {
    let alert = app.market.alert(number(id)?)?;
    Ok(answer(&alert).into_response())
}

pub(super) async fn replace(
    State(app): State<App>,
    id: Result<Path<u64>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Fault> {
    let id = number(id)?;
    let expected = expected(&headers)?;
    let spec = spec(&headers, body)?;
    let alert = app.market.replace_alert(id, expected, spec)?;
    save(&app).await;
    Ok(answer(&alert).into_response())
}

pub(super) async fn delete(
    State(app): State<App>,
    id: Result<Path<u64>, PathRejection>,
    headers: HeaderMap,
) -> Result<StatusCode, Fault> {
    let id = number(id)?;
    app.market.delete_alert(id, expected(&headers)?)?;
    save(&app).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn save(app: &App) {
    // See SAVE_TIMEOUT.
    let _ = timeout(SAVE_TIMEOUT, app.market.alerts_saved()).await;
}

/// The alert with its version as `ETag`.
fn answer(alert: &Alert) -> impl IntoResponse {
    let tag = format!("\"{}\"", alert.version);
    let headers = [
        (header::ETAG, tag),
        // How often it fired changes without the version.
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

/// The version that the caller wants to change; `None` for any.
fn expected(headers: &HeaderMap) -> Result<Option<u64>, Fault> {
    let Some(tag) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let tag = tag.to_str().unwrap_or_default();
    if tag == "*" {
        return Ok(None);
    }
    let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let version = version.and_then(|version| version.parse().ok());
    version.map(Some).ok_or_else(|| {
        let tag: String = tag.chars().take(40).collect();
        Fault::BadParameter(format!(
            "if-match {tag} is not allowed; give back one ETag of the alert, as in \"3\", or *"
        ))
    })
}

fn spec(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<AlertSpec, Fault> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Fault::UnsupportedMediaType(
            "the body has to be JSON; say so with content-type: application/json",
        ));
    }
    let body = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Fault::TooLarge(BODY_BYTES_MAX),
        _ => Fault::BadParameter(error.body_text().to_lowercase()),
    })?;
    draft::read(&body).map_err(Fault::BadFields)
}
