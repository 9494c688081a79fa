//! The bar at the top.

use leptos::html::Input;
use leptos::prelude::*;

use crate::react::text;
use crate::settings::Settings;
use crate::theme::{Looks, PALETTES, THEMES};

/// A handle on the search box, to put the cursor into it.
pub(crate) fn search_box() -> NodeRef<Input> {
    NodeRef::new()
}

/// Name, pages, search, looks, help.
#[component]
pub(crate) fn Header(
    settings: Settings,
    looks: Looks,
    search: RwSignal<String>,
    search_field: NodeRef<Input>,
    help: RwSignal<bool>,
) -> impl IntoView {
    let dark = move || looks.theme() == THEMES[0];
    let theme_title = text(move || {
        let other = if dark() { "light" } else { "dark" };
        "Change to ".to_owned() + other + " (d)"
    });
    let palette = settings.palette;
    let palette_title = text(move || {
        let other = if palette.is(PALETTES[1]) {
            "green and red"
        } else {
            "blue and orange"
        };
        "Change to ".to_owned() + other
    });
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
                    prop:value=text(move || search.get())
                    on:input:target=move |event| search.set(event.target().value())
                />
                <kbd>"/"</kbd>
            </label>
            <button type="button" aria-label="Theme" title=theme_title on:click=move |_| looks.toggle_theme()>
                <span aria-hidden="true">"◐"</span>
            </button>
            <button
                type="button"
                aria-label="Palette"
                title=palette_title
                on:click=move |_| palette.cycle(&PALETTES)
            >
                <span class="up" aria-hidden="true">"▲"</span>
                <span class="down" aria-hidden="true">"▼"</span>
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
