//! The headline: the selected symbol in large type.

use leptos::prelude::*;

use super::columns::{arrow, direction_of, text_of};
use super::status_bar::Figures;
use crate::dom::html;
use crate::format;
use crate::store::{Field, Listing, Store};

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
        headline
            .listing
            .with(|listing| listing.as_ref().map(read).unwrap_or_default())
    };
    let name = move || {
        let unknown = headline.listing.with(Option::is_none);
        let symbol = shown.get().filter(|_| unknown);
        symbol.map_or_else(
            || of(|l| l.name.clone()),
            |symbol| ["There is no symbol '", &symbol, "' here"].concat(),
        )
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
        [arrow(change.value), " ", &amount, "  ", &percent].concat()
    };
    html(r#"<div class="quote"></div>"#).with([
        html("<h2></h2>").text(move || of(|l| l.symbol.clone())),
        html(r#"<span class="muted name"></span>"#).text(name),
        html(r#"<span class="old"></span>"#)
            .flag("hidden", move || warning(figures).is_empty())
            .text(move || warning(figures)),
        html(r#"<span class="last"></span>"#).text(last),
        html("<span></span>")
            .attr("class", move || Some(direction_of(change()).to_owned()))
            .text(change_text),
    ])
}

fn warning(figures: RwSignal<Figures>) -> String {
    figures.with(Figures::warning)
}
