//! The page, embedded in the binary.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};

use crate::http::fault::Fault;
use crate::http::negotiate;

/// What `cargo xtask build` put into `server/page`: each file, and beside it
/// it its brotli and gzip twins.
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
        return crate::http::fault::method_not_allowed(method, uri)
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
    let small = negotiate::coding(&headers).and_then(|coding| {
        let ending = if coding == "br" { "br" } else { "gz" };
        Some((coding, Page::get(&format!("{name}.{ending}"))?))
    });
    respond(name, &file, small, &headers)
}

fn respond(
    name: &str,
    file: &EmbeddedFile,
    small: Option<(&'static str, EmbeddedFile)>,
    request: &HeaderMap,
) -> Response {
    let digest = file.metadata.sha256_hash();
    let tag: String = digest.iter().take(12).map(|b| format!("{b:02x}")).collect();
    // Each coding is a form of its own, with its own tag.
    let coding = small.as_ref().map(|(coding, _)| *coding);
    let tag = match coding {
        Some(coding) => format!("\"{tag}-{coding}\""),
        None => format!("\"{tag}\""),
    };
    let unchanged = negotiate::has(request, &tag);
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let data = small.map_or_else(|| file.data.clone(), |(_, file)| file.data);
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
    if let Some(coding) = coding.filter(|_| !unchanged) {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    response
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("wav") => "audio/wav",
        _ => "application/octet-stream",
    }
}

/// Neither the twins nor the file that keeps the folder in git.
fn is_public(name: &str) -> bool {
    ![".br", ".gz"].iter().any(|ending| name.ends_with(ending)) && !name.starts_with('.')
}
