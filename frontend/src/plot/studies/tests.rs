//! What the tests of studies share, and the laws that hold for all of them.

use proptest::prelude::*;

use super::*;

/// StockCharts ChartSchool, "Moving Averages", the table of ten-day averages.
pub(super) const AVERAGED: [f64; 30] = [
    22.27, 22.19, 22.08, 22.17, 22.18, 22.13, 22.23, 22.43, 22.24, 22.29, 22.15, 22.39, 22.38,
    22.61, 23.36, 24.05, 23.75, 23.83, 23.95, 23.63, 23.82, 23.87, 23.65, 23.19, 23.10, 23.33,
    22.68, 23.10, 22.40, 22.17,
];

/// A bar of a minute for each of these prices, at which it opens and closes.
pub(super) fn closes(prices: &[f64]) -> Vec<Bar> {
    let bar = |(index, &close): (i32, &f64)| Bar {
        time: f64::from(index) * 60e6,
        open: close,
        high: close,
        low: close,
        close,
        volume: 1.0,
    };
    (0..).zip(prices).map(bar).collect()
}

/// One line, from the first value that exists, rounded to two decimals as values
/// are published.
pub(super) fn line(values: &[Values], index: usize) -> Vec<f64> {
    let values = values.iter().map(|values| values[index]);
    values
        .skip_while(|value| value.is_nan())
        .map(|value| (value * 100.0).round() / 100.0)
        .collect()
}

/// One line of the study with this text.
pub(super) fn values(text: &str, bars: &[Bar], index: usize) -> Vec<f64> {
    let spec = StudySpec::parse(text).unwrap();
    line(spec.growing().unwrap().update(bars), index)
}

/// Checks one line of the study with this text.
pub(super) fn check(text: &str, bars: &[Bar], index: usize, expect: &[f64]) {
    assert_eq!(values(text, bars, index), expect, "{text}, line {index}");
}

#[test]
fn names() {
    let check = |text: &str, expect: Option<&str>| {
        let found = StudySpec::parse(text).map(StudySpec::text);
        assert_eq!(found.as_deref(), expect, "{text}");
    };
    check("sma20", Some("sma20"));
    check("sma", Some("sma20"));
    check("rsi0", Some("rsi1"));
    check("ema99999", Some("ema500"));
    check("ema999999999999999999999999", Some("ema50"));
    check("volume7", Some("volume"));
    check("é20", None);
    check("", None);
}

#[test]
fn each_study_has_a_name_of_its_own_and_no_more_lines_than_values() {
    for (place, study) in STUDIES.iter().enumerate() {
        assert!(
            study.key.bytes().all(|b| b.is_ascii_lowercase()),
            "{}",
            study.key
        );
        assert!(!STUDIES[..place].iter().any(|other| other.key == study.key));
        assert!((1..=3).contains(&study.lines.len()), "{}", study.key);
    }
}

proptest! {
    /// Adding bar by bar, with the newest one still changing, gives the same as
    /// all at once.
    #[test]
    fn growing_is_the_same_as_counting_anew(
        prices in proptest::collection::vec((1.0..100.0f64, 0.0..5.0f64, 0.0..9.0f64), 2..80),
        period in 1usize..9,
    ) {
        let bars: Vec<Bar> = (0..).zip(&prices).map(|(index, (close, reach, volume))| Bar {
            time: f64::from(index) * 3_600e6,
            open: close - reach / 2.0,
            high: close + reach,
            low: close - reach,
            close: *close,
            volume: *volume,
        }).collect();
        for study in STUDIES {
            let spec = StudySpec { study, period };
            let (Some(mut whole), Some(mut grown)) = (spec.growing(), spec.growing()) else {
                continue;
            };
            for end in 1..=bars.len() {
                let mut open = bars[..end].to_vec();
                open[end - 1].close += 1.0;
                grown.update(&open);
                grown.update(&bars[..end]);
            }
            let bits = |values: &[Values]| -> Vec<_> {
                values.iter().flatten().map(|value| value.to_bits()).collect()
            };
            prop_assert_eq!(bits(whole.update(&bars)), bits(grown.values()), "{}", study.key);
        }
    }
}

#[test]
fn contributing_shows_the_files_as_they_are() {
    let guide = include_str!("../../../../CONTRIBUTING.md");
    for source in [
        include_str!("atr.rs"),
        include_str!("../../views/chart/kinds/heikin_ashi.rs"),
    ] {
        let (source, _) = source.split_once("\n#[cfg(test)]").unwrap();
        let diff: Vec<_> = source
            .trim_end()
            .lines()
            .map(|line| format!("+{line}"))
            .collect();
        assert!(guide.contains(&diff.join("\n")), "{source}");
    }
}
