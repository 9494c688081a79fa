//! The lab, and the live parts of the guide.

use shared::Channel;

use super::call_error;
use crate::faults::CallError;
use crate::format;

// The plan.
pub(crate) const PLAN: &str = "Plan";
pub(crate) const PLAN_HEADING: &str = "What does each transport cost?";
pub(crate) const PLAN_EXPLAINED: &str = "All that are chosen run side by side in this browser, over the same ticks. What you see is counted here, or, for processor time, by the server; what is estimated is said below.";
pub(crate) const TRANSPORTS: &str = "Transports";
pub(crate) const ENCODINGS: &str = "Encodings";
pub(crate) const SYMBOLS: &str = "Symbols";
pub(crate) const SYMBOLS_HINT: &str = "names with commas between, or * for all";
pub(crate) const POLLING_INTERVAL_HINT: &str = "ms, of plain polling";
pub(crate) const DURATION: &str = "Duration";
pub(crate) const DURATION_HINT: &str = "s";
pub(crate) const LOAD: &str = "Load";
pub(crate) const LOAD_HINT: &str = "% of this page's time goes to other work";
pub(crate) const DELAY: &str = "Added delay";
pub(crate) const DELAY_HINT: &str =
    "ms each way: polls really take so much longer, what a stream brings counts as so much older";
pub(crate) const START: &str = "Start";
pub(crate) const STOP: &str = "Stop";
pub(crate) const PROGRESS: &str = "Progress";
pub(crate) const NOTHING_CHOSEN: &str =
    "Choose a transport and an encoding that it can carry: SSE is text";

/// Why nothing was measured.
pub(crate) fn not_measured(why: &CallError) -> String {
    format!("Nothing was measured: {}", call_error(why))
}

// The results.
pub(crate) const RESULTS: &str = "Results";
pub(crate) const NO_RESULTS: &str = "Press Start, or load a run that was saved.";
pub(crate) const RESULTS_EXPLAINED: &str = "Ages are counted from the moment the server took a tick in, by the server's clock: the offset of this page's clock is measured by pings before and after, and a run says by how much ages can be off. Bytes are those above TCP, as HTTP/1.1 and without encryption. Payload is exact. Heads of polls are as long as those of this browser's requests that the server tells (a browser does not tell a page, and its own transferSize adds 300 bytes whatever they were); frames of WebSockets are computed from their sizes; heads and chunks of event streams, and the handshake, are estimated. Processor time is that of all clients of this server that use the transport in the same encoding; a batch of ticks is encoded once, for whoever reads it first. No tick is left out: the lab asks for all of them.";
pub(crate) const LOAD_RUN: &str = "Load a saved run";
pub(crate) const COMPARE_RUN: &str = "Compare with a saved run (JSON)";
pub(crate) const THIS_RUN: &str = "This run";
pub(crate) const SAVED_RUN: &str = "Saved run";
pub(crate) const TABLE: &str = "Table";
pub(crate) const MEASURES_LABEL: &str = "Measures";
pub(crate) const MEASURE: &str = "Measure";
pub(crate) const SAVED_SUFFIX: &str = " (saved)";
/// The titles of the picture's parts.
pub(crate) const AGES_TITLE: &str = "How old prices were when they arrived";
pub(crate) const BYTES_TITLE: &str = "Bytes for each tick";
pub(crate) const EMPTY_TITLE: &str = "Requests that brought nothing (%)";
pub(crate) const CPU_TITLE: &str = "Server's time for each tick (µs)";

pub(crate) fn milliseconds(ms: f64) -> String {
    format!("{} ms", format::short(ms))
}

/// A round duration, in ms or s.
pub(crate) fn duration(ms: f64) -> String {
    if ms >= 1e3 {
        format!("{} s", format::short(ms / 1e3).replace(".0", ""))
    } else {
        format!("{} ms", format::short(ms).replace(".0", ""))
    }
}

/// The name and the unit of each figure, by its key.
pub(crate) fn measure(key: &str) -> &'static str {
    match key {
        "age_p50_ms" => "Age, median (ms)",
        "age_p95_ms" => "Age, 95% are below (ms)",
        "age_p99_ms" => "Age, 99% are below (ms)",
        "age_max_ms" => "Age, highest (ms)",
        "ticks" => "Ticks",
        "messages" => "Messages",
        "requests" => "Requests",
        "empty" => "Empty answers",
        "empty_percent" => "Empty answers (%)",
        "connections" => "New connections (polls reuse the page's)",
        "payload" => "Payload (bytes)",
        "down" => "Down, with heads and frames (bytes)",
        "up" => "Up, with heads and frames (bytes)",
        "bytes_per_tick" => "Bytes for each tick",
        "cpu_us" => "Server's processor time (µs)",
        "cpu_us_per_tick" => "The same for each tick (µs)",
        "missed" => "Ticks missed",
        "repeated" => "Ticks repeated",
        "reconnects" => "Reconnects",
        _ => "",
    }
}

/// The results of a channel, for a sentence.
pub(crate) struct Outcome {
    /// The channel, with the interval of plain polling in s.
    pub(crate) channel: Channel,
    pub(crate) interval_s: Option<f64>,
    pub(crate) empty_percent: Option<f64>,
    /// The median age, in ms, and the bytes for each tick; `None` if no prices
    /// came.
    pub(crate) age_and_bytes: Option<(f64, f64)>,
    /// The least bytes for a tick of all channels, with the channel.
    pub(crate) least: Option<(f64, Channel)>,
    pub(crate) is_alone: bool,
    pub(crate) cpu_us_per_tick: Option<f64>,
}

