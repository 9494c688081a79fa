//! The selected symbol in large.

use leptos::prelude::*;

use super::watchlist::{arrow, direction_of, text_of};
use crate::format;
use crate::store::{Field, Listing, Store};

/// Symbol, name, last price and change; and how old that is, once it is old.
#[component]
pub(crate) fn QuoteHeader<'s>(store: &'s Store, old: Memo<String>) -> impl IntoView + use<> {
    let headline = store.headline;
    let shown = store.shown;
    let text = move |read: fn(&Listing) -> String| {
        headline
            .listing
            .with(|listing| listing.as_ref().map(read).unwrap_or_default())
    };
    let name = move || {
        let unknown = headline.listing.with(Option::is_none);
        let symbol = shown.get().filter(|_| unknown);
        symbol.map_or_else(
            || text(|l| l.name.clone()),
            |symbol| format!("There is no symbol '{symbol}' here"),
        )
    };
    let last = move || {
        headline
            .number(Field::Last)
            .map(|number| text_of(Field::Last, number))
    };
    let change = move || headline.number(Field::Change);
    let change_text = move || {
        let change = change()?;
        let percent = text_of(Field::ChangePercent, headline.number(Field::ChangePercent)?);
        let amount = format::signed(change.value, change.decimals);
        Some([arrow(change.value), " ", &amount, "  ", &percent].concat())
    };
    view! {
        <div class="quote">
            <h2>{move || text(|l| l.symbol.clone())}</h2>
            <span class="muted name">{name}</span>
            <span class="old" hidden=move || old.with(String::is_empty)>{move || old.get()}</span>
            <span class="last">{last}</span>
            <span class=move || direction_of(change())>{change_text}</span>
        </div>
    }
}
