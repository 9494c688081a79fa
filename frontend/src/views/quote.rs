//! The headline: the selected symbol in large type.

use leptos::prelude::*;

use super::cells::{arrow, direction_of, text_of};
use super::figures::Figures;
use crate::format;
use crate::store::{Field, Listing, Store};
use crate::words;

/// Symbol, name, last price and change; and the age of the prices, once they
/// are too old.
#[component]
pub(crate) fn QuoteHeader<'s>(
    store: &'s Store,
    figures: RwSignal<Figures>,
) -> impl IntoView + use<> {
    let headline = store.headline;
    let shown = store.shown;
    let of = move |read: fn(&Listing) -> String| {
        let listing = headline.listing;
        listing.with(|listing| listing.as_ref().map(read).unwrap_or_default())
    };
    let name = move || {
        let unknown = headline.listing.with(Option::is_none);
        match shown.get().filter(|_| unknown) {
            Some(symbol) => words::unknown_symbol(&symbol),
            None => of(|listing| listing.name.clone()),
        }
    };
    let last = move || {
        let last = headline.number(Field::Last);
        last.map_or_else(String::new, |last| text_of(Field::Last, last))
    };
    let change = move || headline.number(Field::Change);
    let change_text = move || {
        let percent = headline.number(Field::ChangePercent);
        let Some((change, percent)) = change().zip(percent) else {
            return String::new();
        };
        let percent = text_of(Field::ChangePercent, percent);
        let amount = format::signed(change.value, change.decimals);
        format!("{} {amount}  {percent}", arrow(change.value))
    };
    let warning = move || figures.with(Figures::warning);
    view! {
        <div class="quote">
            <h2>{move || of(|listing| listing.symbol.clone())}</h2>
            <span class="muted name">{move || name()}</span>
            <span class="old" hidden=move || warning().is_empty()>
                {move || warning()}
            </span>
            <span class="last">{move || last()}</span>
            <span class=move || direction_of(change())>{move || change_text()}</span>
        </div>
    }
}
