//! The calls beside the transports.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use shared::{CandlesAnswer, SnapshotAnswer, SymbolsAnswer};

use super::App;
use super::fault::Fault;
use super::query::{CandleParameters, Parameters};
use crate::clock;
use crate::metrics::Stats;
use crate::store::Health;

pub(super) async fn snapshot(
    State(app): State<App>,
    parameters: Parameters,
) -> Result<Json<SnapshotAnswer>, Fault> {
    let set = parameters.set_or_all(&app.market)?;
    let (cursor, symbols) = app.market.snapshot(&set);
    Ok(Json(SnapshotAnswer { cursor, symbols }))
}

pub(super) async fn candles(
    State(app): State<App>,
    parameters: CandleParameters,
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

pub(super) async fn symbols(State(app): State<App>) -> Json<SymbolsAnswer> {
    let symbols = app.market.instruments().to_vec();
    Json(SymbolsAnswer { symbols })
}

pub(super) async fn stats(State(app): State<App>) -> Json<Stats> {
    Json(app.metrics.stats(app.market.cursor()))
}

pub(super) async fn healthz() -> &'static str {
    "alive\n"
}

/// Whether prices can be had; and, in a line of its own, how the store does,
/// without which they can be had all the same.
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
