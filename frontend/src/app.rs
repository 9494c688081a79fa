//! Wiring: the one place that knows client, store and views.

use std::cell::Cell;
use std::rc::Rc;

use leptos::prelude::*;

use crate::client::{Link, Session, Transport, now_ms};
use crate::frames::Frames;
use crate::store::Store;
use crate::theme::ThemeChoice;
use crate::views::{Chart, Header, QuoteHeader, Shortcuts, Splitter, StatusBar, Tape, Watchlist};
use crate::views::{keyboard, search_box};

/// How often numbers change at most: faster than anyone reads, and slow enough
/// that a table in which everything moves leaves the browser time for the
/// chart, which is drawn in every frame.
const FLUSH_INTERVAL_MS: f64 = 50.0;
/// How often plain polling asks at first, in ms.
const POLLING_INTERVAL_MS: u32 = 1_000;

/// The whole page.
#[component]
pub fn App() -> impl IntoView {
    let theme = ThemeChoice::start();
    let store = Rc::new(Store::default());
    let frames = Frames::default();
    // First of all painters, so that the others draw what is new.
    frames.add({
        let (store, again) = (Rc::clone(&store), frames.clone());
        let flushed_ms = Cell::new(f64::NEG_INFINITY);
        move || {
            if !store.has_news() {
                return;
            }
            let now_ms = now_ms();
            if now_ms - flushed_ms.get() >= FLUSH_INTERVAL_MS {
                flushed_ms.set(now_ms);
                store.flush();
            } else {
                again.request();
            }
        }
    });
    let session = Rc::new(Session::new({
        let (store, frames) = (Rc::clone(&store), frames.clone());
        move |message, verdict| {
            store.apply(message, verdict);
            frames.request();
        }
    }));
    let link = Link::start(
        Rc::clone(&session),
        Transport::WebSocket,
        POLLING_INTERVAL_MS,
    );
    let search = RwSignal::new(String::new());
    let help = RwSignal::new(false);
    let search_field = search_box();
    keyboard::listen(keyboard::Actions {
        store: Rc::clone(&store),
        link: link.clone(),
        theme,
        search,
        search_field,
        help,
    });
    view! {
        <Header theme search search_field help />
        <main>
            <Watchlist store=Rc::clone(&store) frames=frames.clone() theme search />
            <Splitter />
            <section class="panel instrument" aria-label="Instrument">
                <QuoteHeader store=Rc::clone(&store) />
                <Chart store=Rc::clone(&store) frames theme />
                <Tape store=Rc::clone(&store) />
            </section>
        </main>
        <StatusBar store session link />
        <Shortcuts open=help />
    }
}
