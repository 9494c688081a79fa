//! REST calls that are not transports.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use shared::{
    Alert, CandlesAnswer, Checkpoint, Interval, LastDay, NodeAnswer, SPARKS_MAX, SnapshotAnswer,
    Span, SparksAnswer, StatsAnswer, SymbolsAnswer, Time, TimeAnswer,
};

use crate::access::Counted;
use crate::app::App;
use crate::clock;
use crate::http::fault::{BadQuery, Fault, NotNow, OtherPage};
use crate::http::negotiate;
use crate::http::query::{CandleParameters, Query, SymbolsParameter};
use crate::market::clock_words;
use crate::metrics::Present;
use crate::store::Health;

/// How many bars of 15 minutes a day has.
const BARS_A_DAY: usize = 96;

/// Current state of symbols
///
/// All symbols unless some are named, with the cursor to resume from.
#[utoipa::path(get, path = "/api/snapshot", tag = "Prices", params(SymbolsParameter),
    responses((status = 200, description = "The state of each symbol", body = SnapshotAnswer,
        example = json!({"cursor": "k3f9zq-128843", "symbols": [{"symbol": "BTC-USD",
            "name": "Bitcoin", "decimals": 2, "last": "64012.50", "bid": "64012.00",
            "ask": "64013.00", "open": "63100.00", "high": "64500.00", "low": "62990.10",
            "volume": "1893.4421", "time": 1_763_836_800_000_000_i64}]})), BadQuery))]
pub(super) async fn snapshot(
    State(app): State<App>,
    Query(symbols): Query<SymbolsParameter>,
) -> Result<impl IntoResponse, Fault> {
    let set = symbols.set_or_all(&app)?;
    let json = app.market.snapshot(&set).ok_or(Fault::Internal)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json))
}

/// Everything that another server needs to go on from here
///
/// Whoever mirrors this server's log (`--feed tickwire:URL`) begins with it, and follows
/// the log from its `cursor` on.
#[utoipa::path(get, path = "/api/checkpoint", tag = "Server",
    responses((status = 200, description = "Where the server stands", body = Checkpoint,
        example = json!({"version": 6, "cursor": "k3f9zq-128843", "instruments":
            [{"symbol": "BTC-USD", "name": "Bitcoin", "decimals": 2, "qty_decimals": 4}],
            "states": [{"symbol": "BTC-USD", "name": "Bitcoin", "decimals": 2, "last": "64012.50",
                "volume": "1893.4421", "time": 1_763_836_800_000_000_i64}],
            "bars": [[null, null, null, null, null, null, null]],
            "feed": {"feed": "sim", "state": "live", "detail": ""}, "silence_max_ms": 60_000,
            "has_prices": true, "alerts": [], "fired": []})), NotNow))]
pub(super) async fn checkpoint(
    State(app): State<App>,
    Extension(Counted(client)): Extension<Counted>,
) -> Result<Json<Checkpoint>, Fault> {
    let _permit = app.bounds.history_call(client)?;
    let silence_max_ms = u64::try_from(app.silence_max.as_millis()).unwrap_or(u64::MAX);
    let mut checkpoint = app.market.checkpoint(silence_max_ms);
    // These may be newer than the position; their changes can be taken in twice.
    let past = app.alerts.past();
    checkpoint.alerts = past
        .alerts
        .iter()
        .map(|kept| Alert::clone(&kept.alert))
        .collect();
    checkpoint.fired = past.fired;
    Ok(Json(checkpoint))
}

/// How this server stands among others
///
/// Its name, who leads, and how far it is behind, if it shares its log; whom it mirrors,
/// if it is a relay.
#[utoipa::path(get, path = "/api/node", tag = "Server",
    responses((status = 200, description = "How it stands", body = NodeAnswer,
        example = json!({"node": "b", "leader": "a", "behind": 0, "hop_us": 740}))))]
pub(super) async fn node(State(app): State<App>) -> Json<NodeAnswer> {
    let mirrors = app
        .upstream
        .as_ref()
        .and_then(|upstream| upstream.address());
    Json(match &app.node {
        Some(node) => node.answer(),
        None => NodeAnswer {
            mirrors,
            ..NodeAnswer::default()
        },
    })
}

/// History, as candles
///
/// From memory and the store combined, oldest first; the newest candle may
/// still be open. To page back, request again with `to` set to the `time` of
/// the first candle.
#[utoipa::path(get, path = "/api/candles", tag = "Prices", params(CandleParameters),
    responses((status = 200, description = "The candles of the range", body = CandlesAnswer,
        example = json!({"symbol": "BTC-USD", "interval": "1m", "cursor": "k3f9zq-128843",
            "candles": [{"time": 1_763_836_800_000_000_i64, "open": "64010.00",
                "high": "64020.50", "low": "64001.00", "close": "64012.75",
                "volume": "12.0417", "trades": 48}]})), BadQuery, NotNow))]
