//! The page, embedded in the binary.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};

use super::fault::Fault;

/// What `cargo xtask build` put into `server/page`: each file, and beside it
/// its brotli twin.
#[derive(Embed)]
#[folder = "page/"]
struct Page;

/// What a person sees who built only the server.
const NO_PAGE: &str = include_str!("no_page.html");

/// Whether this binary has a page in it.
pub fn is_embedded() -> bool {
    Page::get("index.html").is_some()
}

pub(super) async fn asset(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if method != Method::GET && method != Method::HEAD {
        return super::fault::method_not_allowed(method, uri)
            .await
            .into_response();
    }
    let name = if path.is_empty() { "index.html" } else { path };
    let Some(file) = Page::get(name).filter(|_| is_public(name)) else {
        if path.is_empty() {
            let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            return (StatusCode::SERVICE_UNAVAILABLE, kind, NO_PAGE).into_response();
        }
        return Fault::NotFound(format!("nothing is at {}", uri.path())).into_response();
    };
    let brotli = accepts_brotli(&headers)
        .then(|| Page::get(&format!("{name}.br")))
        .flatten();
    respond(name, &file, brotli, &headers)
}

fn respond(
    name: &str,
    file: &EmbeddedFile,
    brotli: Option<EmbeddedFile>,
    request: &HeaderMap,
) -> Response {
    let digest = file.metadata.sha256_hash();
    let tag: String = digest.iter().take(12).map(|b| format!("{b:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let known = request.get(header::IF_NONE_MATCH);
    let unchanged = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let encoding = brotli.is_some();
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let data = brotli.map_or_else(|| file.data.clone(), |file| file.data);
        Body::from(Bytes::from_owner(data)).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    // Kept, but asked for again each time: a file's name says nothing of its
    // content.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let vary = HeaderValue::from_static("accept-encoding");
    headers.insert(header::VARY, vary);
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if encoding && !unchanged {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    response
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    codings.any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next() == Some("br") && parts.next() != Some("q=0")
    })
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

/// Neither the twins nor the file that keeps the folder in git.
fn is_public(name: &str) -> bool {
    !name.ends_with(".br") && !name.starts_with('.')
}
