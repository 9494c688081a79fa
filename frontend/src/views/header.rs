//! The bar at the top.

use leptos::prelude::*;

use crate::dom::{Html, html};
use crate::settings::Settings;
use crate::theme::{Looks, PALETTES, THEMES};

/// The box that the search is typed into.
pub(crate) fn search_box(search: RwSignal<String>) -> Html {
    html(
        r#"<input type="search" aria-label="Search symbols" placeholder="Search" autocomplete="off" spellcheck="false">"#,
    )
    .value(move || search.get())
    .input("input", move |input| search.set(input.value()))
}

/// Name, pages, search, looks, help.
#[component]
pub(crate) fn Header(
    settings: Settings,
    looks: Looks,
    search_box: Html,
    help: RwSignal<bool>,
) -> impl IntoView {
    let palette = settings.palette;
    let change_to = |other: &str| Some("Change to ".to_owned() + other);
    let theme_title = move || {
        let is_dark = looks.theme() == THEMES[0];
        change_to(if is_dark { "light (d)" } else { "dark (d)" })
    };
    let palette_title = move || {
        let is_blue = palette.is(PALETTES[1]);
        change_to(if is_blue {
            "green and red"
        } else {
            "blue and orange"
        })
    };
    html(r#"<header class="top"><h1>Tickwire</h1><nav aria-label="Pages"><a href="/" aria-current="page">Markets</a></nav></header>"#)
        .with([
            html(r#"<label class="search"></label>"#)
                .with([search_box, html("<kbd>/</kbd>")]),
            html(r#"<button type="button" aria-label="Theme"><span aria-hidden="true">◐</span></button>"#)
                .attr("title", theme_title)
                .click(move || looks.toggle_theme()),
            html(r#"<button type="button" aria-label="Palette"><span class="up" aria-hidden="true">▲</span><span class="down" aria-hidden="true">▼</span></button>"#)
                .attr("title", palette_title)
                .click(move || palette.cycle(&PALETTES)),
            html(r#"<button type="button" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)">?</button>"#)
                .click(move || help.set(true)),
        ])
}
