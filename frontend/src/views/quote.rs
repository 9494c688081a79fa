//! The selected symbol in large.

use std::rc::Rc;

use leptos::prelude::*;
use shared::Decimal;

use super::watchlist::{arrow, direction_of};
use crate::format;
use crate::store::{RowSignals, Store};

/// Symbol, name, last price and change.
#[component]
pub(crate) fn QuoteHeader(store: Rc<Store>) -> impl IntoView {
    let row = selected_row(&store);
    let symbol = move || row.with(|row| row.as_ref().map(|row| row.symbol.clone()));
    let name = move || row.with(|row| row.as_ref().map(|row| row.name.clone()));
    let last = move || {
        let row = row.get()?;
        let last = row.last.get()?;
        Some(format::fixed(last, row.decimals))
    };
    let change = move || row.get().and_then(|row| row.change.get());
    let change_text = move || {
        let row = row.get()?;
        let change: Decimal = row.change.get()?;
        let percent = format::percent(row.change_percent.get()?);
        let amount = format::signed(change, row.decimals);
        Some(format!("{} {amount}  {percent}", arrow(change)))
    };
    view! {
        <div class="quote">
            <h2>{symbol}</h2>
            <span class="muted name">{name}</span>
            <span class="last">{last}</span>
            <span class=move || direction_of(change())>{change_text}</span>
        </div>
    }
}

/// The signals of the symbol that is shown large.
pub(super) fn selected_row(store: &Store) -> Memo<Option<RowSignals>> {
    let (rows, selected) = (store.row_signals, store.selected);
    Memo::new_with_compare(
        move |_| {
            let selected = selected.get()?;
            rows.with(|rows| rows.iter().find(|row| row.symbol == selected).cloned())
        },
        |old, new| {
            let key = |row: Option<&Option<RowSignals>>| {
                let row = row?.as_ref()?;
                Some((row.symbol.clone(), row.catalogue))
            };
            key(old) != key(new)
        },
    )
}
