//! Who asks. A browser lets any page open a WebSocket to any server; what a
//! person waits for, and why, is nobody else's business.

use axum::http::{HeaderMap, HeaderName, header};

use super::fault::Fault;

/// What a proxy says that the browser asked for.
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Makes sure that a page asks that this server sent, or no page at all. On one
/// machine all are at home: a development server passes its own page's requests
/// on.
///
/// # Errors
///
/// The page is another server's.
pub(super) fn own_page(headers: &HeaderMap) -> Result<(), Fault> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or_default();
    let origin = origin.split_once("://").map(|(_, host)| host);
    let is_own = [header::HOST, FORWARDED_HOST].iter().any(|name| {
        let host = headers.get(name).and_then(|host| host.to_str().ok());
        host.is_some() && (origin == host || (is_loopback(origin) && is_loopback(host)))
    });
    if is_own {
        Ok(())
    } else {
        let message = "this is told to the server's own pages only";
        Err(Fault::Forbidden(message))
    }
}

fn is_loopback(host: Option<&str>) -> bool {
    let name = host.map(|host| match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    });
    matches!(name, Some("localhost" | "127.0.0.1" | "[::1]"))
}
