//! Everything that answers once: where prices stand, their history, alerts, how
//! the server does, its files; and the description of all of it.

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

pub use self::page::is_embedded as is_page_embedded;

/// Every route of the server, those of the transports too. Binds nothing.
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
