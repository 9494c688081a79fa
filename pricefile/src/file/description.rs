//! What a file was taken for, in words.

use shared::Span;

use super::PriceFile;

impl PriceFile {
    /// How long its bars are in words, as in `hourly`; `None` without bars.
    pub fn interval_shown(&self) -> Option<String> {
        let own = self.interval.filter(|_| self.table.shape.has_bars());
        own.map(words_of)
    }

    /// What it was taken for, in one line.
    pub fn taken_for(&self) -> String {
        let mut parts = vec![self.table.shape.source.to_owned()];
        parts.extend(self.interval_shown());
        let symbols: Vec<_> = self.survey.symbols.keys().map(String::as_str).collect();
        parts.push(match symbols[..] {
            [first, second, third, _, ..] => {
                format!("{first}, {second}, {third} and {} more", symbols.len() - 3)
            }
            _ => symbols.join(", "),
        });
        parts.extend(self.table.dates_shown().ok());
        parts.push(self.table.zone_shown());
        if !self.survey.is_in_order {
            let is_newest_first = self
                .survey
                .symbols
                .values()
                .all(|found| found.is_falling == Some(true) && !found.is_mixed);
            parts.push(
                if is_newest_first {
                    "newest first"
                } else {
                    "not in order of time"
                }
                .to_owned(),
            );
        }
        if self.survey.is_rounded {
            parts.push("volumes rounded by the source".to_owned());
        }
        parts.join(", ")
    }
}

/// The length of a bar in words.
fn words_of(interval: Span) -> String {
    let seconds = interval.whole_seconds();
    let of = |unit: i64, name: &str| match seconds / unit {
        1 => format!("1 {name}"),
        count => format!("{count} {name}s"),
    };
    match seconds {
        0 => "parts of a second".to_owned(),
        604_800 => "weekly".to_owned(),
        86_400 => "daily".to_owned(),
        3_600 => "hourly".to_owned(),
        _ if seconds >= 86_400 => of(86_400, "day"),
        _ if seconds % 3_600 == 0 => of(3_600, "hour"),
        _ if seconds % 60 == 0 => of(60, "minute"),
        _ => of(1, "second"),
    }
}
