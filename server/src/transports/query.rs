//! The parameters that the transports share, read as text and checked by hand
//! so that each fault is told by name.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use shared::{Cursor, Interval, Micros, Symbols};

use super::fault::Fault;
use crate::market::{FIRED_MAX, Market, SymbolSet};

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

/// `?symbols=&cursor=&wait_ms=&limit=`, unchecked.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Parameters {
    symbols: Option<String>,
    cursor: Option<String>,
    wait_ms: Option<String>,
    limit: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Fault> {
        read(parts)
    }
}

/// `?symbol=&interval=&from=&to=&limit=`, unchecked.
#[derive(Debug, Default, Deserialize)]
pub(super) struct CandleParameters {
    symbol: Option<String>,
    interval: Option<String>,
    from: Option<String>,
    to: Option<String>,
    limit: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for CandleParameters {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Fault> {
        read(parts)
    }
}

/// `?limit=`, unchecked.
#[derive(Debug, Default, Deserialize)]
pub(super) struct FiredParameters {
    limit: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for FiredParameters {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Fault> {
        read(parts)
    }
}

impl FiredParameters {
    /// The most firings in the answer.
    pub(super) fn limit(&self) -> Result<usize, Fault> {
        bounded(self.limit.as_deref(), "limit", FIRED_DEFAULT, 1, FIRED_MAX)
    }
}

fn read<P: DeserializeOwned>(parts: &Parts) -> Result<P, Fault> {
    let query = Query::try_from_uri(&parts.uri);
    query
        .map(|Query(parameters)| parameters)
        .map_err(|error| Fault::BadParameter(error.body_text().to_lowercase()))
}

impl CandleParameters {
    /// The symbol, which has to be named.
    pub(super) fn symbol(&self) -> Result<&str, Fault> {
        self.symbol.as_deref().ok_or_else(|| {
            Fault::BadParameter("symbol is missing; GET /api/symbols lists them".to_owned())
        })
    }

    /// The interval; a minute unless asked for.
    pub(super) fn interval(&self) -> Result<Interval, Fault> {
        let name = self.interval.as_deref().unwrap_or(Interval::M1.name());
        name.parse()
            .map_err(|error: shared::IntervalError| Fault::BadParameter(error.to_string()))
    }

    /// The first time that is wanted, and the first that is not any more; all
    /// of time unless asked for.
    pub(super) fn range(&self) -> Result<(Micros, Micros), Fault> {
        let all = (Micros::MIN, Micros::MAX);
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
    pub(super) fn limit(&self) -> Result<usize, Fault> {
        let limit = self.limit.as_deref();
        bounded(limit, "limit", CANDLES_DEFAULT, 1, CANDLES_MAX)
    }
}

impl Parameters {
    /// The symbols that are asked for, if any are.
    pub(super) fn set(&self, market: &Market) -> Result<Option<Arc<SymbolSet>>, Fault> {
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
    pub(super) fn set_or_all(&self, market: &Market) -> Result<Arc<SymbolSet>, Fault> {
        match self.set(market)? {
            Some(set) => Ok(set),
            None => Ok(market.set(&Symbols::All)?),
        }
    }

    /// Where to go on, if that is given.
    pub(super) fn cursor(&self) -> Result<Option<Cursor>, Fault> {
        self.cursor.as_deref().map(cursor_of).transpose()
    }

    /// How long an answer may take to have something; zero unless asked for.
    pub(super) fn wait(&self) -> Result<Duration, Fault> {
        let ms = bounded(self.wait_ms.as_deref(), "wait_ms", 0, 0, WAIT_MAX_MS)?;
        Ok(Duration::from_millis(ms))
    }

    /// The most ticks in the answer.
    pub(super) fn limit(&self) -> Result<usize, Fault> {
        bounded(self.limit.as_deref(), "limit", LIMIT_MAX, 1, LIMIT_MAX)
    }
}

pub(super) fn cursor_of(text: &str) -> Result<Cursor, Fault> {
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
