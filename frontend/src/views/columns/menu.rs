//! The menu in which columns are chosen and ordered.

use leptos::prelude::*;

use super::column_of;
use crate::settings::Setting;
use crate::views::controls::Button;
use crate::words;

/// A line for each column, and a button that shows as many as fit.
#[component]
pub(in crate::views) fn ColumnsMenu(
    setting: Setting,
    columns: Memo<Vec<&'static str>>,
) -> impl IntoView {
    let lines = move || {
        let shown = columns.get();
        let others = words::COLUMNS.map(|column| column.key).into_iter();
        let others = others.filter(|key| !shown.contains(key));
        let all = shown.iter().copied().chain(others);
        // The symbol is always the first column.
        all.filter(|key| *key != "symbol").collect::<Vec<_>>()
    };
    view! {
        <div>
            // The focus stays with its column when columns are moved.
            <For each=lines key=|key| *key children=move |key| view! { <Line key columns setting /> } />
        </div>
        <Button
            label=words::COLUMNS_RESET
            title=words::COLUMNS_RESET_TITLE
            act=move |()| setting.set("")
        />
    }
}

/// A column in the menu: its checkbox, and the buttons that move it.
#[component]
fn Line(key: &'static str, columns: Memo<Vec<&'static str>>, setting: Setting) -> impl IntoView {
    let title = column_of(key).map_or(key, |column| column.title);
    let place = move || columns.with(|shown| shown.iter().position(|shown| *shown == key));
    let is_hidden = Signal::derive(move || place().is_none());
    let shift = move |by: isize| {
        let shown = columns.get_untracked();
        if let Some(place) = shown.iter().position(|shown| *shown == key) {
            setting.set(&moved(&shown, place, by).join(","));
        }
    };
    let toggle = move |_| {
        let mut shown = columns.get_untracked();
        match shown.iter().position(|shown| *shown == key) {
            Some(place) => drop(shown.remove(place)),
            None => shown.push(key),
        }
        setting.set(&shown.join(","));
    };
    view! {
        <div class="line">
            <label>
                <input
                    type="checkbox"
                    prop:checked=move || place().is_some()
                    on:change=toggle
                />
                {title}
            </label>
            <Button
                label="↑"
                title=words::TO_THE_LEFT
                hidden=is_hidden
                act=move |()| shift(-1)
            />
            <Button
                label="↓"
                title=words::TO_THE_RIGHT
                hidden=is_hidden
                act=move |()| shift(1)
            />
        </div>
    }
}

/// The order after a column is moved by one place, if it can be: the symbol
/// stays the first.
fn moved(order: &[&'static str], place: usize, by: isize) -> Vec<&'static str> {
    let mut order = order.to_vec();
    if let Some(end) = place.checked_add_signed(by)
        && end > 0
        && end < order.len()
    {
        order.swap(place, end);
    }
    order
}
