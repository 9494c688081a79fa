//! The last trades of the selected symbol.

use leptos::prelude::*;
use shared::Side;

use super::chart::recent;
use crate::format;
use crate::react::{flag, text};
use crate::settings::Settings;
use crate::store::{Store, Trade};

/// Time, price, quantity and side, newest first.
#[component]
pub(crate) fn Tape<'s>(store: &'s Store, settings: Settings) -> impl IntoView + use<> {
    let trades = store.tape;
    let local = move || !settings.zone.is("utc");
    let time = text(move || if local() { "Time" } else { "Time (UTC)" }.to_owned());
    let is_moving = flag(move || trades.with(|trades| !trades.is_empty()));
    view! {
        <div class="tape" role="region" aria-label="Last trades" tabindex="0">
            <table>
                <thead>
                    <tr>
                        <th scope="col">{time}</th>
                        <th scope="col">"Price"</th>
                        <th scope="col">"Qty"</th>
                        <th scope="col">"Side"</th>
                    </tr>
                </thead>
                <tbody>
                    <For
                        each=move || trades.get()
                        key=move |trade| (trade.seq, local())
                        children=move |trade| line(trade, untrack(local))
                    />
                </tbody>
            </table>
            <p class="empty" hidden=is_moving>"Waiting for the next trade"</p>
        </div>
    }
}

fn line(trade: Trade, local: bool) -> AnyView {
    let (side, class) = match trade.side {
        Some(Side::Buy) => ("▲ buy", "up"),
        Some(Side::Sell) => ("▼ sell", "down"),
        None => (format::NOTHING, ""),
    };
    view! {
        <tr>
            <td data-tape="time" data-value=trade.time.to_string()>{recent(trade.time as f64, local)}</td>
            <td data-tape="price" data-value=trade.price.to_string()>
                {format::fixed(trade.price, trade.decimals)}
            </td>
            <td>{format::compact(trade.qty)}</td>
            <td class=class>{side}</td>
        </tr>
    }
    .into_any()
}