pub(super) async fn candles(
    State(app): State<App>,
    Extension(Counted(client)): Extension<Counted>,
    Query(parameters): Query<CandleParameters>,
) -> Result<Json<CandlesAnswer>, Fault> {
    let interval = parameters.interval()?;
    let symbol = app.market.catalogue().symbol(parameters.symbol()?)?;
    let range = parameters.range()?;
    let limit = parameters.limit()?;
    let _permit = app.bounds.history_call(client)?;
    let found = app.archive.candles(symbol, interval, range, limit).await;
    let (cursor, candles) = found?;
    Ok(Json(CandlesAnswer {
        symbol: symbol.to_owned(),
        interval: interval.name().to_owned(),
        cursor,
        breaks: app.archive.breaks(&candles, interval),
        candles,
    }))
}

/// The last day of several symbols, for sparklines
///
/// For each symbol the closes of its bars of 15 minutes, in the 24 hours before
/// its newest price. At most 200 symbols have to be named.
#[utoipa::path(get, path = "/api/sparks", tag = "Prices", params(SymbolsParameter),
    responses((status = 200, description = "The last day of each symbol", body = SparksAnswer,
        example = json!({"sparks": [{"symbol": "BTC-USD",
            "times": [1_763_836_200_000_000_i64, 1_763_837_100_000_000_i64],
            "closes": ["64012.50", "64013.00"]}]})), BadQuery, NotNow))]
pub(super) async fn sparks(
    State(app): State<App>,
    Extension(Counted(client)): Extension<Counted>,
    Query(symbols): Query<SymbolsParameter>,
) -> Result<Json<SparksAnswer>, Fault> {
    let set = symbols.set_or_all(&app)?;
    let instruments = app.market.catalogue().instruments();
    let places = set.indices(instruments.len());
    if places.len() > SPARKS_MAX {
        let count = places.len();
        return Err(Fault::BadParameter(format!(
            "symbols has {count} symbols; at most {SPARKS_MAX} are allowed here"
        )));
    }
    let _permit = app.bounds.history_call(client)?;
    let mut sparks = Vec::with_capacity(places.len());
    for place in places {
        let symbol = instruments[place].symbol.as_str();
        let all = (Time::MIN, Time::MAX);
        let found = app
            .archive
            .candles(symbol, Interval::M15, all, BARS_A_DAY)
            .await;
        let (_, mut bars) = found?;
        if let Some(newest) = bars.last().map(|bar| bar.time) {
            bars.retain(|bar| newest - bar.time < Span::DAY);
        }
        sparks.push(LastDay {
            symbol: symbol.to_owned(),
            times: bars.iter().map(|bar| bar.time).collect(),
            closes: bars.iter().map(|bar| bar.close).collect(),
        });
    }
    Ok(Json(SparksAnswer { sparks }))
}

/// The catalogue
#[utoipa::path(get, path = "/api/symbols", tag = "Prices",
    responses((status = 200, description = "Every symbol, in the feed's order",
        body = SymbolsAnswer, example = json!({"symbols":
            [{"symbol": "BTC-USD", "name": "Bitcoin", "decimals": 2}]}))))]
pub(super) async fn symbols(State(app): State<App>) -> Json<SymbolsAnswer> {
    let symbols = app.market.catalogue().instruments().to_vec();
    Json(SymbolsAnswer { symbols })
}

/// The server's time
///
/// A small answer, so that a client can measure the offset of its clock: the
/// error is at most half the round-trip time.
#[utoipa::path(get, path = "/api/time", tag = "Server",
    responses((status = 200, description = "The server's clock", body = TimeAnswer,
        example = json!({"server_time": 1_763_836_805_000_000_i64}))))]
pub(super) async fn time() -> impl IntoResponse {
    let answer = Json(TimeAnswer {
        server_time: clock::now(),
    });
    ([(header::CACHE_CONTROL, "no-store")], answer)
}

/// Whether a page may change data
///
/// The same check applies to the WebSocket handshake, where a browser does not
/// tell a page why it failed.
#[utoipa::path(post, path = "/api/access", tag = "Server",
    responses((status = 204, description = "Allowed"), OtherPage))]
pub(super) async fn may_change() -> StatusCode {
    // A page that is not allowed was rejected before this handler.
    StatusCode::NO_CONTENT
}

