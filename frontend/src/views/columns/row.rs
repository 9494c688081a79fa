//! A row of the watchlist. Its cells are bound to the signals of a slot, so that
//! a price that changes touches one text and nothing else.

use leptos::prelude::*;

use super::{Layout, Widths};
use crate::format;
use crate::store::{Field, Flash, Listing, Slot};
use crate::views::cells::{direction_of, text_of};
use crate::words;

/// The row that a slot's signals fill.
#[component]
pub(in crate::views) fn Row(
    signals: Slot,
    shown: RwSignal<Option<String>>,
    layout: Layout,
) -> impl IntoView {
    let listing = signals.listing;
    let of = move |read: fn(&Listing) -> String| listing.with(|listing| listing.as_ref().map(read));
    let current = move || {
        let symbol = of(|listing| listing.symbol.clone());
        let is_shown = symbol.is_some() && shown.with(|shown| *shown == symbol);
        is_shown.then_some("true")
    };
    let cells = move || {
        let keys = layout.all.get().into_iter();
        keys.map(|key| view! { <Cell key signals layout /> })
            .collect_view()
    };
    view! {
        <tr
            data-symbol=move || of(|listing| listing.symbol.clone())
            aria-current=current
            aria-rowindex=move || of(|listing| (listing.position + 2).to_string())
            data-lost=move || {
                listing.with(|l| l.as_ref().is_some_and(|l| l.is_lost)).then_some("")
            }
            hidden=move || listing.with(Option::is_none)
        >
            {move || cells()}
        </tr>
    }
}

#[component]
fn Cell(key: &'static str, signals: Slot, layout: Layout) -> impl IntoView {
    let listing = signals.listing;
    let name = move || {
        listing.with(|listing| listing.as_ref().map(|l| l.name.clone()).unwrap_or_default())
    };
    let hidden = move || layout.hides(key);
    let field = Field::ALL.into_iter().find(|field| field.key() == key);
    match (field, key) {
        (Some(field), _) => view! { <NumberCell field signals layout /> }.into_any(),
        (None, "symbol") => view! { <SymbolCell signals widths=layout.widths /> }.into_any(),
        (None, "name") => view! {
            <td data-col="name" hidden=hidden>
                {move || name()}
            </td>
        }
        .into_any(),
        (None, _) => {
            let symbol = move || listing.with(|l| l.as_ref().map(|l| l.symbol.clone()));
            view! {
                <td data-col="spark" hidden=hidden>
                    <canvas aria-hidden="true" data-spark=symbol></canvas>
                </td>
            }
            .into_any()
        }
    }
}

/// The star, and the symbol. The arrow keys and `f` do the same as these
/// buttons, so Tab need not stop at them.
#[component]
fn SymbolCell(signals: Slot, widths: Widths) -> impl IntoView {
    let listing = signals.listing;
    let of = move |read: fn(&Listing) -> String| {
        listing.with(|listing| listing.as_ref().map(read).unwrap_or_default())
    };
    let symbol = move || {
        let symbol = of(|listing| listing.symbol.clone());
        widths.note_symbol(&symbol);
        symbol
    };
    let star = |listing: &Listing| if listing.favourite { "★" } else { "☆" }.to_owned();
    view! {
        <th
            scope="row"
            data-col="symbol"
            title=move || of(words::row_title)
        >
            <button
                type="button"
                class="star"
                tabindex="-1"
                aria-label=words::FAVOURITE
                aria-pressed=move || of(|listing| listing.favourite.to_string())
            >
                {move || of(star)}
            </button>
            <button type="button" tabindex="-1">
                {move || symbol()}
            </button>
        </th>
    }
}

#[component]
fn NumberCell(field: Field, signals: Slot, layout: Layout) -> impl IntoView {
    let text = move || {
        let number = signals.number(field);
        let text = number.map_or_else(|| format::NOTHING.to_owned(), |n| text_of(field, n));
        layout.widths.note(field, &text);
        text
    };
    // An attribute that never changes costs nothing: there are thousands of cells.
    let is_change = matches!(field, Field::Change | Field::ChangePercent);
    let class = is_change.then_some(move || direction_of(signals.number(Field::Change)));
    let flash = (field == Field::Last).then_some(move || flash_class(signals.flash.get()));
    view! {
        <td
            data-col=field.key()
            data-value=move || signals.number(field).map(|number| number.value.to_string())
            class=class
            hidden=move || layout.hides(field.key())
        >
            <span class=flash>{move || text()}</span>
        </td>
    }
}

/// Two classes with the same animation, used alternately: changing the class
/// restarts the animation without forcing the browser to compute the layout.
fn flash_class(flash: Flash) -> &'static str {
    match flash {
        Flash::None => "",
        Flash::Up(count) if count % 2 == 0 => "flash-up-a",
        Flash::Up(_) => "flash-up-b",
        Flash::Down(count) if count % 2 == 0 => "flash-down-a",
        Flash::Down(_) => "flash-down-b",
    }
}
