//! The results, for people and for machines.

use serde::{Deserialize, Serialize};

use shared::{Channel, Transport};

use super::meter::BARS_MAX;
use super::plan::Plan;
use crate::format;
use crate::words;

/// The upper ends of bars that can be drawn, in ms.
const AGES_MS: std::ops::RangeInclusive<f64> = 0.01..=1e7;

/// The results of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// When it began, as in `2026-11-22T14:03:27.000Z`.
    pub(crate) begun: String,
    pub(crate) plan: Plan,
    /// How long it took, in s.
    pub(crate) seconds: f64,
    /// The possible error of ages, in ms: half the round trip of the quickest
    /// exchange with the server, and the drift of the clocks until the end.
    pub(crate) age_error_ms: f64,
    /// One for each channel.
    pub(crate) lines: Vec<Line>,
}

/// The results of one transport in one encoding. Bytes on the wire are those
/// above TCP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    #[serde(flatten)]
    pub(crate) channel: Channel,
    pub(crate) ticks: u64,
    pub(crate) messages: u64,
    pub(crate) requests: u64,
    /// Requests that were answered; a stream's request does not count.
    pub(crate) answers: u64,
    /// Answers that brought nothing new.
    pub(crate) empty: u64,
    /// Connections that were opened; `None` where the browser does not report
    /// it.
    pub(crate) connections: Option<u64>,
    /// Bytes of the messages alone.
    pub(crate) payload: u64,
    /// Bytes from the server, with heads and framing.
    pub(crate) down: f64,
    /// Bytes to the server.
    pub(crate) up: f64,
    pub(crate) age_p50_ms: Option<f64>,
    pub(crate) age_p95_ms: Option<f64>,
    pub(crate) age_p99_ms: Option<f64>,
    pub(crate) age_max_ms: Option<f64>,
    /// The histogram of ages: the upper ends of its bars, in ms, and their
    /// counts.
    pub(crate) ages: Vec<(f64, u64)>,
    /// The server's processor time, in µs, for all its clients of this
    /// transport and encoding. `None` until the end.
    pub(crate) cpu_us: Option<f64>,
    /// The number of ticks that this time was spent on.
    pub(crate) cpu_ticks: f64,
    pub(crate) missed: u64,
    pub(crate) repeated: u64,
    pub(crate) reconnects: u64,
}

/// A figure of a line: a key, the number of decimals, and how the value is read.
pub(crate) struct Measure {
    pub(crate) key: &'static str,
    pub(crate) decimals: u32,
    pub(crate) read: fn(&Line) -> Option<f64>,
}

const fn measure(key: &'static str, decimals: u32, read: fn(&Line) -> Option<f64>) -> Measure {
    Measure {
        key,
        decimals,
        read,
    }
}

/// All figures, in the order of the table.
pub(crate) const MEASURES: [Measure; 19] = [
    measure("age_p50_ms", 1, |l| l.age_p50_ms),
    measure("age_p95_ms", 1, |l| l.age_p95_ms),
    measure("age_p99_ms", 1, |l| l.age_p99_ms),
    measure("age_max_ms", 1, |l| l.age_max_ms),
    measure("ticks", 0, |l| Some(l.ticks as f64)),
    measure("messages", 0, |l| Some(l.messages as f64)),
    measure("requests", 0, |l| Some(l.requests as f64)),
    measure("empty", 0, |l| (l.answers > 0).then_some(l.empty as f64)),
    measure("empty_percent", 1, Line::empty_percent),
    measure("connections", 0, |l| l.connections.map(|n| n as f64)),
    measure("payload", 0, |l| Some(l.payload as f64)),
    measure("down", 0, |l| Some(l.down)),
    measure("up", 0, |l| Some(l.up)),
    measure("bytes_per_tick", 1, Line::bytes_per_tick),
    measure("cpu_us", 0, |l| l.cpu_us),
    measure("cpu_us_per_tick", 2, Line::cpu_us_per_tick),
    measure("missed", 0, |l| Some(l.missed as f64)),
    measure("repeated", 0, |l| Some(l.repeated as f64)),
    measure("reconnects", 0, |l| Some(l.reconnects as f64)),
];

impl Line {
    pub(crate) fn empty_percent(&self) -> Option<f64> {
        (self.answers > 0).then(|| 100.0 * self.empty as f64 / self.answers as f64)
    }

    /// Bytes down and up together, for each tick.
    pub(crate) fn bytes_per_tick(&self) -> Option<f64> {
        (self.ticks > 0).then(|| (self.down + self.up) / self.ticks as f64)
    }

    pub(crate) fn cpu_us_per_tick(&self) -> Option<f64> {
        self.cpu_us
            .filter(|_| self.cpu_ticks > 0.0)
            .map(|us| us / self.cpu_ticks)
    }
}

impl Report {
    /// The results of each channel, as a sentence.
    pub(crate) fn sentences(&self) -> Vec<String> {
        self.lines.iter().map(|line| self.sentence(line)).collect()
    }

    fn sentence(&self, line: &Line) -> String {
        let all = self.lines.iter();
        let least = all.filter_map(|l| Some((l.bytes_per_tick()?, l.channel)));
        let is_polled = line.channel.transport == Transport::Poll;
        words::outcome(&words::Outcome {
            channel: line.channel,
            interval_s: is_polled.then_some(f64::from(self.plan.interval_ms) / 1e3),
            empty_percent: line.empty_percent(),
            age_and_bytes: line.age_p50_ms.zip(line.bytes_per_tick()),
            least: least.min_by(|a, b| a.0.total_cmp(&b.0)),
            is_alone: self.lines.len() == 1,
            cpu_us_per_tick: line.cpu_us_per_tick(),
        })
    }

