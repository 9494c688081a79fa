//! The status bar: the connection, its figures, and what went wrong.

use shared::{FeedStatus, NodeAnswer, StoreStatus, Transport, VenueStatus};

use crate::client::{Choice, Detour, Loss, TransportFault};
use crate::faults::CallError;
use crate::format;

pub(crate) const TRANSPORT: &str = "Transport";
pub(crate) const POLLING_INTERVAL: &str = "Polling interval";
pub(crate) const PAUSE: &str = "Pause";
pub(crate) const PAUSE_TITLE: &str = "Hold what is shown (p); nothing is lost";
pub(crate) const PAUSED: &str = ", paused";
pub(crate) const CONNECTION: &str = "Connection";
pub(crate) const RETRY_NOW: &str = "Retry now";
pub(crate) const CONNECTING: &str = "connecting";
pub(crate) const WAITING_FOR_TRADE: &str = "waiting for the next trade";
pub(crate) const STALE: &str = "stale";
pub(crate) const STANDS_STILL: &str = "the replay stands still";

pub(crate) fn transport_choice(choice: Choice) -> &'static str {
    match choice {
        Choice::Auto => "Auto",
        Choice::Only(transport) => transport.label(),
    }
}

pub(crate) fn seconds_short(seconds: f64) -> String {
    format!("{} s", format::rounded(seconds, 1))
}

pub(crate) fn reconnecting(why: &Loss, left_s: f64) -> String {
    let left = format::whole(left_s);
    format!("{}; reconnecting in {left} s", loss(why))
}

pub(crate) fn ended(feed: &FeedStatus) -> String {
    format!("{} ended: {}", feed.feed, feed.detail)
}

/// The state in which prices are fresh: where they come from, and what a person
/// has to know although they arrive.
pub(crate) fn live(feed: Option<&FeedStatus>) -> String {
    let Some(feed) = feed else {
        return "live".to_owned();
    };
    let source = if feed.label.is_empty() {
        &feed.feed
    } else {
        &feed.label
    };
    match feed.detail.as_str() {
        "" => format!("live, {source}"),
        detail => format!("live, {source}; {detail}"),
    }
}

/// The state in which no exchange sends prices.
pub(crate) fn feed_is_lost(feed: &FeedStatus) -> String {
    match feed.retry_ms {
        Some(ms) => {
            let seconds = format::whole((ms as f64 / 1e3).ceil().max(1.0));
            format!("{}; tried again after {seconds} s", feed.detail)
        }
        None => feed.detail.clone(),
    }
}

/// What was missing of each exchange's trades.
pub(crate) fn venues(venues: &[VenueStatus]) -> String {
    let counts = |venue: &VenueStatus| {
        let [missed, filled] =
            [venue.missed, venue.filled].map(|count| format::whole(count as f64));
        format!("missed {missed}, filled {filled}")
    };
    match venues {
        [venue] => format!("venue: {}", counts(venue)),
        venues => {
            let all = venues
                .iter()
                .map(|venue| format!("{}: {}", venue.venue, counts(venue)));
            all.collect::<Vec<_>>().join("; ")
        }
    }
}

/// Which of several servers this one is, and how it stands; nothing for a server alone.
pub(crate) fn node(answer: &NodeAnswer) -> String {
    let (Some(node), leader) = (&answer.node, &answer.leader) else {
        let mirrors = answer.mirrors.iter();
        return mirrors
            .map(|address| format!("relay of {address}"))
            .collect();
    };
    match leader {
        Some(leader) if leader == node => format!("node {node}, which leads"),
        Some(leader) => {
            let ms = format::rounded(answer.hop_us as f64 / 1e3, 1);
            let behind = match answer.behind {
                0 => String::new(),
                count => format!(", {} behind", format::whole(count as f64)),
            };
            format!("node {node}, {ms} ms after {leader}{behind}")
        }
        None => format!("node {node}, no leader"),
    }
}

pub(crate) fn over(transport: &str) -> String {
    format!("over {transport}")
}

