//! The figures of the connection, for the status bar.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;
use shared::{Channel, FeedState, FeedStatus, Transport, VenueStatus};

use crate::client::{Choice, Counters, LinkState, Phase, Session};
use crate::clock::now_ms;
use crate::store::Store;
use crate::words;

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
    pub(super) state: &'static str,
    /// The state in words.
    pub(super) words: String,
    pub(super) can_retry: bool,
    pub(super) transport: &'static str,
    /// The encoding of messages.
    pub(super) encoding: &'static str,
    /// Whether the page chose the transport.
    pub(super) is_auto: bool,
    pub(super) age_ms: Option<f64>,
    /// How far the server's clock is ahead of this computer's, in ms, and the
    /// round trip of the exchange that it was measured with.
    pub(super) offset_ms: Option<f64>,
    pub(super) round_trip_ms: Option<f64>,
    /// Whether prices are older than they may be, whatever the state of the
    /// connection.
    pub(super) is_old: bool,
    /// Whether the exchange of the shown symbol is lost.
    pub(super) is_lost: bool,
    /// The exchanges that prices come from, each with what was missing of it.
    pub(super) venues: Vec<VenueStatus>,
    pub(super) ticks_per_second: f64,
    pub(super) bytes_per_second: f64,
    pub(super) requests_per_second: f64,
    pub(super) empty_percent: Option<f64>,
    /// Ticks that the server left out on request.
    pub(super) skipped: u64,
    pub(super) missed: u64,
    pub(super) repeated: u64,
    pub(super) reconnects: u64,
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
        age.map_or_else(String::new, words::prices_are_old)
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
        words: words::CONNECTING.to_owned(),
        ..Figures::default()
    });
    let window = RefCell::new(Window::default());
    let refresh = move || {
        let state = link.get_untracked();
        let rates = window.borrow_mut().add(&state, session.counters());
        let mut next = describe(&store, &session, &state, rates, now_ms());
        let mut notes = Vec::new();
        notes.extend(state.detour.map(words::detour));
        notes.extend(store.worry.borrow().as_ref().map(words::store_worry));
        for note in notes.iter().filter(|note| !note.is_empty()) {
            next.words += "; ";
            next.words += note;
        }
        if paused.get_untracked() {
            next.words += words::PAUSED;
        }
        if figures.with_untracked(|old| *old != next) {
            figures.set(next);
        }
    };
    let refreshing = set_interval_with_handle(refresh, REFRESH);
    on_cleanup(move || _ = refreshing.map(|refreshing| refreshing.clear()));
    figures
}

impl Window {
    /// Adds the counters at this moment; returns the rates.
    fn add(&mut self, state: &LinkState, counters: Counters) -> Rates {
        if self.transport.replace(state.transport) != Some(state.transport) {
            // One transport's figures do not apply to the next one.
            self.samples.clear();
        }
        self.samples.push_back((now_ms(), counters));
        // Long polling intervals need a longer window; otherwise the figures
        // would jump between zero and a burst.
        let interval_ms = match state.transport {
            Transport::Poll => u128::from(state.interval_ms),
            _ => 0,
        };
        let length = WINDOW + 1 + (2 * interval_ms / REFRESH.as_millis()) as usize;
        while self.samples.len() > length {
            self.samples.pop_front();
        }
        rates(&self.samples)
    }
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
        is_old: match state {
            // What a replay shows is all there is.
            "ended" => feed.as_ref().is_some_and(|feed| feed.replay.is_none()),
            "paused" => false,
            _ => age_ms.is_some_and(|age_ms| age_ms > allowed_ms),
        },
        is_lost: store.is_shown_lost(),
        venues: feed
            .as_ref()
            .map(|feed| feed.venues.clone())
            .unwrap_or_default(),
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
        let left_s = ((retry_at_ms - now) / 1e3).ceil().max(1.0);
        return ("reconnecting", words::reconnecting(reason, left_s));
    }
    match (feed, age_ms) {
        (Some(feed), _) if feed.state == FeedState::Ended => ("ended", words::ended(feed)),
        (Some(feed), _) if feed.state == FeedState::Paused => {
            ("paused", words::STANDS_STILL.to_owned())
        }
        (Some(feed), _) if feed.state == FeedState::Reconnecting => {
            ("reconnecting", words::feed_is_lost(feed))
        }
        (None, None) => ("connecting", words::CONNECTING.to_owned()),
        (Some(_), None) => ("waiting", words::WAITING_FOR_TRADE.to_owned()),
        (feed, Some(age)) if age <= allowed_ms => ("live", words::live(feed)),
        _ => ("stale", words::STALE.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Loss;

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
            replay: None,
            venues: Vec::new(),
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
        check(Phase::Connected, FeedState::Paused, None, "paused");
        let waiting = Phase::Waiting {
            reason: Loss::Silent,
            retry_at_ms: 1_500.0,
        };
        check(waiting, FeedState::Live, Some(20.0), "reconnecting");
    }
}
