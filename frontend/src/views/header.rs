//! The bar at the top of the page.

use leptos::prelude::*;

use crate::dom::{Html, html};
use crate::settings::Settings;
use crate::theme::{Looks, PALETTES, THEMES};

/// The input for the search.
pub(crate) fn search_box(search: RwSignal<String>) -> Html {
    html(
        r#"<input type="search" aria-label="Search symbols" placeholder="Search" autocomplete="off" spellcheck="false">"#,
    )
    .value(move || search.get())
    .input("input", move |input| search.set(input.value()))
}

/// The pages: the address and the name of each.
const PAGES: [(&str, &str); 4] = [
    ("./", "Markets"),
    ("alerts.html", "Alerts"),
    ("lab.html", "Lab"),
    ("guide.html", "How it works"),
];

/// The dashboard's bar: name, pages, search, appearance, help.
#[component]
pub(crate) fn Header(
    settings: Settings,
    looks: Looks,
    search_box: Html,
    help: RwSignal<bool>,
) -> impl IntoView {
    let search = html(r#"<label class="search"></label>"#).with([search_box, html("<kbd>/</kbd>")]);
    let keys = html(r#"<button type="button" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)">?</button>"#)
        .click(move || help.set(true));
    bar("Markets", settings, looks, Some(search)).with([keys])
}

/// A page's bar: name, pages, appearance, and an element between them.
pub(crate) fn bar(current: &str, settings: Settings, looks: Looks, between: Option<Html>) -> Html {
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
    let links = PAGES.map(|(address, name)| {
        let link = html("<a></a>").set("href", address).say(name);
        match name == current {
            true => link.set("aria-current", "page"),
            false => link,
        }
    });
    html(r#"<header class="top"><h1>Tickwire</h1></header>"#)
        .with([html(r#"<nav aria-label="Pages"></nav>"#).with(links)])
        .with(between)
        .with([
            html(r#"<button type="button" aria-label="Theme"><span aria-hidden="true">◐</span></button>"#)
                .attr("title", theme_title)
                .click(move || looks.toggle_theme()),
            html(r#"<button type="button" aria-label="Palette"><span class="up" aria-hidden="true">▲</span><span class="down" aria-hidden="true">▼</span></button>"#)
                .attr("title", palette_title)
                .click(move || palette.cycle(&PALETTES)),
        ])
}
