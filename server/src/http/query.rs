//! The parameters that the transports share, read as text and checked by hand
//! so that each fault is told by name.

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
use crate::market::{Market, SymbolSet};

/// The longest that a poll may wait.
const WAIT_MAX_MS: u64 = 60_000;
/// The most ticks in one answer: about 8 MB.
const LIMIT_MAX: usize = 50_000;

/// The most candles in one answer: about 1.5 MB.
const CANDLES_MAX: usize = 10_000;
/// As many as a screen shows, unless a client asks for more.
const CANDLES_DEFAULT: usize = 1_000;
/// As many firings, unless a client asks for more.
const FIRED_DEFAULT: usize = 100;

/// Parameters out of a request's query. Each stays the text that it is until it
/// is asked for, so that what is wrong with it can be told by name.
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

/// Which symbols.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SymbolsParameter {
    /// Symbols with commas between, or `*` for all.
    #[param(value_type = Option<String>, pattern = "[^, ]", example = "BTC-USD,ETH-USD")]
    symbols: Option<String>,
}

/// From where on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CursorParameter {
    /// Where to go on: a `cursor` that the server sent. Without it, or where
    /// it cannot be continued, there is a `snapshot` first, which says why.
    #[param(value_type = Option<String>, pattern = "^[1-9a-z][0-9a-z]{0,5}-(0|[1-9][0-9]{0,18})$",
        example = "k3f9zq-128843")]
    cursor: Option<String>,
}

/// How much of an answer, and when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PollParameters {
    /// How long the answer may take to have something, in milliseconds: above
    /// 0 this is long polling.
    #[param(value_type = Option<u64>, minimum = 0, maximum = 60_000, example = 0)]
    wait_ms: Option<String>,
    /// The most ticks in the answer; 50000 unless given.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 50_000, example = 100)]
    limit: Option<String>,
}

/// How messages are written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EncodingParameter {
    /// The encoding, for those that cannot name a subprotocol or a media type.
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

/// How often, and of how much.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaceParameters {
    /// At most one message of ticks in so many milliseconds, with all that came
    /// in the meantime; long polling answers no sooner.
    #[param(value_type = Option<u32>, minimum = 0, maximum = 10_000, example = 0)]
    every_ms: Option<String>,
    /// Whether only the newest trade and the newest quote of each symbol are
    /// wanted; how many ticks were left out is counted in `skipped`.
    #[param(value_type = Option<bool>, example = false)]
    latest: Option<String>,
}

impl PaceParameters {
    /// The pace; all at once unless asked for.
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

/// Which candles.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CandleParameters {
    /// The symbol.
    #[param(value_type = String, example = "BTC-USD")]
    symbol: Option<String>,
    /// The length of a bar; `1m` unless given.
    #[param(value_type = Option<String>, pattern = "^(1s|5s|1m|5m|15m|1h|1d)$", example = "1m")]
    interval: Option<String>,
    /// The earliest start of a bar, in µs since the epoch.
    #[param(value_type = Option<i64>, example = 1_763_836_800_000_000_i64)]
    from: Option<String>,
    /// No bar starts at or after this, in µs since the epoch. To page back, the
    /// `time` of the oldest candle that is known.
    #[param(value_type = Option<i64>, example = 4_102_444_800_000_000_i64)]
    to: Option<String>,
    /// The most candles in the answer, the newest of the range; 1000 unless
    /// given.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 10_000, example = 100)]
    limit: Option<String>,
}

/// The most alerts in one answer.
const ALERTS_PAGE_MAX: usize = 1_000;

/// How many firings.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FiredParameters {
    /// The most firings in the answer; 100 unless given.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 1_000, example = 100)]
    limit: Option<String>,
}

/// A page of alerts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertsParameters {
    /// The number of the alert before the first one in the answer; to go on,
    /// the `next` of the answer before.
    #[param(value_type = Option<u64>, minimum = 0, maximum = 9_223_372_036_854_775_807_i64, example = 7)]
    after: Option<String>,
    /// The most alerts in the answer; 1000 unless given.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 1_000, example = 100)]
    limit: Option<String>,
}

impl AlertsParameters {
    /// The number before the first.
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
    /// The symbol, which has to be named.
    pub(crate) fn symbol(&self) -> Result<&str, Fault> {
        self.symbol.as_deref().ok_or_else(|| {
            Fault::BadParameter("symbol is missing; GET /api/symbols lists them".to_owned())
        })
    }

    /// The interval; a minute unless asked for.
    pub(crate) fn interval(&self) -> Result<Interval, Fault> {
        let name = self.interval.as_deref().unwrap_or(Interval::M1.name());
        name.parse()
            .map_err(|error: shared::IntervalError| Fault::BadParameter(error.to_string()))
    }

    /// The first time that is wanted, and the first that is not any more; all
    /// of time unless asked for.
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
    /// The symbols that are asked for, if any are.
    pub(crate) fn set(&self, market: &Market) -> Result<Option<Arc<SymbolSet>>, Fault> {
        let Some(list) = &self.symbols else {
            return Ok(None);
        };
        match Symbols::from_list(list) {
            Symbols::Named(names) if names.is_empty() => Err(Fault::BadParameter(
                "symbols is empty; allowed are names with commas between, or *".to_owned(),
            )),
            symbols => Ok(Some(market.set(&symbols)?)),
        }
    }

    /// The symbols that are asked for, or all.
    pub(crate) fn set_or_all(&self, market: &Market) -> Result<Arc<SymbolSet>, Fault> {
        match self.set(market)? {
            Some(set) => Ok(set),
            None => Ok(market.set(&Symbols::All)?),
        }
    }
}

impl CursorParameter {
    /// Where to go on, if that is given.
    pub(crate) fn cursor(&self) -> Result<Option<Cursor>, Fault> {
        self.cursor.as_deref().map(cursor_of).transpose()
    }
}

impl PollParameters {
    /// How long an answer may take to have something; zero unless asked for.
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
