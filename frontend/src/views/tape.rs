//! The last trades of the selected symbol.

use std::rc::Rc;

use leptos::prelude::*;
use shared::Side;

use super::chart::recent_label;
use crate::format;
use crate::store::{Store, Trade};

/// Time, price, quantity and side, newest first.
#[component]
pub(crate) fn Tape(store: Rc<Store>) -> impl IntoView {
    let trades = store.tape;
    view! {
        <div class="tape" role="region" aria-label="Last trades" tabindex="0">
            <table>
                <thead>
                    <tr>
                        <th scope="col">"Time (UTC)"</th>
                        <th scope="col">"Price"</th>
                        <th scope="col">"Qty"</th>
                        <th scope="col">"Side"</th>
                    </tr>
                </thead>
                <tbody>
                    <For
                        each=move || trades.get()
                        key=|trade| trade.seq
                        children=|trade| view! { <TapeLine trade /> }
                    />
                </tbody>
            </table>
            {move || trades.with(Vec::is_empty).then(|| view! {
                <p class="empty">"Waiting for the next trade"</p>
            })}
        </div>
    }
}

#[component]
fn TapeLine(trade: Trade) -> impl IntoView {
    let (side, class) = match trade.side {
        Some(Side::Buy) => ("▲ buy", "up"),
        Some(Side::Sell) => ("▼ sell", "down"),
        None => (format::NOTHING, ""),
    };
    view! {
        <tr>
            <td data-tape="time" data-value=trade.time.to_string()>{recent_label(trade.time as f64)}</td>
            <td data-tape="price" data-value=trade.price.to_string()>
                {format::fixed(trade.price, trade.decimals)}
            </td>
            <td>{format::compact(trade.qty)}</td>
            <td class=class>{side}</td>
        </tr>
    }
}
