//! The settings that bound what clients can take of the server.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use super::{ConfigError, Values};

/// What clients can take of the server, at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address.
    pub connections_each: usize,
    /// The bytes of a request's line and headers together.
    pub head_bytes: usize,
    /// How long a request's line and headers may take.
    pub head: Duration,
    /// How long a request's body may take.
    pub body: Duration,
    /// How long a client may take nothing of what it asked for.
    pub slow: Duration,
    /// The bytes of an answer with ticks, about.
    pub answer_bytes: usize,
    /// The bytes of all answers that clients have not taken yet.
    pub unsent_bytes: usize,
    /// Streams at once: WebSockets and event streams.
    pub streams: usize,
    /// Symbols that one reader can name.
    pub symbols: usize,
    /// Commands a second over one WebSocket.
    pub commands: u32,
    /// Long polls that wait at once.
    pub long_polls: usize,
    /// Calls for history that are answered at once.
    pub history_calls: usize,
    /// Alerts at once.
    pub alerts: usize,
    /// Alerts that one client makes or changes in a minute.
    pub alerts_a_minute: u32,
}

impl Values {
    pub(super) fn limits(&self) -> Result<Limits, ConfigError> {
        let limits = self.each_limit()?;
        if limits.unsent_bytes < limits.answer_bytes {
            return Err(ConfigError(format!(
                "--max-unsent-bytes {}: an answer with --max-answer-bytes {} would have no room; \
                 the former has to be as large at least",
                limits.unsent_bytes, limits.answer_bytes
            )));
        }
        Ok(limits)
    }

    fn each_limit(&self) -> Result<Limits, ConfigError> {
        Ok(Limits {
            connections: self.number("max-connections", 1..=1_000_000)?,
            connections_each: self.number("max-connections-each", 1..=1_000_000)?,
            // The library needs half of that for itself.
            head_bytes: self.number("max-head-bytes", 8_192..=1_048_576)?,
            head: self.seconds("head-limit-s")?,
            body: self.seconds("body-limit-s")?,
            slow: self.seconds("slow-limit-s")?,
            answer_bytes: self.number("max-answer-bytes", 65_536..=1_073_741_824)?,
            unsent_bytes: self.number("max-unsent-bytes", 1_048_576..=1_099_511_627_776)?,
            streams: self.number("max-streams", 1..=1_000_000)?,
            symbols: self.number("max-symbols", 1..=10_000)?,
            commands: self.number("max-commands", 1..=1_000_000)?,
            long_polls: self.number("max-long-polls", 1..=1_000_000)?,
            history_calls: self.number("max-history-calls", 1..=1_000)?,
            alerts: self.number("max-alerts", 1..=1_000_000)?,
            alerts_a_minute: self.number("max-alerts-a-minute", 1..=1_000_000)?,
        })
    }

    fn number<T: FromStr + PartialOrd + fmt::Display>(
        &self,
        name: &str,
        range: RangeInclusive<T>,
    ) -> Result<T, ConfigError> {
        let number = |text: &str| text.parse().ok().filter(|number| range.contains(number));
        let allowed = || format!("a whole number from {} to {}", range.start(), range.end());
        self.need(name, |text| number(text).ok_or_else(allowed))
    }

    fn seconds(&self, name: &str) -> Result<Duration, ConfigError> {
        self.number(name, 1..=3_600).map(Duration::from_secs)
    }
}
