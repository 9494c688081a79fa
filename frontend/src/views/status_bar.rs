//! The status bar at the bottom: the transport, and its figures.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use shared::{Channel, FeedState, FeedStatus, Transport};

use super::button::toggle;
use super::transport_switch::transport_switch;
use crate::client::{Choice, Counters, Link, LinkState, Phase, Session, now_ms};
use crate::dom::{Html, html};
use crate::format;
use crate::react::effect;
use crate::settings::Settings;
use crate::store::Store;

/// How often the figures are updated.
const REFRESH: Duration = Duration::from_millis(250);
/// Rates are averages over this many updates: two seconds.
const WINDOW: usize = 8;
/// Prices older than this are not live. For plain polling its interval is
/// added.
const STALE_MS: f64 = 3_000.0;

/// What the status bar shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    state: &'static str,
    words: String,
    can_retry: bool,
    transport: &'static str,
    /// The encoding of messages.
    encoding: &'static str,
    /// Whether the page chose the transport.
    is_auto: bool,
    age_ms: Option<f64>,
    /// How far the server's clock is ahead of this computer's, in ms, and the
    /// round trip of the exchange that it was measured with.
    offset_ms: Option<f64>,
    round_trip_ms: Option<f64>,
    /// Whether prices are older than they may be, whatever the state of the
    /// connection.
    is_old: bool,
    ticks_per_second: f64,
    bytes_per_second: f64,
    requests_per_second: f64,
    empty_percent: Option<f64>,
    /// Ticks that the server left out on request.
    skipped: u64,
    missed: u64,
    repeated: u64,
    reconnects: u64,
}

