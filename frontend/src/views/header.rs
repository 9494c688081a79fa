//! The bar at the top.

use leptos::html::Input;
use leptos::prelude::*;

use crate::theme::{Theme, ThemeChoice};

/// A handle on the search box, to put the cursor into it.
pub(crate) fn search_box() -> NodeRef<Input> {
    NodeRef::new()
}

/// Name, pages, search, theme, help.
#[component]
pub(crate) fn Header(
    theme: ThemeChoice,
    search: RwSignal<String>,
    search_field: NodeRef<Input>,
    help: RwSignal<bool>,
) -> impl IntoView {
    let theme_title = move || match theme.get() {
        Theme::Dark => "Change to light (d)",
        Theme::Light => "Change to dark (d)",
    };
    let theme_sign = move || match theme.get() {
        Theme::Dark => "Dark",
        Theme::Light => "Light",
    };
    view! {
        <header class="top">
            <h1>"Tickwire"</h1>
            <nav aria-label="Pages">
                <a href="/" aria-current="page">"Markets"</a>
            </nav>
            <label class="search">
                <input
                    type="search"
                    aria-label="Search symbols"
                    placeholder="Search"
                    autocomplete="off"
                    spellcheck="false"
                    node_ref=search_field
                    prop:value=move || search.get()
                    on:input:target=move |event| search.set(event.target().value())
                />
                <kbd>"/"</kbd>
            </label>
            <button type="button" aria-label="Theme" title=theme_title on:click=move |_| theme.toggle()>
                {theme_sign}
            </button>
            <button
                type="button"
                aria-label="Keyboard shortcuts"
                title="Keyboard shortcuts (?)"
                on:click=move |_| help.set(true)
            >
                "?"
            </button>
        </header>
    }
}