/// The results of a channel, as a sentence.
pub(crate) fn outcome(outcome: &Outcome) -> String {
    let mut text = outcome.channel.label();
    if let Some(interval_s) = outcome.interval_s {
        let decimals = if interval_s.fract() == 0.0 { 0 } else { 1 };
        text += &format!(", every {} s", format::rounded(interval_s, decimals));
    }
    text += ": ";
    let Some((age_ms, bytes)) = outcome.age_and_bytes else {
        return text + "no prices came.";
    };
    if let Some(empty) = outcome.empty_percent {
        text += &format!("{}% of the requests were empty, ", format::whole(empty));
    }
    let (age, own) = (format::short(age_ms), format::short(bytes));
    text += &format!("prices were {age} ms old at the median, and each tick cost {own} bytes");
    match outcome.least {
        Some((_, channel)) if channel == outcome.channel && outcome.is_alone => {}
        Some((_, channel)) if channel == outcome.channel => text += ", the least",
        Some((least, channel)) => {
            let times = match bytes / least {
                times if times < 1.05 => "about as many as".to_owned(),
                times if times < 10.0 => format!("{} times those of", format::rounded(times, 1)),
                times => format!("{} times those of", format::whole(times)),
            };
            text += &format!(", {times} {}", channel.label());
        }
        None => {}
    }
    if let Some(cpu_us) = outcome.cpu_us_per_tick {
        let cpu = format::rounded(cpu_us, 1);
        text += &format!(", and {cpu} µs of the server's time");
    }
    text + "."
}

/// The conditions of a run: when, how long, which symbols, and with which
/// settings. `busy` is in per cent, `delay` and `error` in ms.
pub(crate) fn conditions(
    (begun, seconds, symbols): (&str, f64, &str),
    interval_ms: u32,
    (busy, delay): (u32, u32),
    error_ms: f64,
) -> String {
    let seconds = format::rounded(seconds, 1);
    let mut words =
        format!("{begun}, {seconds} s, symbols {symbols}, polling every {interval_ms} ms");
    if busy > 0 {
        words += &format!(", page busy {busy}%");
    }
    if delay > 0 {
        words += &format!(", {delay} ms more each way");
    }
    words + &format!(", ages ± {} ms", format::rounded(error_ms, 1))
}

/// Why a file is not a saved run.
pub(crate) fn not_a_run(file: &str, reason: &str) -> String {
    format!("{file} is not a run that this page saved: {reason}")
}

pub(crate) const IMPOSSIBLE_NUMBERS: &str = "it has numbers that cannot be";

// How often is often enough?
pub(crate) const FREQUENCY: &str = "Frequency";
pub(crate) const FREQUENCY_HEADING: &str = "How often is often enough?";
pub(crate) const FREQUENCY_EXPLAINED: &str = "Two readers of all symbols run side by side in this browser: one is told what happens at once, the other in at most one message for each interval. Nothing is lost by that; prices only come later. If only the newest of each symbol is wanted, the rest is left out, and counted. Move the slider while it runs.";
pub(crate) const TRANSPORT_OF_BOTH: &str = "Transport of both";
pub(crate) const AT_MOST: &str = "At most";
pub(crate) const ONLY_NEWEST: &str = "only the newest of each symbol";
pub(crate) const COMPARE_READERS: &str = "Compare";
pub(crate) const PACE_TABLE: &str = "What the pace saves and costs";
pub(crate) const FIGURE: &str = "Figure";
pub(crate) const AT_ONCE: &str = "At once";
pub(crate) const MEASURING: &str = "Measuring";

/// The name and the unit of each figure of a reader, in their order.
pub(crate) const PACE_FIGURES: [&str; 6] = [
    "Messages a second",
    "KB a second",
    "Ticks a second",
    "Left out and counted, a second",
    "Age of a tick, median (ms)",
    "Ticks missed",
];

/// A pace.
pub(crate) fn often(every_ms: u32) -> String {
    match every_ms {
        0 => "at once".to_owned(),
        ms if ms < 1_000 => format!("every {ms} ms"),
        ms => format!("every {} s", ms / 1_000),
    }
}

/// What a pace saves, in per cent of the messages and of the bytes; by how much
/// older it makes the median price, in ms, if that is known; and the ticks
/// missed.
pub(crate) fn pace_outcome(
    messages: f64,
    bytes: f64,
    older_ms: Option<f64>,
    missed: f64,
) -> String {
    let (messages, bytes) = (format::whole(messages), format::whole(bytes));
    let mut text = format!("Saves {messages}% of the messages and {bytes}% of the bytes");
    if let Some(older_ms) = older_ms {
        let older = format::whole(older_ms);
        text += &format!("; half of the prices come at least {older} ms later than they could");
    }
    text + &format!("; {} missed.", format::whole(missed))
}

// The guide.
pub(crate) const NO_HANDSHAKE: &str = "no WebSocket gets through";
pub(crate) const NO_SYMBOLS: &str = "there are no symbols";
pub(crate) const ALWAYS_NEW: &str = "there was something new each time";
pub(crate) const ALL_SUBSCRIBED: &str = "you have subscribed to all symbols";
pub(crate) const SOCKET_CLOSED: &str = "the server closed it";

pub(crate) fn did_not_work(why: &str) -> String {
    format!("This did not work: {why}")
}

pub(crate) fn with_bytes(text: &str) -> String {
    format!("{text}({} bytes)", text.len())
}

pub(crate) fn frame_head(arrow: &str, time: &str, head: &str, length: usize) -> String {
    format!("{arrow} {time}  {head}  and {length} bytes:")
}
