//! Everything that is not a transport: prices, their history, alerts, the
//! server's state, the page's files, and the OpenAPI document.

mod alerts;
mod echo;
mod openapi;
mod page;
mod rest;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::post;

use crate::access;
use crate::app::App;
use crate::http::fault;

pub use self::page::Page;

/// Where the page for signing in sends a token.
const SIGN_IN: &str = "/sign-in";

/// Every route of the server, including those of the transports. Does not open
/// a socket.
pub fn router(app: App) -> Router {
    let (open, data, api) = openapi::described(&app.base_path);
    let permit = from_fn_with_state(app.access.clone(), access::permit);
    data.merge(openapi::documents(api))
        .route_layer(permit)
        .merge(open)
        .route(SIGN_IN, post(access::sign_in))
        .fallback(page::asset)
        .method_not_allowed_fallback(fault::method_not_allowed)
        .layer(DefaultBodyLimit::max(alerts::BODY_BYTES_MAX))
        .layer(from_fn_with_state(app.access.clone(), access::guard))
        // Outside of the guard: a browser asks beforehand whether it may ask.
        .layer(app.access.cors())
        .layer(from_fn(access::headers))
        .with_state(app)
}
