//! The heading of a column.

use leptos::prelude::*;

use super::{Layout, column_of, heading_of};
use crate::settings::Settings;

/// A column's heading, with a button that sorts by the column.
#[component]
pub(in crate::views) fn Head(
    key: &'static str,
    settings: Settings,
    layout: Layout,
) -> impl IntoView {
    let title = column_of(key).map_or("", |column| column.title);
    let heading = heading_of(key);
    let order = move || order_of(&settings.sort.get(), key);
    let sign = move || match order() {
        Some("descending") => " ▾",
        Some(_) => " ▴",
        None => "",
    };
    let content = if key == "spark" {
        view! { {heading} }.into_any()
    } else {
        view! {
            <button type="button" on:click=move |_| settings.sort.set(&next_order(settings, key))>
                {heading}
                <span aria-hidden="true">{move || sign()}</span>
            </button>
        }
        .into_any()
    };
    view! {
        <th
            scope="col"
            data-col=key
            title=title
            style:width=move || format!("{}px", layout.widths.of(key))
            hidden=move || layout.hides(key)
            aria-sort=order
        >
            {content}
        </th>
    }
}

/// The order of a column in the setting's text.
fn order_of(sort: &str, key: &str) -> Option<&'static str> {
    let is_own = sort.trim_start_matches('-') == key;
    is_own.then_some(match sort.starts_with('-') {
        true => "descending",
        false => "ascending",
    })
}

/// The setting after another click: the first click sorts numbers in descending
/// and text in ascending order, the second one the other way, and the third one
/// restores the server's order.
fn next_order(settings: Settings, key: &str) -> String {
    let (up, down) = (key.to_owned(), format!("-{key}"));
    let turns = if key == "symbol" || key == "name" {
        [up, down, String::new()]
    } else {
        [down, up, String::new()]
    };
    let now = settings.sort.get_untracked();
    let place = turns
        .iter()
        .position(|turn| *turn == now && !now.is_empty());
    let next = place.map_or(0, |place| place + 1);
    turns.into_iter().nth(next).unwrap_or_default()
}
