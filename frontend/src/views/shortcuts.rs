//! The list of keys.

use leptos::html::Dialog;
use leptos::prelude::*;

use crate::react::effect;

/// What each key does.
const KEYS: [(&str, &str); 14] = [
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
    ("p", "Pause what is shown"),
    ("d", "Dark or light"),
    ("?", "This list"),
    ("Esc", "Close, or clear the search"),
];

/// A dialog with all shortcuts.
#[component]
pub(crate) fn Shortcuts(open: RwSignal<bool>) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    effect(move || {
        if let Some(dialog) = dialog.get() {
            if open.get() && !dialog.open() {
                // Fails only on a dialog that is open already.
                let _ = dialog.show_modal();
            } else if !open.get() {
                dialog.close();
            }
        }
    });
    let key = |(key, what): (&'static str, &'static str)| view! { <dt><kbd>{key}</kbd></dt><dd>{what}</dd> };
    view! {
        <dialog node_ref=dialog aria-label="Keyboard shortcuts" on:close=move |_| open.set(false)>
            <h2>"Keyboard"</h2>
            <dl>{KEYS.into_iter().map(key).collect_view()}</dl>
            <button type="button" on:click=move |_| open.set(false)>"Close"</button>
        </dialog>
    }
}
