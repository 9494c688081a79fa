//! The bar at the top of every page.

use leptos::html;
use leptos::prelude::*;

use super::bring::{Bringing, OpenFile};
use crate::settings::Settings;
use crate::theme::{Looks, PALETTES, THEMES};
use crate::words;

/// The dashboard's bar: name, pages, search, appearance, help.
#[component]
pub(crate) fn Header(
    settings: Settings,
    looks: Looks,
    search: RwSignal<String>,
    /// The input for the search, which the keyboard can focus.
    search_box: NodeRef<html::Input>,
    help: RwSignal<bool>,
    bringing: Bringing,
) -> impl IntoView {
    view! {
        <header class="top">
            <h1>"Tickwire"</h1>
            <Pages current=words::MARKETS />
            <label class="search">
                <input
                    type="search"
                    aria-label=words::SEARCH
                    placeholder=words::SEARCH_HINT
                    autocomplete="off"
                    spellcheck="false"
                    node_ref=search_box
                    prop:value=move || search.get()
                    on:input:target=move |event| search.set(event.target().value())
                />
                <kbd>"/"</kbd>
            </label>
            <OpenFile bringing />
            <Appearance settings looks />
            <button
                type="button"
                aria-label=words::SHORTCUTS
                title=words::SHORTCUTS_TITLE
                on:click=move |_| help.set(true)
            >
                "?"
            </button>
        </header>
    }
}

/// The bar of a page beside the dashboard: name, pages, appearance.
#[component]
pub(crate) fn SideHeader(current: &'static str, settings: Settings, looks: Looks) -> impl IntoView {
    view! {
        <header class="top">
            <h1>"Tickwire"</h1>
            <Pages current />
            <Appearance settings looks />
        </header>
    }
}

/// Links to all pages; the present one is marked.
#[component]
fn Pages(current: &'static str) -> impl IntoView {
    let links = words::PAGES.map(|(address, name)| {
        view! { <Page address name is_current=name == current /> }
    });
    view! { <nav aria-label=words::PAGES_LABEL>{links.collect_view()}</nav> }
}

#[component]
fn Page(address: &'static str, name: &'static str, is_current: bool) -> impl IntoView {
    view! {
        <a href=address aria-current=is_current.then_some("page")>
            {name}
        </a>
    }
}

/// The buttons for theme and palette.
#[component]
fn Appearance(settings: Settings, looks: Looks) -> impl IntoView {
    let palette = settings.palette;
    let theme_title = move || words::theme_title(looks.theme() == THEMES[0]);
    let palette_title = move || words::palette_title(palette.is(PALETTES[1]));
    view! {
        <button
            type="button"
            aria-label=words::THEME
            title=theme_title
            on:click=move |_| looks.toggle_theme()
        >
            <span aria-hidden="true">"◐"</span>
        </button>
        <button
            type="button"
            aria-label=words::PALETTE
            title=palette_title
            on:click=move |_| palette.cycle(&PALETTES)
        >
            <span class="up" aria-hidden="true">"▲"</span>
            <span class="down" aria-hidden="true">"▼"</span>
        </button>
    }
}