    /// The conditions of the run, in words: when, which symbols, how long, and
    /// with which settings.
    pub(crate) fn conditions(&self) -> String {
        let plan = &self.plan;
        words::conditions(
            (&self.begun, self.seconds, &plan.symbols),
            plan.interval_ms,
            (plan.busy_percent, plan.delay_ms),
            self.age_error_ms,
        )
    }

    /// Whether it can be drawn. A report from a file can contain any values.
    pub(crate) fn is_sound(&self) -> bool {
        let is_fine = |value: f64| value.is_finite() && value >= 0.0;
        let line_is_fine = |line: &Line| {
            let mut numbers = MEASURES.iter().filter_map(|measure| (measure.read)(line));
            numbers.all(is_fine)
                && line.ages.len() <= BARS_MAX
                && line.ages.iter().all(|(ms, _)| AGES_MS.contains(ms))
        };
        is_fine(self.seconds)
            && is_fine(self.age_error_ms)
            && self.lines.len() <= Channel::ALL.len()
            && self.lines.iter().all(line_is_fine)
    }

    /// The report as CSV: a row for each channel, numbers with a decimal point.
    pub(crate) fn csv(&self) -> String {
        let plan = &self.plan;
        let conditions = format!(
            ",{},{},\"{}\",{},{},{}",
            self.begun,
            format::plain(self.seconds, 3),
            plan.symbols.replace('"', "\"\""),
            plan.interval_ms,
            plan.busy_percent,
            plan.delay_ms
        );
        let mut text =
            "transport,encoding,begun,seconds,symbols,interval_ms,busy_percent,delay_ms".to_owned();
        for measure in &MEASURES {
            text.push(',');
            text += measure.key;
        }
        text.push('\n');
        for line in &self.lines {
            text += line.channel.transport.key();
            text.push(',');
            text += line.channel.format.key();
            text += &conditions;
            for measure in &MEASURES {
                text.push(',');
                if let Some(value) = (measure.read)(line) {
                    text += &format::plain(value, measure.decimals);
                }
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use shared::WireFormat;

    use super::*;

    fn line(transport: Transport, bytes: f64, empty: u64, age_ms: f64) -> Line {
        Line {
            channel: Channel::new(transport, WireFormat::Json),
            ticks: 100,
            messages: 50,
            requests: 8,
            answers: if transport == Transport::Poll { 8 } else { 0 },
            empty,
            connections: None,
            payload: 900,
            down: bytes * 100.0,
            up: 0.0,
            age_p50_ms: Some(age_ms),
            age_p95_ms: Some(age_ms),
            age_p99_ms: None,
            age_max_ms: Some(age_ms),
            ages: vec![(age_ms, 100)],
            cpu_us: Some(250.0),
            cpu_ticks: 100.0,
            missed: 0,
            repeated: 0,
            reconnects: 0,
        }
    }

    fn report() -> Report {
        Report {
            begun: "2026-11-22T14:03:27.000Z".to_owned(),
            plan: Plan {
                transports: vec![Transport::WebSocket, Transport::Poll],
                encodings: vec![WireFormat::Json],
                symbols: "*".to_owned(),
                interval_ms: 1_000,
                seconds: 10,
                busy_percent: 0,
                delay_ms: 0,
            },
            seconds: 10.0,
            age_error_ms: 0.5,
            lines: vec![
                line(Transport::WebSocket, 200.0, 0, 9.04),
                line(Transport::Poll, 820.0, 3, 512.3),
            ],
        }
    }

    #[test]
    fn sentences_say_what_matters() {
        assert_eq!(
            report().sentences(),
            [
                "WebSocket: prices were 9.0 ms old at the median, and each tick cost 200 bytes, the least, and 2.5 µs of the server's time.",
                "Polling, every 1 s: 38% of the requests were empty, prices were 512 ms old at the median, \
                 and each tick cost 820 bytes, 4.1 times those of WebSocket, and 2.5 µs of the server's time.",
            ]
        );
    }

    #[test]
    fn what_cannot_be_drawn_is_not_sound() {
        assert!(report().is_sound());
        let check = |change: fn(&mut Line)| {
            let mut report = report();
            change(&mut report.lines[1]);
            assert!(!report.is_sound(), "{:?}", report.lines[1]);
        };
        check(|line| line.ages = vec![(0.0, 1)]);
        check(|line| line.ages = vec![(f64::NAN, 1)]);
        check(|line| line.ages = vec![(1.0, 1); BARS_MAX + 1]);
        check(|line| line.down = f64::INFINITY);
        check(|line| line.age_p50_ms = Some(-1.0));
    }

    #[test]
    fn a_report_survives_a_file() {
        let report = report();
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
        let csv = report.csv();
        let mut lines = csv.lines().map(|line| line.split(',').count());
        assert!(lines.all(|count| count == MEASURES.len() + 8));
        assert!(
            csv.contains(
                "\npoll,json,2026-11-22T14:03:27.000Z,10.000,\"*\",1000,0,0,512.3,512.3,,512.3,100,50,8,3,37.5,,900,82000,0,820.0,250,2.50,0,0,0\n"
            ),
            "{csv}"
        );
    }
}
