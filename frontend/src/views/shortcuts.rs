//! The list of keyboard shortcuts.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlDialogElement};

use crate::dom::html;
use crate::react::effect;

/// What each key does.
const KEYS: [(&str, &str); 15] = [
    ("/", "Search symbols"),
    ("↑ ↓", "Move in the watchlist"),
    ("Enter", "Show the first symbol found"),
    ("f", "Favourite, or not"),
    ("1 – 7", "Interval, from a second to a day"),
    ("c l a", "Candles, line, area"),
    ("+ −", "Zoom"),
    ("← →", "Scroll in time"),
    ("Home End", "The oldest bar, the newest"),
    ("t", "Next transport"),
    ("n", "An alert on the chart"),
    ("p", "Pause what is shown"),
    ("d", "Dark or light"),
    ("?", "This list"),
    ("Esc", "Close, or clear the search"),
];

/// A dialog with all shortcuts.
#[component]
pub(crate) fn Shortcuts(open: RwSignal<bool>) -> impl IntoView {
    let close = move || open.set(false);
    let list = html("<dl></dl>");
    for (key, what) in KEYS {
        list.add(&html("<dt></dt>").with([html("<kbd></kbd>").say(key)]));
        list.add(&html("<dd></dd>").say(what));
    }
    let dialog = html(r#"<dialog aria-label="Keyboard shortcuts"><h2>Keyboard</h2></dialog>"#)
        .with([
            list,
            html(r#"<button type="button">Close</button>"#).click(close),
        ])
        .on("close", move |_: Event| close());
    let element: HtmlDialogElement = dialog.node().clone().unchecked_into();
    effect(move || {
        if !open.get() {
            element.close();
        } else if !element.open() {
            // Fails only if the dialog is open already.
            let _ = element.show_modal();
        }
    });
    dialog
}
