//! Wiring: the one module that knows client, store and views.

use std::cell::Cell;
use std::rc::Rc;

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::Pace;

use crate::alarm;
use crate::client::{Choice, Link, Session, alerts, history, last_days, timekeeper};
use crate::clock::{BrowserClock, now_ms};
use crate::frames::Frames;
use crate::locale;
use crate::settings::Settings;
use crate::store::Store;
use crate::theme::Looks;
use crate::views::{
    Bring, Bringing, ChartGrid, Charts, Header, Missing, Parts, QuoteHeader, ReplayBar, Rows,
    Shortcuts, Splitter, StatusBar, Tape, Toasts, Toolbar, Watchlist, measure,
};
use crate::views::{interval_ms_of, keyboard, replay};
use crate::words;

/// The shortest time between two updates of the numbers. That is faster than
/// anyone reads, and slow enough that a table in which everything changes
/// leaves the browser time for the chart, which is drawn in every frame.
const FLUSH_INTERVAL_MS: f64 = 50.0;

/// How often the server sends messages to a hidden page. The page misses
/// nothing, and costs less.
const HIDDEN_MS: u32 = 1_000;

/// The whole page.
#[component]
pub fn App() -> impl IntoView {
    locale::start();
    let settings = Settings::start();
    let looks = Looks::start(settings);
    let paused = RwSignal::new(false);
    let frames = Frames::default();
    let store = start_store(&frames, paused);
    let (session, link) = start_link(&store, &frames, settings);
    let gone = RwSignal::new(Vec::new());
    let grid = ChartGrid::start(Parts {
        store: Rc::clone(&store),
        frames: frames.clone(),
        settings,
        looks,
        gone,
    });
    let rows = Rows::new(Rc::clone(&store), Rc::clone(&grid));
    store
        .alerts
        .on_fired(move |firings| alarm::raise(settings, firings));
    let known = replay::follow(&store);
    let bringing = Bringing::new(known, settings);
    let figures = measure(Rc::clone(&store), session, link.state, paused);
    let search = RwSignal::new(String::new());
    let help = RwSignal::new(false);
    let search_box = NodeRef::new();
    keyboard::listen(keyboard::Actions {
        rows: Rc::clone(&rows),
        grid: Rc::clone(&grid),
        link: link.clone(),
        looks,
        search,
        search_box,
        help,
        paused,
    });
    view! {
        <Header settings looks search search_box help bringing />
        <div>
            <Missing store=&store settings gone />
            <Bring bringing />
        </div>
        <main>
            <Watchlist rows frames looks search />
            <Splitter settings />
            <section class="panel instrument" aria-label=words::INSTRUMENT>
                <QuoteHeader store=&store figures />
                <Toolbar grid=Rc::clone(&grid) />
                <Charts grid=Rc::clone(&grid) />
                <ReplayBar store=&store settings known />
                <Tape store=&store settings />
            </section>
        </main>
        <StatusBar figures link settings paused />
        <Toasts store=&store grid />
        <Shortcuts open=help />
    }
}

/// The store, with its connections to the rest of the page. It is the first
/// painter of a frame, so that the other painters draw what it has updated.
fn start_store(frames: &Frames, paused: RwSignal<bool>) -> Rc<Store> {
    let (store, asked) = Store::new();
    let store = Rc::new(store);
    hold_while(paused, &store, frames);
    flush_in_frames(&store, frames);
    let answered = Rc::clone(&store);
    spawn_local(alerts::serve(asked.commands, move |answer| {
        answered.alerts.answer(answer);
    }));
    let (waiting, answered, frames) = (Rc::clone(&store), Rc::clone(&store), frames.clone());
    let (filled, again) = (Rc::clone(&store), frames.clone());
    spawn_local(last_days::serve(asked.last_days, move |answer| {
        filled.fill_sparks(answer);
        again.request();
    }));
    spawn_local(history::serve(
        asked.history,
        Rc::new(move |request| waiting.waits_for(request)),
        Rc::new(move |request, answer| {
            answered.answer(request, answer);
            frames.request();
        }),
    ));
    store
}

/// While `paused`, the store holds what is shown.
fn hold_while(paused: RwSignal<bool>, store: &Rc<Store>, frames: &Frames) {
    let (store, frames) = (Rc::clone(store), frames.clone());
    Effect::new(move || {
        let paused = paused.get();
        untrack(|| {
            if paused {
                // What is held is what is seen, to the last tick.
                store.flush();
            }
            store.hold(paused);
        });
        frames.request();
    });
}

/// Updates the numbers in animation frames, if there are new ones, and not too
/// often.
fn flush_in_frames(store: &Rc<Store>, frames: &Frames) {
    let (store, again) = (Rc::clone(store), frames.clone());
    let flushed_ms = Cell::new(f64::NEG_INFINITY);
    frames.add(move || {
        if store.is_held() || !store.has_news() {
            return;
        }
        let now_ms = now_ms();
        if now_ms - flushed_ms.get() >= FLUSH_INTERVAL_MS {
            flushed_ms.set(now_ms);
            store.flush();
        } else {
            again.request();
        }
    });
}

/// A connection over the transport in the settings, which feeds the store.
fn start_link(store: &Rc<Store>, frames: &Frames, settings: Settings) -> (Rc<Session>, Link) {
    let (store, frames) = (Rc::clone(store), frames.clone());
    let symbols = settings.symbols.list_untracked();
    let session = Session::new(BrowserClock, symbols, move |message, verdict| {
        store.apply(message, verdict);
        if !store.is_held() {
            frames.request();
        }
    });
    let session = Rc::new(session);
    spawn_local(timekeeper::keep(Rc::clone(&session)));
    let choice = move || Choice::of_key(&settings.transport.get());
    let interval_ms = move || interval_ms_of(&settings.poll.get());
    let link = Link::start(Rc::clone(&session), untrack(choice), untrack(interval_ms));
    let follower = link.clone();
    Effect::new(move || follower.choose(choice()));
    let follower = link.clone();
    Effect::new(move || follower.use_interval(interval_ms()));
    follow_person(&link);
    (session, link)
}

/// When the network or the person comes back, the page reconnects without
/// waiting for the next retry. A hidden page is told less often.
fn follow_person(link: &Link) {
    let back = link.clone();
    // The handles could remove the listeners, which live as long as the page.
    let _ = window_event_listener(ev::online, move |_| back.online());
    let seen = link.clone();
    let _ = window_event_listener(ev::visibilitychange, move |_| {
        let every_ms = if document().hidden() { HIDDEN_MS } else { 0 };
        let latest = false;
        seen.use_pace(Pace { every_ms, latest });
        seen.retry_now();
    });
}
