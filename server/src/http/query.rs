//! Query parameters that the transports and calls share. They are read as text
//! and validated by hand, so that each error names its parameter.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::{Cursor, Interval, Pace, Symbols, Time, WireFormat};
use utoipa::IntoParams;

use super::fault::Fault;
use crate::alerts::FIRED_MAX;
use crate::app::App;
use crate::market::SymbolSet;

/// The longest wait of a long poll.
const WAIT_MAX_MS: u64 = 60_000;
/// The most ticks in one answer: about 8 MB.
const LIMIT_MAX: usize = 50_000;

/// The most candles in one answer: about 1.5 MB.
const CANDLES_MAX: usize = 10_000;
/// The default number of candles: as many as a screen shows.
const CANDLES_DEFAULT: usize = 1_000;
/// The default number of firings.
const FIRED_DEFAULT: usize = 100;

/// The parameters of a request's query. Each stays text until it is used, so
/// that an error can name it.
#[derive(Debug)]
pub(crate) struct Query<P>(pub(crate) P);

impl<S: Send + Sync, P: DeserializeOwned> FromRequestParts<S> for Query<P> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Fault> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        query
            .map(|axum::extract::Query(parameters)| Self(parameters))
            .map_err(|error| Fault::BadParameter(error.body_text().to_lowercase()))
    }
}

/// The symbols to read.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SymbolsParameter {
    /// Symbols separated by commas, or `*` for all.
    #[param(value_type = Option<String>, pattern = "[^, ]", example = "BTC-USD,ETH-USD")]
    symbols: Option<String>,
}

/// The position to resume from.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CursorParameter {
    /// The cursor to resume from: a `cursor` that the server sent. Without it,
    /// or if the server cannot resume from it, a `snapshot` is sent first, with
    /// the reason.
    #[param(value_type = Option<String>, pattern = "^[1-9a-z][0-9a-z]{0,5}-(0|[1-9][0-9]{0,18})$",
        example = "k3f9zq-128843")]
    cursor: Option<String>,
}

/// How large an answer may be, and how long it may wait.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PollParameters {
    /// How long the answer may wait for a message, in milliseconds: a value
    /// above 0 means long polling.
    #[param(value_type = Option<u64>, minimum = 0, maximum = 60_000, example = 0)]
    wait_ms: Option<String>,
    /// The most ticks in the answer; 50000 by default.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 50_000, example = 100)]
    limit: Option<String>,
}

/// The encoding of messages.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EncodingParameter {
    /// The encoding, for clients that cannot name a subprotocol or a media
    /// type.
    #[param(value_type = Option<String>, pattern = "^(json|binary)$", example = "json")]
    encoding: Option<String>,
}

impl EncodingParameter {
    /// The encoding, if it is named.
    pub(crate) fn format(&self) -> Result<Option<WireFormat>, Fault> {
        let format = self.encoding.as_deref().map(str::parse).transpose();
        format.map_err(|error: shared::WireFormatError| Fault::BadParameter(error.to_string()))
    }
}

/// How often messages are sent, and of which ticks.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaceParameters {
    /// At most one message of ticks in this many milliseconds, with all ticks
    /// since the last one; long polling answers no sooner. A poll that does
    /// not wait is answered at once: its pace is that of the requests.
    #[param(value_type = Option<u32>, minimum = 0, maximum = 10_000, example = 0)]
    every_ms: Option<String>,
    /// Whether to send only the newest trade and the newest quote of each
    /// symbol; `skipped` counts the ticks that were left out.
    #[param(value_type = Option<bool>, example = false)]
    latest: Option<String>,
}

impl PaceParameters {
    /// The pace; every batch at once by default.
    pub(crate) fn pace(&self) -> Result<Pace, Fault> {
        let every_ms = self.every_ms.as_deref();
        let every_ms = bounded(every_ms, "every_ms", 0, 0, Pace::EVERY_MS_MAX)?;
        let latest = match self.latest.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                let other: String = other.chars().take(40).collect();
                let fault = format!("latest '{other}' is not allowed; true or false");
                return Err(Fault::BadParameter(fault));
            }
        };
        Ok(Pace { every_ms, latest })
    }
}

/// The candles to read.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CandleParameters {
    /// The symbol.
    #[param(value_type = String, example = "BTC-USD")]
    symbol: Option<String>,
    /// The length of a bar; `1m` by default.
    #[param(value_type = Option<String>, pattern = "^(1s|5s|1m|5m|15m|1h|1d)$", example = "1m")]
    interval: Option<String>,
    /// The earliest start of a bar, in µs since the epoch.
    #[param(value_type = Option<i64>, example = 1_763_836_800_000_000_i64)]
    from: Option<String>,
    /// No bar starts at or after this, in µs since the epoch. To page back, use
    /// the `time` of the oldest known candle.
    #[param(value_type = Option<i64>, example = 4_102_444_800_000_000_i64)]
    to: Option<String>,
    /// The most candles in the answer, the newest of the range; 1000 by
    /// default.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 10_000, example = 100)]
    limit: Option<String>,
}

/// The most alerts in one answer.
const ALERTS_PAGE_MAX: usize = 1_000;

