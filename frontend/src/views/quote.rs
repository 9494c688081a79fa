//! The selected symbol in large.

use leptos::prelude::*;

use super::columns::{arrow, direction_of, text_of};
use crate::format;
use crate::react::{flag, text};
use crate::store::{Field, Listing, Store};

/// Symbol, name, last price and change; and how old that is, once it is old.
#[component]
pub(crate) fn QuoteHeader<'s>(store: &'s Store, old: Signal<String>) -> impl IntoView + use<> {
    let headline = store.headline;
    let shown = store.shown;
    let of = move |read: fn(&Listing) -> String| {
        headline
            .listing
            .with(|listing| listing.as_ref().map(read).unwrap_or_default())
    };
    let name = text(move || {
        let unknown = headline.listing.with(Option::is_none);
        let symbol = shown.get().filter(|_| unknown);
        symbol.map_or_else(
            || of(|l| l.name.clone()),
            |symbol| ["There is no symbol '", &symbol, "' here"].concat(),
        )
    });
    let last = text(move || {
        let last = headline.number(Field::Last);
        last.map_or_else(String::new, |last| text_of(Field::Last, last))
    });
    let change = move || headline.number(Field::Change);
    let change_text = text(move || {
        let percent = headline.number(Field::ChangePercent);
        let Some((change, percent)) = change().zip(percent) else {
            return String::new();
        };
        let percent = text_of(Field::ChangePercent, percent);
        let amount = format::signed(change.value, change.decimals);
        [arrow(change.value), " ", &amount, "  ", &percent].concat()
    });
    let direction = text(move || direction_of(change()).to_owned());
    view! {
        <div class="quote">
            <h2>{text(move || of(|l| l.symbol.clone()))}</h2>
            <span class="muted name">{name}</span>
            <span class="old" hidden=flag(move || old.with(String::is_empty))>{text(move || old.get())}</span>
            <span class="last">{last}</span>
            <span class=direction>{change_text}</span>
        </div>
    }
}
