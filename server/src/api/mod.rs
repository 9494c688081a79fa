//! Everything that is not a transport: prices, their history, alerts, the
//! server's state, the page's files, and the OpenAPI document.

mod alerts;
mod echo;
mod openapi;
mod page;
mod rest;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;

use crate::access;
use crate::app::App;
use crate::http::fault;

pub use self::page::Page;

/// Every route of the server, including those of the transports. Does not open
/// a socket.
pub fn router(app: App) -> Router {
    let (router, api) = openapi::described(&app.base_path);
    router
        .merge(openapi::documents(api))
        .fallback(page::asset)
        .method_not_allowed_fallback(fault::method_not_allowed)
        .layer(DefaultBodyLimit::max(alerts::BODY_BYTES_MAX))
        .layer(from_fn_with_state(app.access.clone(), access::guard))
        .with_state(app)
}
