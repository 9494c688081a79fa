//! Studies: what can be computed from a chart's bars, and the names that
//! settings use.

use crate::plot::{Indicator, PaneKind};

/// A kind of study, drawn over the prices or below them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StudyKind {
    /// The volume of each bar.
    Volume,
    /// A simple moving average.
    Sma,
    /// An exponential moving average.
    Ema,
    /// The volume-weighted average price of the day.
    Vwap,
    /// Bollinger bands.
    Bollinger,
    /// The relative strength index.
    Rsi,
    /// The convergence/divergence of averages.
    Macd,
}

/// A study over a number of bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StudySpec {
    /// The kind of study.
    pub kind: StudyKind,
    /// The number of bars; 0 where there is nothing to choose.
    pub period: usize,
}

/// The longest period.
const PERIOD_MAX: usize = 500;

/// The name in settings, the name for people, and the default period of each
/// kind.
pub(super) const STUDIES: [(StudyKind, &str, &str, usize); 7] = [
    (StudyKind::Volume, "volume", "Volume", 0),
    (StudyKind::Sma, "sma", "SMA", 20),
    (StudyKind::Ema, "ema", "EMA", 50),
    (StudyKind::Vwap, "vwap", "VWAP", 0),
    (
        StudyKind::Bollinger,
        "bollinger",
        "Bollinger bands, 2 σ",
        20,
    ),
    (StudyKind::Rsi, "rsi", "RSI", 14),
    (StudyKind::Macd, "macd", "MACD 12, 26, 9", 0),
];

impl StudySpec {
    /// Reads a study from text such as `sma20`; `None` if there is no such
    /// study.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.trim_end_matches(|c: char| c.is_ascii_digit());
        let known = STUDIES.into_iter().find(|known| known.1 == name);
        let (kind, _, _, usual) = known?;
        let period = text[name.len()..].parse().unwrap_or(usual);
        let period = if usual == 0 {
            0
        } else {
            period.clamp(1, PERIOD_MAX)
        };
        Some(Self { kind, period })
    }

    /// The indicator that computes it; `None` for what the bars themselves
    /// contain.
    pub(super) fn indicator(self) -> Option<Indicator> {
        let period = self.period;
        Some(match self.kind {
            StudyKind::Volume => return None,
            StudyKind::Sma => Indicator::sma(period),
            StudyKind::Ema => Indicator::ema(period),
            StudyKind::Vwap => Indicator::vwap(),
            StudyKind::Bollinger => Indicator::bollinger(period, 2.0),
            StudyKind::Rsi => Indicator::rsi(period),
            StudyKind::Macd => Indicator::macd(12, 26, 9),
        })
    }

    /// The pane below the prices that it is drawn in.
    pub(super) fn pane(self) -> Option<PaneKind> {
        match self.kind {
            StudyKind::Volume => Some(PaneKind::Volume),
            StudyKind::Rsi => Some(PaneKind::Rsi),
            StudyKind::Macd => Some(PaneKind::Macd),
            _ => None,
        }
    }

    /// The line's colour, as an index into the palette.
    pub(super) fn colour(self) -> usize {
        match self.kind {
            StudyKind::Sma | StudyKind::Rsi => 1,
            StudyKind::Ema => 2,
            StudyKind::Vwap => 3,
            StudyKind::Bollinger => 4,
            StudyKind::Volume | StudyKind::Macd => 0,
        }
    }

    /// The label, as in `SMA 20`.
    pub(super) fn label(self) -> String {
        let known = STUDIES.into_iter().find(|known| known.0 == self.kind);
        let name = known.map_or("", |known| known.2);
        match (self.kind, self.period) {
            (StudyKind::Bollinger, period) => format!("BB {period}"),
            (_, 0) => name.to_owned(),
            (_, period) => format!("{name} {period}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |text: &str, expect: Option<(StudyKind, usize)>| {
            let spec = expect.map(|(kind, period)| StudySpec { kind, period });
            assert_eq!(StudySpec::parse(text), spec, "{text}");
        };
        check("sma20", Some((StudyKind::Sma, 20)));
        check("sma", Some((StudyKind::Sma, 20)));
        check("rsi0", Some((StudyKind::Rsi, 1)));
        check("ema99999", Some((StudyKind::Ema, 500)));
        check("ema999999999999999999999999", Some((StudyKind::Ema, 50)));
        check("volume7", Some((StudyKind::Volume, 0)));
        check("é20", None);
        check("", None);
    }
}
