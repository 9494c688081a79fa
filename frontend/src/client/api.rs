//! The calls of the server's API, each with its types.

use gloo_net::http::{Request, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::{
    Alert, AlertSpec, AlertsAnswer, CandlesAnswer, Cursor, Echo, FiredAnswer, Firing, NodeAnswer,
    ReplayAnswer, ReplayDraft, SnapshotAnswer, SparksAnswer, StatsAnswer, SymbolsAnswer, Time,
    TimeAnswer, WebhookStatus, WebhooksAnswer, routes,
};

use super::http::{answer, encoded, get, get_json, read, send, within};
use super::upload;
use web_sys::File;

use crate::faults::CallError;
use crate::requests::HistoryRequest;

/// How long an answer may take, in ms. A server may wait up to two seconds for
/// its store.
const PATIENCE_MS: u32 = 10_000;
/// How many candles are asked for at once: those of two screens.
const CANDLES: usize = 600;
/// The most alerts that a server returns at once.
const ALERTS_MAX: usize = 1_000;
/// Whether the server is there.
const HEALTH: &str = "healthz";
/// The statuses with which a server refuses a page.
const REFUSALS: [u16; 2] = [403, 421];

/// The outcome of a call.
pub(crate) type Outcome<T> = Result<T, CallError>;

/// All symbols, in the server's order.
pub(crate) async fn symbols() -> Outcome<Vec<String>> {
    let answer: SymbolsAnswer = get_json(routes::SYMBOLS, PATIENCE_MS).await?;
    Ok(answer.symbols.into_iter().map(|i| i.symbol).collect())
}

/// How the server stands among others.
pub(crate) async fn node() -> Outcome<NodeAnswer> {
    get_json(routes::NODE, PATIENCE_MS).await
}

/// The state of these symbols, which are separated by commas, or `*` for all,
/// and the cursor of that moment.
pub(crate) async fn snapshot(symbols: &str) -> Outcome<SnapshotAnswer> {
    let url = format!("{}?symbols={}", routes::SNAPSHOT, encoded(symbols));
    get_json(&url, PATIENCE_MS).await
}

/// The path of a poll of one symbol from a cursor on.
pub(crate) fn ticks_path(symbol: &str, cursor: Cursor) -> String {
    let symbol = encoded(symbol);
    format!("{}?symbols={symbol}&cursor={cursor}", routes::TICKS)
}

/// An answer with its head, as a page can see it.
pub(crate) struct WholeAnswer {
    /// The status, as in `200 OK`.
    pub(crate) status: String,
    /// The names and values of its headers.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// The answer to a poll with its head, whatever its status.
pub(crate) async fn whole_poll(path: &str) -> Outcome<WholeAnswer> {
    let whole = async {
        let (response, _abort) = answer(Request::get(path), None).await?;
        let headers = response.headers();
        Ok(WholeAnswer {
            status: format!("{} {}", response.status(), response.status_text()),
            headers: headers.entries().collect(),
            body: response.text().await.map_err(|_| CallError::BrokeOff)?,
        })
    };
    within(PATIENCE_MS, whole)
        .await
        .unwrap_or(Err(CallError::Late))
}

/// The body of the answer to a poll, which takes no longer than `patience_ms`.
pub(super) async fn poll(url: String, patience_ms: u32) -> Outcome<Vec<u8>> {
    get(&url, patience_ms).await
}

/// The candles that a request asks for.
pub(crate) async fn candles(request: &HistoryRequest) -> Outcome<CandlesAnswer> {
    let symbol = encoded(&request.key.symbol);
    let interval = request.key.interval.name();
    let mut url = format!(
        "{}?symbol={symbol}&interval={interval}&limit={CANDLES}",
        routes::CANDLES
    );
    if let Some(to) = request.to {
        url += &format!("&to={to}");
    }
    get_json(&url, PATIENCE_MS).await
}

/// The last day of these symbols.
pub(super) async fn sparks(symbols: &[String]) -> Outcome<SparksAnswer> {
    let symbols = encoded(&symbols.join(","));
    get_json(
        &format!("{}?symbols={symbols}", routes::SPARKS),
        PATIENCE_MS,
    )
    .await
}

/// What is replayed, and whether files may be brought.
pub(crate) async fn replay() -> Outcome<ReplayAnswer> {
    get_json(routes::REPLAY, PATIENCE_MS).await
}

/// Moves the replay.
pub(crate) async fn move_replay(draft: &ReplayDraft) -> Outcome<ReplayAnswer> {
    send_json(Request::patch(routes::REPLAY), draft).await
}

/// Brings a file to be replayed. `said` is what a person says of it, as a part of
/// a query; `progress` is told how much of it is there, from
/// 0 to 1.
pub(crate) async fn bring(
    file: &File,
    said: &str,
    progress: impl Fn(f64) + 'static,
) -> Outcome<ReplayAnswer> {
    let url = format!("{}/{}?{said}", routes::FILES, encoded(&file.name()));
    read(&upload::put(&url, file, progress).await?)
}

/// The server's time.
pub(crate) async fn time() -> Outcome<Time> {
    let answer: TimeAnswer = get_json(routes::TIME, PATIENCE_MS / 2).await?;
    Ok(answer.server_time)
}

/// What the server counted.
pub(crate) async fn stats() -> Outcome<StatsAnswer> {
    get_json(routes::STATS, PATIENCE_MS).await
}

/// This page's request, as the server received it.
pub(crate) async fn echo() -> Outcome<Echo> {
    get_json(routes::ECHO, PATIENCE_MS).await
}

/// Whether the server can be reached.
pub(super) async fn health(patience_ms: u32) -> Outcome<()> {
    get(HEALTH, patience_ms).await.map(drop)
}

/// Why the server does not allow this page to open a WebSocket or to change
/// anything; `None` if it does allow it, or does not answer.
pub(super) async fn refusal(patience_ms: u32) -> Option<String> {
    match send(Request::post(routes::ACCESS), None, patience_ms).await {
        Err(CallError::Refused { status, reason }) if REFUSALS.contains(&status) => reason,
        _ => None,
    }
}

/// The first `count` alerts, and whether there are more.
pub(crate) async fn alerts(count: usize) -> Outcome<(Vec<Alert>, bool)> {
    let (mut alerts, mut after) = (Vec::new(), 0);
    loop {
        let limit = ALERTS_MAX.min(count - alerts.len());
        let url = format!("{}?after={after}&limit={limit}", routes::ALERTS);
        let answer: AlertsAnswer = get_json(&url, PATIENCE_MS).await?;
        alerts.extend(answer.alerts);
        match answer.next {
            Some(next) if alerts.len() < count => after = next,
            next => return Ok((alerts, next.is_some())),
        }
    }
}

/// One alert, by its number.
pub(crate) async fn alert(id: u64) -> Outcome<Alert> {
    get_json(&format!("{}/{id}", routes::ALERTS), PATIENCE_MS).await
}

/// The newest `limit` firings, newest first.
pub(crate) async fn fired(limit: u32) -> Outcome<Vec<Firing>> {
    let url = format!("{}?limit={limit}", routes::FIRED);
    let answer: FiredAnswer = get_json(&url, PATIENCE_MS).await?;
    Ok(answer.fired)
}

/// The programs that the server notifies of alerts.
pub(crate) async fn webhooks() -> Outcome<Vec<WebhookStatus>> {
    let answer: WebhooksAnswer = get_json(routes::WEBHOOKS, PATIENCE_MS).await?;
    Ok(answer.webhooks)
}

/// Makes an alert.
pub(crate) async fn create_alert(spec: &AlertSpec) -> Outcome<Alert> {
    send_json(Request::post(routes::ALERTS), spec).await
}

/// Replaces an alert, unless it has changed since it was read.
pub(crate) async fn replace_alert(alert: &Alert, spec: &AlertSpec) -> Outcome<Alert> {
    let request = Request::put(&format!("{}/{}", routes::ALERTS, alert.id));
    let tag = format!("\"{}\"", alert.version);
    send_json(request.header("if-match", &tag), spec).await
}

async fn send_json<T: DeserializeOwned>(
    request: RequestBuilder,
    body: &impl Serialize,
) -> Outcome<T> {
    let json = serde_json::to_string(body);
    let json = json.map_err(|error| CallError::Unreadable(error.to_string()))?;
    read(&send(request, Some(json), PATIENCE_MS).await?)
}

/// Deletes an alert.
pub(crate) async fn delete_alert(id: u64) -> Outcome<()> {
    let request = Request::delete(&format!("{}/{id}", routes::ALERTS));
    send(request, None, PATIENCE_MS).await.map(drop)
}
