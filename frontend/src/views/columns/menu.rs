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
        let all = all.filter(|key| *key != "symbol");
        all.map(|key| line(key, &shown, setting)).collect_view()
    };
    view! {
        <div>{move || lines()}</div>
        <Button
            label=words::COLUMNS_RESET
            title=words::COLUMNS_RESET_TITLE
            act=move |()| setting.set("")
        />
    }
}

/// A column in the menu: its checkbox, and the buttons that move it.
fn line(key: &'static str, shown: &[&'static str], setting: Setting) -> impl IntoView + use<> {
    let title = column_of(key).map_or(key, |column| column.title);
    let place = shown.iter().position(|shown| *shown == key);
    let shift = |label: &'static str, title: &'static str, by: isize| {
        let order = moved(shown, place?, by).join(",");
        Some(view! { <Button label title act=move |()| setting.set(&order) /> })
    };
    let mut toggled = shown.to_vec();
    match place {
        Some(place) => drop(toggled.remove(place)),
        None => toggled.push(key),
    }
    view! {
        <div class="line">
            <label>
                <input
                    type="checkbox"
                    prop:checked=place.is_some()
                    on:change=move |_| setting.set(&toggled.join(","))
                />
                {title}
            </label>
            {shift("↑", words::TO_THE_LEFT, -1)}
            {shift("↓", words::TO_THE_RIGHT, 1)}
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
