//! The calls beside the transports.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use shared::{CandlesAnswer, SnapshotAnswer, SymbolsAnswer};

use super::App;
use super::fault::{BadQuery, Fault, NotNow};
use super::query::{CandleParameters, Query, SymbolsParameter};
use crate::clock;
use crate::metrics::Stats;
use crate::store::Health;

/// Where symbols stand
///
/// All of them unless some are named; with the cursor to go on from.
#[utoipa::path(get, path = "/api/snapshot", tag = "Prices", params(SymbolsParameter),
    responses((status = 200, description = "Where each symbol stands", body = SnapshotAnswer,
        example = json!({"cursor": "k3f9zq-128843", "symbols": [{"symbol": "BTC-USD",
            "name": "Bitcoin", "decimals": 2, "last": "64012.50", "bid": "64012.00",
            "ask": "64013.00", "open": "63100.00", "high": "64500.00", "low": "62990.10",
            "volume": "1893.4421", "time": 1_763_836_800_000_000_i64}]})), BadQuery))]
pub(super) async fn snapshot(
    State(app): State<App>,
    Query(symbols): Query<SymbolsParameter>,
) -> Result<Json<SnapshotAnswer>, Fault> {
    let set = symbols.set_or_all(&app.market)?;
    let (cursor, symbols) = app.market.snapshot(&set);
    Ok(Json(SnapshotAnswer { cursor, symbols }))
}

/// History, as candles
///
/// From memory and the store as one, oldest first; the newest one may be still
/// open. To page back, ask again with `to` set to the `time` of the first one.
#[utoipa::path(get, path = "/api/candles", tag = "Prices", params(CandleParameters),
    responses((status = 200, description = "The candles of the range", body = CandlesAnswer,
        example = json!({"symbol": "BTC-USD", "interval": "1m", "cursor": "k3f9zq-128843",
            "candles": [{"time": 1_763_836_800_000_000_i64, "open": "64010.00",
                "high": "64020.50", "low": "64001.00", "close": "64012.75",
                "volume": "12.0417", "trades": 48}]})), BadQuery, NotNow))]
pub(super) async fn candles(
    State(app): State<App>,
    Query(parameters): Query<CandleParameters>,
) -> Result<Json<CandlesAnswer>, Fault> {
    let interval = parameters.interval()?;
    let (symbol, range) = (parameters.symbol()?, parameters.range()?);
    let limit = parameters.limit()?;
    let found = app.archive.candles(symbol, interval, range, limit).await;
    let (cursor, candles) = found?;
    Ok(Json(CandlesAnswer {
        symbol: symbol.to_owned(),
        interval: interval.name().to_owned(),
        cursor,
        candles,
    }))
}

/// The catalogue
#[utoipa::path(get, path = "/api/symbols", tag = "Prices",
    responses((status = 200, description = "Every symbol, in the feed's order",
        body = SymbolsAnswer, example = json!({"symbols":
            [{"symbol": "BTC-USD", "name": "Bitcoin", "decimals": 2}]}))))]
pub(super) async fn symbols(State(app): State<App>) -> Json<SymbolsAnswer> {
    let symbols = app.market.instruments().to_vec();
    Json(SymbolsAnswer { symbols })
}

/// What each transport has cost so far
#[utoipa::path(get, path = "/api/stats", tag = "Server",
    responses((status = 200, description = "Since the server began", body = Stats,
        example = json!({"uptime_ms": 60_000, "cursor": "k3f9zq-128843", "transports":
            [{"transport": "ws", "open": 1, "requests": 1, "empty_answers": 0,
              "messages": 3_600, "ticks": 120_000, "payload_bytes": 15_600_000,
              "cpu_us": 210_000}]}))))]
pub(super) async fn stats(State(app): State<App>) -> Json<Stats> {
    Json(app.metrics.stats(app.market.cursor()))
}

/// Whether the server lives
#[utoipa::path(get, path = "/healthz", tag = "Server",
    responses((status = 200, description = "It does", body = String,
        content_type = "text/plain", example = "alive\n")))]
pub(super) async fn healthz() -> &'static str {
    "alive\n"
}

/// Whether prices can be had
///
/// And, in a line of its own, how the store does, without which they can be had
/// all the same.
#[utoipa::path(get, path = "/readyz", tag = "Server",
    responses((status = 200, description = "They can", body = String,
        content_type = "text/plain",
        example = "ready\nstore: saved 0.4 s ago, 0 candles lost\n"), NotNow))]
pub(super) async fn readyz(State(app): State<App>) -> Result<String, Fault> {
    if app.shutdown.is_cancelled() {
        Err(Fault::Unavailable("the server is shutting down"))
    } else if !app.market.is_ready() {
        Err(Fault::Unavailable("no price has arrived yet"))
    } else {
        let store = match &app.store {
            Some(health) => health.line(clock::now()),
            None => "store: none, history is in memory only".to_owned(),
        };
        Ok(format!("ready\n{store}\n"))
    }
}

/// Figures for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "Server",
    responses((status = 200, description = "In the text format of OpenMetrics",
        body = String, content_type = "application/openmetrics-text",
        example = "tickwire_log_head 128843\n")))]
pub(super) async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, Fault> {
    let head = app.market.cursor().seq;
    let store = app.store.as_ref().map(Health::status);
    let text = app.metrics.prometheus(head, store.as_ref());
    let text = text.map_err(|error| {
        tracing::error!(%error, "could not encode the metrics");
        Fault::Internal
    })?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text))
}