pub(crate) fn age(ms: f64) -> String {
    if ms < 10_000.0 {
        format!("{} ms old", format::whole(ms))
    } else {
        format!("{} s old", format::whole(ms / 1e3))
    }
}

pub(crate) fn ticks_per_second(rate: f64) -> String {
    format!("{} ticks/s", format::whole(rate))
}

pub(crate) fn bytes_per_second(rate: f64) -> String {
    format!("{} KB/s", format::whole(rate / 1e3))
}

pub(crate) fn requests_per_second(rate: f64) -> String {
    format!("{} req/s", format::rounded(rate, 1))
}

pub(crate) fn empty_answers(percent: Option<f64>) -> String {
    match percent {
        Some(percent) => format!("empty {}%", format::whole(percent)),
        None => format!("empty {}", format::NOTHING),
    }
}

pub(crate) fn skipped(count: u64) -> String {
    match count {
        0 => String::new(),
        count => format!("skipped {count}"),
    }
}

pub(crate) fn missed(count: u64) -> String {
    format!("missed {count}")
}

pub(crate) fn repeated(count: u64) -> String {
    format!("repeated {count}")
}

pub(crate) fn reconnects(count: u64) -> String {
    format!("reconnects {count}")
}

/// Said only if the computer's clock is wrong by more than a second.
pub(crate) fn clock_offset(offset_ms: f64) -> String {
    if offset_ms.abs() < 1_000.0 {
        return String::new();
    }
    let seconds = format::whole((offset_ms / 1e3).abs());
    let way = if offset_ms > 0.0 { "behind" } else { "ahead" };
    format!("this computer's clock is {seconds} s {way}")
}

pub(crate) fn detour(detour: Detour) -> String {
    let fault = match detour.fault {
        TransportFault::DoesNotGetThrough => "does not get through",
        TransportFault::KeepsBreakingOff => "keeps breaking off",
    };
    format!("{} {fault}", detour.transport.label())
}

/// The problems of the server's store; empty if there are none.
pub(crate) fn store_worry(status: &StoreStatus) -> String {
    let mut worries = Vec::new();
    if !status.saving {
        worries.push(format!("history is not saved ({})", status.detail));
    }
    if status.lost > 0 {
        worries.push(format!("{} candles were lost", status.lost));
    }
    if status.lost_firings > 0 {
        let lost = status.lost_firings;
        worries.push(format!("{lost} alerts that fired were lost"));
    }
    worries.join(", ")
}

/// Why a connection was lost.
pub(crate) fn loss(loss: &Loss) -> String {
    match loss {
        Loss::Call(error) => call_error(error),
        Loss::NotOpened(transport) => format!("{} could not be opened", connection(*transport)),
        Loss::Closed(_, reason) if !reason.is_empty() => reason.clone(),
        Loss::Closed(Some(code), _) => format!("the WebSocket closed (code {code})"),
        Loss::Closed(None, _) => "the server closed the WebSocket".to_owned(),
        Loss::BrokeOff(transport) => format!("{} broke off", connection(*transport)),
        Loss::Unreadable(why) => format!("a message could not be read: {why}"),
        Loss::Silent => "the stream has gone silent".to_owned(),
        Loss::Refused(why) => why.clone(),
    }
}

fn connection(transport: Transport) -> &'static str {
    match transport {
        Transport::WebSocket => "the WebSocket",
        Transport::Sse => "the event stream",
        Transport::LongPoll | Transport::Poll => "the answer",
    }
}

/// Why a call failed.
pub(crate) fn call_error(error: &CallError) -> String {
    match error {
        CallError::Unreachable => "the server cannot be reached".to_owned(),
        CallError::Late => "the server does not answer".to_owned(),
        CallError::BrokeOff => "the answer broke off".to_owned(),
        CallError::Refused {
            reason: Some(why), ..
        } => why.clone(),
        CallError::Refused { status, .. } => format!("the server answered with status {status}"),
        CallError::Unreadable(why) => format!("the answer could not be read: {why}"),
        CallError::Unsupported => "this browser cannot do it".to_owned(),
    }
}
