//! How fast a replay goes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use shared::Time;
use tokio::time::Instant;

/// The most bars a second, and the most that real time is multiplied by.
const MOST: f64 = 1e6;

/// How fast a replay goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// So many bars a second, however long a bar is.
    Bars(f64),
    /// So many times real time.
    Times(f64),
    /// As fast as it can be taken in.
    Max,
}

/// A text that is no speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bars a second as in 2, times real time as in 60x, or max")]
pub struct SpeedError;

impl FromStr for Speed {
    type Err = SpeedError;

    fn from_str(text: &str) -> Result<Self, SpeedError> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let (number, times) = match text.strip_suffix('x') {
            Some(number) => (number, true),
            None => (text, false),
        };
        let number: f64 = number.parse().map_err(|_| SpeedError)?;
        if !(number > 0.0 && number <= MOST) {
            return Err(SpeedError);
        }
        Ok(if times {
            Self::Times(number)
        } else {
            Self::Bars(number)
        })
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bars(a_second) => write!(f, "{a_second}"),
            Self::Times(times) => write!(f, "{times}x"),
            Self::Max => f.write_str("max"),
        }
    }
}

/// When things happen in a replay: each a while after the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) speed: Speed,
    /// When the event before was due.
    before: Instant,
    /// The time of that event.
    time: Option<Time>,
}

impl Pace {
    /// That of a replay that begins now.
    pub(super) fn new(speed: Speed) -> Self {
        Self {
            speed,
            before: Instant::now(),
            time: None,
        }
    }

    /// When the next event is due, at `time`, of a moment with `count` of them.
    pub(super) fn due(&self, time: Time, count: usize) -> Instant {
        let seconds = match self.speed {
            Speed::Max => 0.0,
            Speed::Bars(a_second) => 1.0 / (a_second * count as f64),
            Speed::Times(times) => {
                self.time.map_or(0.0, |before| (time - before).seconds()) / times
            }
        };
        let gap = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
        // Beyond what a clock can show, it is never due.
        let never = Duration::from_secs(u32::MAX.into());
        self.before.checked_add(gap).unwrap_or(self.before + never)
    }

    /// When the event before was due.
    pub(super) fn before(&self) -> Instant {
        self.before
    }

    /// An event at `time` was sent, which was `due` then.
    pub(super) fn sent(&mut self, time: Time, due: Instant) {
        (self.before, self.time) = (due, Some(time));
    }

    /// It stood still until now.
    pub(super) fn restart(&mut self) {
        self.before = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds() {
        for (text, expect) in [
            ("2", Some(Speed::Bars(2.0))),
            ("0.5", Some(Speed::Bars(0.5))),
            ("60x", Some(Speed::Times(60.0))),
            ("max", Some(Speed::Max)),
            ("0", None),
            ("-1x", None),
            ("x", None),
            ("NaN", None),
            ("inf", None),
            ("1e9", None),
            ("", None),
        ] {
            let speed: Option<Speed> = text.parse().ok();
            assert_eq!(speed, expect, "{text}");
            let again = speed.map(|speed| speed.to_string());
            assert!(again.is_none_or(|again| again == text), "{text}");
        }
    }
}
