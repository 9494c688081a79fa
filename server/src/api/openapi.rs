//! The OpenAPI document, generated from the same declarations as the routes.

use std::sync::Arc;

use axum::response::IntoResponse as _;
use axum::routing::get;
use axum::{Json, Router};
use shared::{ApiError, ClientCommand, ServerMessage};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::{RefOr, Server};
use utoipa::{IntoResponses as _, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{alerts, echo, replay, rest};
use crate::app::App;
use crate::http::fault::{NoToken, NotNow};
use crate::transports::{poll, sse, ws};

/// The path of the document.
const DOCUMENT: &str = "/api/openapi.json";
/// The path of the page that shows it.
const PAGE: &str = "/api/docs";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tickwire",
        description = "Live prices over WebSocket, server-sent events, long polling and polling; \
            their history; and alerts.\n\nPrices and quantities are exact decimals, as strings. \
            Times are microseconds since the Unix epoch, UTC. Every message that moves a reader \
            on has `from` and `cursor`: nothing was missed exactly when each `from` equals the \
            `cursor` before it.\n\nA server may ask for a token: \
            `Authorization: Bearer TOKEN`, or, for a WebSocket of a browser, the subprotocol \
            `tickwire.token.TOKEN` after that of the encoding.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    // Routes add the schemas of their answers, but not those of errors or
    // WebSocket messages.
    components(schemas(ApiError, ServerMessage, ClientCommand)),
    paths(document),
    tags(
        (name = "Prices", description = "Current prices and their history"),
        (name = "Transports", description = "Four ways to the same log"),
        (name = "Replay", description = "What is replayed, where it is, and files to replay"),
        (name = "Alerts", description = "Notifications when a condition is met"),
        (name = "Server", description = "The state of the server"),
    ),
)]
struct Description;

/// This document
///
/// As a page: `/api/docs`.
#[utoipa::path(get, path = "/api/openapi.json", tag = "Server",
    responses((status = 200, description = "OpenAPI 3.1", body = Object,
        example = json!({"openapi": "3.1.0"}))))]
#[expect(dead_code, reason = "its route is made by the page that shows it")]
fn document() {}

/// Every documented route, and the document.
pub(super) struct Routes {
    /// For everybody.
    pub(super) open: Router<App>,
    /// For those who may read, or change, what there is.
    pub(super) data: Router<App>,
    /// For those who watch over the server.
    pub(super) watching: Router<App>,
    pub(super) api: utoipa::openapi::OpenApi,
}

pub(super) fn described(base_path: &str) -> Routes {
    let mut description = Description::openapi();
    if !base_path.is_empty() {
        description.servers = Some(vec![Server::new(base_path)]);
    }
    let (open, health) = OpenApiRouter::new()
        .routes(routes!(rest::healthz))
        .routes(routes!(rest::readyz))
        .split_for_parts();
    let (data, mut api) = OpenApiRouter::with_openapi(description)
        .routes(routes!(ws::upgrade))
        .routes(routes!(sse::stream))
        .routes(routes!(poll::ticks))
        .routes(routes!(rest::checkpoint))
        .routes(routes!(rest::node))
        .routes(routes!(rest::snapshot))
        .routes(routes!(rest::candles))
        .routes(routes!(rest::sparks))
        .routes(routes!(rest::symbols))
        .routes(routes!(rest::time))
        .routes(routes!(rest::may_change))
        .routes(routes!(alerts::list, alerts::create))
        .routes(routes!(alerts::fired))
        .routes(routes!(alerts::get, alerts::replace, alerts::delete))
        .routes(routes!(alerts::webhooks))
        .routes(routes!(rest::stats))
        .routes(routes!(replay::get, replay::change))
        .routes(routes!(replay::bring))
        .routes(routes!(echo::request))
        .routes(routes!(echo::handshake))
        .split_for_parts();
    let (watching, metrics) = OpenApiRouter::new()
        .routes(routes!(rest::metrics))
        .split_for_parts();
    api.merge(metrics);
    for path in api.paths.paths.values_mut() {
        operations(path)
            .for_each(|operation| operation.responses.responses.extend(NoToken::responses()));
        // What changes something may be passed to another server.
        changes(path).for_each(|operation| {
            operation.responses.responses.extend(NotNow::responses());
        });
    }
    api.merge(health);
    api.paths.paths.values_mut().for_each(without_nulls);
    Routes {
        open,
        data,
        watching,
        api,
    }
}

/// What changes something at a path.
fn changes(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        post,
        put,
        patch,
        delete,
        ..
    } = path;
    let all = [post, put, patch, delete].into_iter();
    all.filter_map(|operation| operation.as_mut())
}

/// What can be done at a path.
fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        post,
        put,
        patch,
        delete,
        ..
    } = path;
    [get, post, put, patch, delete]
        .into_iter()
        .filter_map(|operation| operation.as_mut())
}

/// A parameter may be left out, which is not the same as `null`: in a URL or a
/// header, that is a text of four letters.
fn without_nulls(path: &mut PathItem) {
    let parameters = operations(path)
        .filter_map(|operation| operation.parameters.as_mut())
        .flatten();
    for parameter in parameters {
        if let RefOr::T(parameter) = parameter
            && let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema
            && let SchemaType::Array(types) = &object.schema_type
            && let Some(kind) = types.iter().find(|kind| **kind != Type::Null)
        {
            object.schema_type = SchemaType::Type(kind.clone());
        }
    }
}

/// The document, and a page to read it that loads nothing from other servers.
pub(super) fn documents(api: utoipa::openapi::OpenApi) -> Router<App> {
    // Relative to the page, which a proxy may serve below a path prefix.
    let config = Config::new(["../openapi.json"])
        .validator_url("none")
        .display_request_duration(true)
        .default_models_expand_depth(0);
    let api = Arc::new(api);
    let pages: Router<App> = SwaggerUi::new(PAGE).config(config).into();
    pages.route(
        DOCUMENT,
        get(move || {
            let api = Arc::clone(&api);
            async move { Json(&*api).into_response() }
        }),
    )
}