/// The transport switch, the pause button, the connection's state, and the
/// figures.
#[component]
pub(crate) fn StatusBar(
    figures: RwSignal<Figures>,
    link: Link,
    settings: Settings,
    paused: RwSignal<bool>,
) -> impl IntoView {
    let state = move || figures.with(|f| f.state.to_owned());
    // The style sheet greys out prices while they are not live.
    effect(move || {
        if let Some(body) = document().body() {
            // The names of the attributes are valid.
            let _ = body.set_attribute("data-connection", &state());
            let is_old = figures.with(|f| f.is_old);
            let _ = body.toggle_attribute_with_force("data-old", is_old);
        }
    });
    let light = html(r#"<span class="light" aria-hidden="true"></span>"#)
        .attr("data-state", move || Some(state()));
    let pause = toggle(
        "Pause",
        "Hold what is shown (p); nothing is lost",
        move || paused.get(),
        move || paused.update(|paused| *paused = !*paused),
    );
    let switch = transport_switch(&link, settings);
    let retry = html(r#"<button type="button">Retry now</button>"#)
        .flag("hidden", move || figures.with(|f| !f.can_retry))
        .click(move || link.retry_now());
    // Figures that change all the time would overwhelm a screen reader. It
    // reads only the state, as one word, when that changes.
    let told = html(r#"<span class="unseen" aria-live="polite"></span>"#).text(state);
    let connection = html(r#"<div role="status" aria-label="Connection" aria-live="off"></div>"#)
        .with([light, stat(figures, &STATE), retry])
        .with(STATS.iter().map(|known| stat(figures, known)));
    html(r#"<footer class="status"></footer>"#)
        .with(switch)
        .with([pause, told, connection])
}

/// A figure: its name and its value for machines, and its text.
type Stat = (
    &'static str,
    fn(&Figures) -> Option<String>,
    fn(&Figures) -> String,
);

const STATE: Stat = ("state", |f| Some(f.state.to_owned()), |f| f.words.clone());
const STATS: [Stat; 13] = [
    (
        "age_ms",
        |f| f.age_ms.and_then(|ms| number(ms, 0)),
        age_text,
    ),
    (
        "transport",
        |f| Some(f.transport.to_owned()),
        |f| {
            let shown = f.is_auto.then(|| "over ".to_owned() + f.transport);
            shown.unwrap_or_default()
        },
    ),
    (
        "encoding",
        |f| Some(f.encoding.to_owned()),
        |f| f.encoding.to_owned(),
    ),
    (
        "ticks_per_second",
        |f| number(f.ticks_per_second, 1),
        |f| format::whole(f.ticks_per_second) + " ticks/s",
    ),
    (
        "bytes_per_second",
        |f| number(f.bytes_per_second, 0),
        |f| format::whole(f.bytes_per_second / 1e3) + " KB/s",
    ),
    (
        "requests_per_second",
        |f| number(f.requests_per_second, 1),
        |f| format::rounded(f.requests_per_second, 1) + " req/s",
    ),
    (
        "empty_percent",
        |f| f.empty_percent.and_then(|p| number(p, 1)),
        |f| {
            let percent = f.empty_percent.map(|percent| format::whole(percent) + "%");
            "empty ".to_owned() + percent.as_deref().unwrap_or(format::NOTHING)
        },
    ),
    (
        "skipped",
        |f| (f.skipped > 0).then(|| f.skipped.to_string()),
        |f| match f.skipped {
            0 => String::new(),
            skipped => format!("skipped {skipped}"),
        },
    ),
    (
        "missed",
        |f| Some(f.missed.to_string()),
        |f| format!("missed {}", f.missed),
    ),
    (
        "repeated",
        |f| Some(f.repeated.to_string()),
        |f| format!("repeated {}", f.repeated),
    ),
    (
        "reconnects",
        |f| Some(f.reconnects.to_string()),
        |f| format!("reconnects {}", f.reconnects),
    ),
    (
        "offset_ms",
        |f| f.offset_ms.and_then(|ms| number(ms, 1)),
        offset_text,
    ),
    (
        "round_trip_ms",
        |f| f.round_trip_ms.and_then(|ms| number(ms, 1)),
        |_| String::new(),
    ),
];

fn stat(figures: RwSignal<Figures>, (name, value, read): &Stat) -> Html {
    let (value, read) = (*value, *read);
    html("<span></span>")
        .set("data-stat", name)
        .attr("data-value", move || figures.with(value))
        .text(move || figures.with(read))
}

fn number(value: f64, decimals: u32) -> Option<String> {
    Some(format::plain(value, decimals))
}

/// Shown only if the computer's clock is wrong.
fn offset_text(figures: &Figures) -> String {
    let ms = figures.offset_ms.unwrap_or_default();
    if ms.abs() < 1_000.0 {
        return String::new();
    }
    let seconds = format::whole((ms / 1e3).abs());
    let way = if ms > 0.0 { "behind" } else { "ahead" };
    ["this computer's clock is ", &seconds, " s ", way].concat()
}

fn age_text(figures: &Figures) -> String {
    match figures.age_ms {
        None => String::new(),
        Some(ms) if ms < 10_000.0 => format::whole(ms) + " ms old",
        Some(ms) => format::whole(ms / 1e3) + " s old",
    }
}

/// The counters at each update; rates are computed from their differences.
#[derive(Default)]
struct Window {
    samples: VecDeque<(f64, Counters)>,
    transport: Option<Transport>,
}

impl Figures {
    /// A text with the age of prices, once they are too old.
    pub(crate) fn warning(&self) -> String {
        let age = self.age_ms.filter(|_| self.is_old);
        age.map_or(String::new(), |ms| {
            format!("Prices are {} s old", format::whole(ms / 1e3))
        })
    }
}

/// Updates the figures as long as the page lives.
pub(crate) fn measure(
    store: Rc<Store>,
    session: Rc<Session>,
    link: RwSignal<LinkState>,
    paused: RwSignal<bool>,
) -> RwSignal<Figures> {
    let figures = RwSignal::new(Figures {
        state: "connecting",
        words: "connecting".to_owned(),
        ..Figures::default()
    });
    let window = RefCell::new(Window::default());
    let refresh = move || {
        let now = now_ms();
        let state = link.get_untracked();
        let mut window = window.borrow_mut();
        if window.transport.replace(state.transport) != Some(state.transport) {
            // One transport's figures do not apply to the next one.
            window.samples.clear();
        }
        window.samples.push_back((now, session.counters()));
        // Long polling intervals need a longer window; otherwise the figures
        // would jump between zero and a burst.
        let interval = match state.transport {
            Transport::Poll => state.interval_ms as usize,
            _ => 0,
        };
        let length = WINDOW + 1 + 2 * interval / REFRESH.as_millis() as usize;
        while window.samples.len() > length {
            window.samples.pop_front();
        }
        let rates = rates(&window.samples);
        let mut next = describe(&store, &session, &state, rates, now);
        if let Some(detour) = &state.detour {
            next.words = [&next.words, "; ", detour].concat();
        }
        let worry = store.worry.borrow();
        if !worry.is_empty() {
            next.words = [&next.words, "; ", &worry].concat();
        }
        if paused.get_untracked() {
            next.words += ", paused";
        }
        if figures.with_untracked(|old| *old != next) {
            figures.set(next);
        }
    };
    let interval = set_interval_with_handle(refresh, REFRESH);
    on_cleanup(move || {
        if let Ok(interval) = interval {
            interval.clear();
        }
    });
    figures
}

#[derive(Clone, Copy, Default)]
struct Rates {
    ticks: f64,
    bytes: f64,
    requests: f64,
    empty_percent: Option<f64>,
}

fn rates(samples: &VecDeque<(f64, Counters)>) -> Rates {
    let (Some((from, old)), Some((to, new))) = (samples.front(), samples.back()) else {
        return Rates::default();
    };
    let seconds = (to - from) / 1e3;
    if seconds <= 0.0 {
        return Rates::default();
    }
    let rate = |new: u64, old: u64| (new - old) as f64 / seconds;
    let answers = new.answers - old.answers;
    let empty = (new.empty - old.empty) as f64;
    Rates {
        ticks: rate(new.ticks, old.ticks),
        bytes: rate(new.bytes, old.bytes),
        requests: rate(new.requests, old.requests),
        empty_percent: (answers > 0).then(|| 100.0 * empty / answers as f64),
    }
}

fn describe(store: &Store, session: &Session, link: &LinkState, rates: Rates, now: f64) -> Figures {
    let server = session.server_now_ms();
    let age_ms = server.zip(store.newest_at()).map(|((now_ms, _), at)| {
        // The clock's offset is known only to within half a round trip, so an
        // age can be negative.
        (now_ms - at.millis()).max(0.0)
    });
    let allowed_ms = match link.transport {
        Transport::Poll => STALE_MS + f64::from(link.interval_ms),
        _ => STALE_MS,
    };
    let feed = store.feed.borrow();
    let (state, words) = state_of(link, feed.as_ref(), age_ms, allowed_ms, now);
    let (missed, repeated) = session.missed_and_repeated();
    Figures {
        state,
        words,
        can_retry: matches!(link.phase, Phase::Waiting { .. }),
        transport: link.transport.label(),
        encoding: Channel::new(link.transport, session.format())
            .format
            .label(),
        is_auto: link.choice == Choice::Auto,
        age_ms,
        offset_ms: server.map(|(now_ms, _)| now_ms - js_sys::Date::now()),
        round_trip_ms: server.map(|(_, round_trip_ms)| round_trip_ms),
        is_old: state == "ended" || age_ms.is_some_and(|age_ms| age_ms > allowed_ms),
        ticks_per_second: rates.ticks,
        bytes_per_second: rates.bytes,
        requests_per_second: rates.requests,
        empty_percent: rates.empty_percent,
        skipped: session.counters().skipped,
        missed,
        repeated,
        reconnects: session.counters().reconnects,
    }
}

/// The state, as a word for machines and as text. Live means that prices are
/// fresh, not that a socket is open.
fn state_of(
    link: &LinkState,
    feed: Option<&FeedStatus>,
    age_ms: Option<f64>,
    allowed_ms: f64,
    now: f64,
) -> (&'static str, String) {
    if let Phase::Waiting {
        reason,
        retry_at_ms,
    } = &link.phase
    {
        let left = format::whole(((retry_at_ms - now) / 1e3).ceil().max(1.0));
        let words = format!("{reason}; reconnecting in {left} s");
        return ("reconnecting", words);
    }
    match (feed, age_ms) {
        (Some(feed), _) if feed.state == FeedState::Ended => {
            ("ended", format!("{} ended: {}", feed.feed, feed.detail))
        }
        (None, None) => ("connecting", "connecting".to_owned()),
        (Some(_), None) => ("waiting", "waiting for the next trade".to_owned()),
        (Some(feed), Some(age)) if age <= allowed_ms => {
            let source = match feed.label.as_str() {
                "" => &feed.feed,
                label => label,
            };
            // Something that a person has to know, although prices arrive.
            let detail = match feed.detail.as_str() {
                "" => String::new(),
                detail => "; ".to_owned() + detail,
            };
            ("live", format!("live, {source}{detail}"))
        }
        (None, Some(age)) if age <= allowed_ms => ("live", "live".to_owned()),
        _ => ("stale", "stale".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(phase: Phase) -> LinkState {
        LinkState {
            choice: Choice::Auto,
            transport: Transport::Sse,
            detour: None,
            interval_ms: 1_000,
            phase,
        }
    }

    fn feed(state: FeedState) -> FeedStatus {
        FeedStatus {
            feed: "sim".into(),
            label: "simulated".into(),
            state,
            detail: String::new(),
            retry_ms: None,
        }
    }

    fn check(phase: Phase, state: FeedState, age_ms: Option<f64>, expect: &str) {
        let (found, _) = state_of(&link(phase), Some(&feed(state)), age_ms, 3_000.0, 0.0);
        assert_eq!(found, expect);
    }

    #[test]
    fn live_means_fresh_prices_and_not_an_open_socket() {
        check(Phase::Connected, FeedState::Live, None, "waiting");
        check(Phase::Connected, FeedState::Live, Some(20.0), "live");
        check(Phase::Connected, FeedState::Live, Some(4_000.0), "stale");
        check(Phase::Connected, FeedState::Ended, Some(20.0), "ended");
        let waiting = Phase::Waiting {
            reason: "gone".into(),
            retry_at_ms: 1_500.0,
        };
        check(waiting, FeedState::Live, Some(20.0), "reconnecting");
    }
}