/// The number of firings.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FiredParameters {
    /// The most firings in the answer; 100 by default.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 1_000, example = 100)]
    limit: Option<String>,
}

/// A page of alerts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertsParameters {
    /// The answer starts after the alert with this number. For the next page,
    /// use the `next` of the answer before.
    #[param(value_type = Option<u64>, minimum = 0, maximum = 9_223_372_036_854_775_807_i64, example = 7)]
    after: Option<String>,
    /// The most alerts in the answer; 1000 by default.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 1_000, example = 100)]
    limit: Option<String>,
}

impl AlertsParameters {
    /// The number after which the answer starts.
    pub(crate) fn after(&self) -> Result<u64, Fault> {
        bounded(self.after.as_deref(), "after", 0, 0, i64::MAX as u64)
    }

    /// The most alerts in the answer.
    pub(crate) fn limit(&self) -> Result<usize, Fault> {
        bounded(
            self.limit.as_deref(),
            "limit",
            ALERTS_PAGE_MAX,
            1,
            ALERTS_PAGE_MAX,
        )
    }
}

impl FiredParameters {
    /// The most firings in the answer.
    pub(crate) fn limit(&self) -> Result<usize, Fault> {
        bounded(self.limit.as_deref(), "limit", FIRED_DEFAULT, 1, FIRED_MAX)
    }
}

impl CandleParameters {
    /// The symbol, which is required.
    pub(crate) fn symbol(&self) -> Result<&str, Fault> {
        self.symbol.as_deref().ok_or_else(|| {
            Fault::BadParameter("symbol is missing; GET /api/symbols lists them".to_owned())
        })
    }

    /// The interval; a minute by default.
    pub(crate) fn interval(&self) -> Result<Interval, Fault> {
        let name = self.interval.as_deref().unwrap_or(Interval::M1.name());
        name.parse()
            .map_err(|error: shared::IntervalError| Fault::BadParameter(error.to_string()))
    }

    /// The start and the end of the range; the end is not included. All of time
    /// by default.
    pub(crate) fn range(&self) -> Result<(Time, Time), Fault> {
        let all = (Time::MIN, Time::MAX);
        let from = bounded(self.from.as_deref(), "from", all.0, all.0, all.1)?;
        let to = bounded(self.to.as_deref(), "to", all.1, all.0, all.1)?;
        if from > to {
            return Err(Fault::BadParameter(format!(
                "from {from} is after to {to}; from is the earlier one, in µs since the epoch"
            )));
        }
        Ok((from, to))
    }

    /// The most candles in the answer.
    pub(crate) fn limit(&self) -> Result<usize, Fault> {
        let limit = self.limit.as_deref();
        bounded(limit, "limit", CANDLES_DEFAULT, 1, CANDLES_MAX)
    }
}

impl SymbolsParameter {
    /// The symbols that are named, if any are.
    pub(crate) fn set(&self, app: &App) -> Result<Option<Arc<SymbolSet>>, Fault> {
        let Some(list) = &self.symbols else {
            return Ok(None);
        };
        match Symbols::from_list(list) {
            Symbols::Named(names) if names.is_empty() => Err(Fault::BadParameter(
                "symbols is empty; allowed are names with commas between, or *".to_owned(),
            )),
            symbols => {
                app.bounds.symbols(&symbols).map_err(Fault::BadParameter)?;
                Ok(Some(app.market.set(&symbols)?))
            }
        }
    }

    /// The symbols that are named, or all.
    pub(crate) fn set_or_all(&self, app: &App) -> Result<Arc<SymbolSet>, Fault> {
        match self.set(app)? {
            Some(set) => Ok(set),
            None => Ok(app.market.set(&Symbols::All)?),
        }
    }
}

impl CursorParameter {
    /// The cursor to resume from, if it is given.
    pub(crate) fn cursor(&self) -> Result<Option<Cursor>, Fault> {
        self.cursor.as_deref().map(cursor_of).transpose()
    }
}

impl PollParameters {
    /// How long an answer may wait for a message; zero by default.
    pub(crate) fn wait(&self) -> Result<Duration, Fault> {
        let ms = bounded(self.wait_ms.as_deref(), "wait_ms", 0, 0, WAIT_MAX_MS)?;
        Ok(Duration::from_millis(ms))
    }

    /// The most ticks in the answer.
    pub(crate) fn limit(&self) -> Result<usize, Fault> {
        bounded(self.limit.as_deref(), "limit", LIMIT_MAX, 1, LIMIT_MAX)
    }
}

fn cursor_of(text: &str) -> Result<Cursor, Fault> {
    text.parse()
        .map_err(|error: shared::CursorError| Fault::BadParameter(error.to_string()))
}

fn bounded<T>(text: Option<&str>, name: &str, default: T, min: T, max: T) -> Result<T, Fault>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let Some(text) = text else {
        return Ok(default);
    };
    let number = text.parse().ok().filter(|n| (&min..=&max).contains(&n));
    number.ok_or_else(|| {
        let text: String = text.chars().take(40).collect();
        Fault::BadParameter(format!(
            "{name} '{text}' is not allowed; a whole number from {min} to {max}"
        ))
    })
}
