//! The list of keys.

use leptos::html::Dialog;
use leptos::prelude::*;

/// What each key does.
const KEYS: [(&str, &str); 7] = [
    ("/", "Search symbols"),
    ("↑ ↓", "Move in the watchlist"),
    ("Enter", "Show the first symbol found"),
    ("t", "Next transport"),
    ("d", "Dark or light"),
    ("?", "This list"),
    ("Esc", "Close, or clear the search"),
];

/// A dialog with all shortcuts.
#[component]
pub(crate) fn Shortcuts(open: RwSignal<bool>) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        if let Some(dialog) = dialog.get() {
            if open.get() && !dialog.open() {
                // Fails only on a dialog that is open already.
                let _ = dialog.show_modal();
            } else if !open.get() {
                dialog.close();
            }
        }
    });
    view! {
        <dialog node_ref=dialog aria-label="Keyboard shortcuts" on:close=move |_| open.set(false)>
            <h2>"Keyboard"</h2>
            <dl>
                {KEYS.map(|(key, what)| view! { <dt><kbd>{key}</kbd></dt><dd>{what}</dd> }).collect_view()}
            </dl>
            <button type="button" on:click=move |_| open.set(false)>"Close"</button>
        </dialog>
    }
}
