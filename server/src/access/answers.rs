//! What every answer tells a browser: what the page may load, who may frame it,
//! and which other origins may read.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::AccessConfig;

/// The page loads nothing from elsewhere, runs no script that stands in a
/// document, and is not shown inside another site's page. WebAssembly needs
/// `wasm-unsafe-eval`; the chart is saved as a `blob:`.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; img-src 'self' data: blob:; media-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-src 'self'; frame-ancestors 'self'";

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The headers of every answer.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
    // A page of another origin can embed no answer, not even as a picture.
    // Those that `--allow-origin` names ask in another way.
    (CORP, HeaderValue::from_static("same-origin")),
];

/// Adds the headers to an answer.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    // A handshake is no document, and shows nothing.
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().extend(HEADERS);
    }
    response
}

/// Lets pages of the allowed origins read, and send what programs send. A cookie
/// is not for them: they present a token. `None` if there are no such origins.
pub(super) fn cors(config: &AccessConfig) -> Option<CorsLayer> {
    let allowed = config.origins.clone();
    if allowed.is_empty() {
        return None;
    }
    let is_allowed = move |origin: &HeaderValue| {
        let origin = origin.as_bytes();
        allowed
            .iter()
            .any(|known| known.as_bytes().eq_ignore_ascii_case(origin))
    };
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| is_allowed(origin)))
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
        ])
        .expose_headers([header::ETAG, header::LOCATION]);
    Some(layer)
}