/// The cost of each transport so far
#[utoipa::path(get, path = "/api/stats", tag = "Server",
    responses((status = 200, description = "Counted since the server started", body = StatsAnswer,
        example = json!({"uptime_ms": 60_000, "cursor": "k3f9zq-128843", "transports":
            [{"transport": "ws", "open": 1, "requests": 1, "empty_answers": 0,
              "messages": 3_600, "ticks": 120_000, "payload_bytes": 15_600_000,
              "cpu_us": 210_000}]}))))]
pub(super) async fn stats(State(app): State<App>) -> Json<StatsAnswer> {
    Json(app.metrics.stats(app.market.cursor()))
}

/// Whether the server is alive
#[utoipa::path(get, path = "/healthz", tag = "Server",
    responses((status = 200, description = "Alive", body = String,
        content_type = "text/plain", example = "alive\n")))]
pub(super) async fn healthz() -> &'static str {
    "alive\n"
}

/// Whether prices are available
///
/// A second line gives the state of the store. Prices are available without it,
/// too.
#[utoipa::path(get, path = "/readyz", tag = "Server",
    responses((status = 200, description = "Ready", body = String,
        content_type = "text/plain",
        example = "ready\nstore: saved 0.4 s ago, 0 candles lost\n"), NotNow))]
pub(super) async fn readyz(State(app): State<App>) -> Result<String, Fault> {
    if app.shutdown.is_cancelled() {
        Err(Fault::Unavailable("the server is shutting down"))
    } else if !app.market.is_ready() {
        Err(Fault::Unavailable("no price has arrived yet"))
    } else if app.market.silence() > app.silence_max {
        Err(Fault::Unavailable(
            "the feed says that it is live, and nothing has come from it for too long",
        ))
    } else {
        let store = match &app.store {
            Some(health) => health.line(clock::now()),
            None => "store: none, history is in memory only".to_owned(),
        };
        let clock = clock_words(app.market.ahead());
        let clock = match clock.as_str() {
            "" => String::new(),
            words => format!("clock: {words}\n"),
        };
        let node = app.node.as_ref().map(|node| format!("{}\n", node.line()));
        Ok(format!(
            "ready\n{store}\n{}{clock}",
            node.unwrap_or_default()
        ))
    }
}

/// Metrics for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "Server",
    params(("Accept" = Option<String>, Header, description = "The format: OpenMetrics, or the classic one as text/plain",
        example = "application/openmetrics-text")),
    responses((status = 200, description = "In the OpenMetrics text format, or the classic one",
        content((String = "application/openmetrics-text", example = "tickwire_log_head 128843\n"),
            (String = "text/plain", example = "tickwire_log_head 128843\n")))))]
pub(super) async fn metrics(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Fault> {
    let head = app.market.cursor().seq;
    let store = app.store.as_ref().map(Health::status);
    let webhooks: Vec<_> = app
        .webhooks
        .iter()
        .map(|webhook| webhook.status())
        .collect();
    let text = app.metrics.prometheus(&Present {
        head,
        silence: app.market.silence(),
        store: store.as_ref(),
        webhooks: &webhooks,
        venues: &app.market.venues(),
        node: app.node.as_deref(),
    });
    let text = text.map_err(|error| {
        tracing::error!(%error, "could not encode the metrics");
        Fault::Internal
    })?;
    let vary = (header::VARY, "accept");
    Ok(if negotiate::wants_classic_metrics(&headers) {
        let kind = (
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        );
        ([kind, vary], classic(&text))
    } else {
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        ([(header::CONTENT_TYPE, kind), vary], text)
    })
}

/// Converts OpenMetrics to the older text format: without the end mark and
/// units, and with the counters' suffix in their names.
fn classic(text: &str) -> String {
    let mut counters = Vec::new();
    let mut classic = String::with_capacity(text.len());
    for line in text.lines() {
        let mut words = line.split(' ');
        let (mark, kind, name) = (words.next(), words.next(), words.next().unwrap_or_default());
        match (mark, kind) {
            (Some("#"), Some("EOF" | "UNIT")) => continue,
            (Some("#"), Some("TYPE")) if words.next() == Some("counter") => {
                counters.push(name.to_owned());
            }
            _ => {}
        }
        classic += line;
        classic.push('\n');
    }
    for name in counters {
        for mark in ["HELP", "TYPE"] {
            let (plain, total) = (
                format!("# {mark} {name} "),
                format!("# {mark} {name}_total "),
            );
            classic = classic.replace(&plain, &total);
        }
    }
    classic
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classic_format() {
        let text = "# HELP a Apples.\n# TYPE a counter\n# UNIT a seconds\na_total 5\n# HELP b Boats.\n# TYPE b gauge\nb 1\n# EOF\n";
        let expect = "# HELP a_total Apples.\n# TYPE a_total counter\na_total 5\n# HELP b Boats.\n# TYPE b gauge\nb 1\n";
        assert_eq!(classic(text), expect);
    }
}
