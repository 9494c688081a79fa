//! Everything that is not a transport: prices, their history, alerts, the
//! server's state, the page's files, and the OpenAPI document.

mod alerts;
mod body;
mod echo;
mod openapi;
mod page;
mod replay;
mod rest;
mod upstream;

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};

use self::openapi::Routes;
use crate::Listeners;
use crate::access::{self, Client, Counted};
use crate::app::App;
use crate::http::Fault;
use crate::http::fault;
use crate::limits;
use crate::metrics::Meter;

pub use self::page::Page;

/// Where the page for signing in sends a token.
const SIGN_IN: &str = "/sign-in";

/// Whom the public addresses are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Readers of prices only: who watches over the server has another address.
    Readers,
    /// Everybody.
    All,
}

impl Audience {
    /// Whom the public ones of these are for.
    pub(crate) fn of(listeners: &Listeners) -> Self {
        match listeners.admin.is_empty() {
            true => Self::All,
            false => Self::Readers,
        }
    }
}

/// Every route of the public addresses, including those of the transports. Does
/// not open a socket.
pub fn router(app: App, audience: Audience) -> Router {
    let Routes {
        open,
        mut data,
        watching,
        api,
    } = openapi::described(&app.base_path);
    // What watches over the server is answered whatever others hold.
    let mut watched = Router::new();
    if audience == Audience::All {
        data = data.merge(openapi::documents(api));
        watched = watching;
    }
    let permit = from_fn_with_state(app.access.clone(), access::permit);
    let unsent = from_fn_with_state(app.bounds.clone(), limits::count_unsent);
    let all = data
        .route_layer(from_fn_with_state(app.clone(), upstream::pass))
        .route_layer(unsent)
        .merge(watched)
        .route_layer(permit)
        .merge(open)
        .route(SIGN_IN, post(access::sign_in))
        .fallback(page::asset)
        .method_not_allowed_fallback(fault::method_not_allowed)
        .layer(from_fn_with_state(app.clone(), body::read));
    guarded(all, app)
}

/// What other servers ask of the one that leads them: it was allowed where it was
/// asked first.
pub(crate) fn router_of_members(app: App) -> Router {
    let Routes { data, .. } = openapi::described(&app.base_path);
    let meter = Meter::new(Arc::clone(&app.metrics));
    data.layer(Extension(Counted(None)))
        // Its share was counted where it was asked first.
        .layer(Extension(Client(Ipv4Addr::LOCALHOST.into())))
        .layer(Extension(meter))
        .with_state(app)
}

/// What stands at the addresses of `--admin-listen`: health, metrics and the
/// description of the API. No token is asked for.
pub(crate) fn router_of_watchers(app: App) -> Router {
    let Routes {
        open,
        watching,
        api,
        ..
    } = openapi::described(&app.base_path);
    let few = open
        .merge(watching)
        .merge(openapi::documents(api))
        .fallback(async || Fault::NotFound("metrics, health and api/docs are here".to_owned()))
        .method_not_allowed_fallback(fault::method_not_allowed);
    guarded(few, app)
}

/// What clients get when there are too many: health and metrics only.
pub(crate) fn router_when_full(app: App) -> Router {
    let full = "as many connections are open as this server allows; come again later";
    let few = Router::new()
        .route("/healthz", get(rest::healthz))
        .route("/readyz", get(rest::readyz))
        .route("/metrics", get(rest::metrics))
        .fallback(async move || Fault::Unavailable(full))
        .layer(from_fn(closing));
    guarded(few, app)
}

/// What a client gets that has too many connections.
pub(crate) fn router_of_too_many(app: App) -> Router {
    let most = app.bounds.limits().connections_each;
    let message = format!("at most {most} connections may be open from one address; use fewer");
    let none = Router::new()
        .fallback(async move || Fault::TooMany(message))
        .layer(from_fn(closing));
    guarded(none, app)
}

/// Closes the connection after the answer.
async fn closing(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

/// Checks where a request comes from, and tells browsers what they may do.
fn guarded(routes: Router<App>, app: App) -> Router {
    let guarded = routes.layer(from_fn_with_state(app.access.clone(), access::guard));
    // Outside of the guard: a browser asks beforehand whether it may ask.
    let guarded = match app.access.cors() {
        Some(cors) => guarded.layer(cors),
        None => guarded,
    };
    let guarded = guarded.layer(from_fn(access::headers));
    // Outside of all: what is refused is logged, too.
    let guarded = match app.access.is_logged() {
        true => guarded.layer(from_fn_with_state(app.access.clone(), access::log)),
        false => guarded,
    };
    guarded.with_state(app)
}
