//! The status bar at the bottom: the transport, and its figures.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::NodeAnswer;

use super::controls::{Button, Toggle};
use super::figures::Figures;
use super::transport_switch::TransportSwitch;
use crate::client::{Link, api};
use crate::clock::{BrowserClock, Clock as _};
use crate::format;
use crate::settings::Settings;
use crate::words;

/// How often it is asked how the server stands among others, in ms.
const NODE_PERIOD_MS: u32 = 5_000;

/// The transport switch, the pause button, the connection's state, and the
/// figures.
#[component]
pub(crate) fn StatusBar(
    figures: RwSignal<Figures>,
    link: Link,
    settings: Settings,
    paused: RwSignal<bool>,
) -> impl IntoView {
    mark_page(figures);
    let state = move || figures.with(|figures| figures.state);
    let link_state = link.state;
    view! {
        <footer class="status">
            <TransportSwitch state=link_state settings />
            <Toggle
                label=words::PAUSE
                title=words::PAUSE_TITLE
                is_on=paused
                act=move |()| paused.update(|paused| *paused = !*paused)
            />
            // Figures that change all the time would overwhelm a screen reader.
            // It reads only the state, as one word, when that changes.
            <span class="unseen" aria-live="polite">
                {move || state()}
            </span>
            <div role="status" aria-label=words::CONNECTION aria-live="off">
                <div class="figures">
                    <span class="light" aria-hidden="true" data-state=state></span>
                    <Stat figures stat=&STATE />
                    <Button
                        label=words::RETRY_NOW
                        hidden=Signal::derive(move || figures.with(|figures| !figures.can_retry))
                        act=move |()| link.retry_now()
                    />
                    {stats(figures, &PRICES)}
                </div>
                <div class="figures">{stats(figures, &TRAFFIC)}</div>
                <div class="figures"><Stat figures stat=&VENUES /> <Node /></div>
            </div>
        </footer>
    }
}

/// Which server this page is of, if there are several with the same prices.
#[component]
fn Node() -> impl IntoView {
    let answer = RwSignal::new(NodeAnswer::default());
    spawn_local(async move {
        loop {
            // A server that does not answer is told of elsewhere.
            if let Ok(found) = api::node().await {
                let is_alone = found.node.is_none();
                answer.set(found);
                if is_alone {
                    return;
                }
            }
            BrowserClock.sleep(NODE_PERIOD_MS).await;
        }
    });
    let text = move || answer.with(words::node);
    let value = move || answer.with(|answer| answer.node.clone());
    view! { <span data-stat="node" data-value=value>{text}</span> }
}

/// Marks the page with the connection's state: the style sheet greys out prices
/// while they are not live.
fn mark_page(figures: RwSignal<Figures>) {
    let marks = Memo::new(move |_| figures.with(|f| (f.state, f.is_old, f.is_lost)));
    Effect::new(move || {
        let (state, is_old, is_lost) = marks.get();
        if let Some(body) = document().body() {
            // The names of the attributes are valid.
            let _ = body.set_attribute("data-connection", state);
            let _ = body.toggle_attribute_with_force("data-old", is_old);
            let _ = body.toggle_attribute_with_force("data-lost", is_lost);
        }
    });
}

/// A figure: its name and its value for machines, and its text.
type StatOf = (
    &'static str,
    fn(&Figures) -> Option<String>,
    fn(&Figures) -> String,
);

const STATE: StatOf = ("state", |f| Some(f.state.to_owned()), |f| f.words.clone());
/// Of the prices that are shown.
const PRICES: [StatOf; 3] = [
    (
        "age_ms",
        |f| f.age_ms.and_then(|ms| number(ms, 0)),
        |f| f.age_ms.map(words::age).unwrap_or_default(),
    ),
    (
        "transport",
        |f| Some(f.transport.to_owned()),
        |f| {
            let shown = f.is_auto.then(|| words::over(f.transport));
            shown.unwrap_or_default()
        },
    ),
    (
        "encoding",
        |f| Some(f.encoding.to_owned()),
        |f| f.encoding.to_owned(),
    ),
];
/// Of what comes over the wire.
const TRAFFIC: [StatOf; 10] = [
    (
        "ticks_per_second",
        |f| number(f.ticks_per_second, 1),
        |f| words::ticks_per_second(f.ticks_per_second),
    ),
    (
        "bytes_per_second",
        |f| number(f.bytes_per_second, 0),
        |f| words::bytes_per_second(f.bytes_per_second),
    ),
    (
        "requests_per_second",
        |f| number(f.requests_per_second, 1),
        |f| words::requests_per_second(f.requests_per_second),
    ),
    (
        "empty_percent",
        |f| f.empty_percent.and_then(|p| number(p, 1)),
        |f| words::empty_answers(f.empty_percent),
    ),
    (
        "skipped",
        |f| (f.skipped > 0).then(|| f.skipped.to_string()),
        |f| words::skipped(f.skipped),
    ),
    (
        "missed",
        |f| Some(f.missed.to_string()),
        |f| words::missed(f.missed),
    ),
    (
        "repeated",
        |f| Some(f.repeated.to_string()),
        |f| words::repeated(f.repeated),
    ),
    (
        "reconnects",
        |f| Some(f.reconnects.to_string()),
        |f| words::reconnects(f.reconnects),
    ),
    (
        "offset_ms",
        |f| f.offset_ms.and_then(|ms| number(ms, 1)),
        |f| f.offset_ms.map(words::clock_offset).unwrap_or_default(),
    ),
    (
        "round_trip_ms",
        |f| f.round_trip_ms.and_then(|ms| number(ms, 1)),
        |_| String::new(),
    ),
];

/// Of several exchanges.
const VENUES: StatOf = (
    "venues",
    |f| {
        let missed: u64 = f.venues.iter().map(|venue| venue.missed).sum();
        (!f.venues.is_empty()).then(|| missed.to_string())
    },
    |f| words::venues(&f.venues),
);

fn stats(figures: RwSignal<Figures>, all: &'static [StatOf]) -> impl IntoView {
    let stats = all.iter().map(|stat| view! { <Stat figures stat /> });
    stats.collect_view()
}

#[component]
fn Stat(figures: RwSignal<Figures>, stat: &'static StatOf) -> impl IntoView {
    let (name, value, text) = *stat;
    view! {
        <span data-stat=name data-value=move || figures.with(value)>
            {move || figures.with(text)}
        </span>
    }
}

fn number(value: f64, decimals: u32) -> Option<String> {
    Some(format::plain(value, decimals))
}
