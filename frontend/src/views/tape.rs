//! The last trades of the selected symbol.

use leptos::prelude::*;
use shared::Side;

use super::chart::recent;
use crate::format;
use crate::settings::Settings;
use crate::store::{Store, Trade};
use crate::words;

/// The least characters of each column: time, price, quantity, side.
const COLUMNS: [usize; 4] = [10, 8, 8, 8];

/// The characters of the longest text that was ever in each column, so that
/// nothing is cut off or moves.
type Longest = [RwSignal<usize>; COLUMNS.len()];

/// Time, price, quantity and side, newest first.
#[component]
pub(crate) fn Tape<'s>(store: &'s Store, settings: Settings) -> impl IntoView + use<> {
    let trades = store.tape;
    let local = Memo::new(move |_| !settings.zone.is("utc"));
    let longest = COLUMNS.map(RwSignal::new);
    let width = move |column: usize| {
        move || format!("calc({}ch + 2 * var(--space))", longest[column].get())
    };
    // A row never changes; in another time zone there are other rows.
    let rows = move || {
        let local = local.get();
        let trades = trades.get().into_iter();
        trades.map(|trade| (trade, local)).collect::<Vec<_>>()
    };
    view! {
        <div class="tape" role="region" aria-label=words::LAST_TRADES tabindex="0">
            <table>
                <thead>
                    <tr>
                        <th scope="col" style:width=width(0)>
                            {move || if local.get() { words::TIME } else { words::TIME_UTC }}
                        </th>
                        <th scope="col" style:width=width(1)>{words::PRICE}</th>
                        <th scope="col" style:width=width(2)>{words::QTY}</th>
                        <th scope="col" style:width=width(3)>{words::SIDE}</th>
                    </tr>
                </thead>
                <tbody>
                    <For
                        each=rows
                        key=|(trade, local)| (trade.seq, *local)
                        children=move |(trade, local)| row(&trade, local, longest)
                    />
                </tbody>
            </table>
            <p class="empty" hidden=move || trades.with(|trades| !trades.is_empty())>
                {words::NO_TRADE_YET}
            </p>
        </div>
    }
}

fn row(trade: &Trade, local: bool, longest: Longest) -> impl IntoView + use<> {
    let (side, class) = match trade.side {
        Some(Side::Buy) => (words::BUY, "up"),
        Some(Side::Sell) => (words::SELL, "down"),
        None => (format::NOTHING, ""),
    };
    let texts = [
        recent(trade.time.micros() as f64, local),
        format::fixed(trade.price, trade.decimals),
        format::compact(trade.qty),
        side.to_owned(),
    ];
    for (text, longest) in texts.iter().zip(longest) {
        let chars = text.chars().count();
        if longest.get_untracked() < chars {
            longest.set(chars);
        }
    }
    let [time, price, qty, side] = texts;
    view! {
        <tr>
            <td data-tape="time" data-value=trade.time.to_string()>{time}</td>
            <td data-tape="price" data-value=trade.price.to_string()>{price}</td>
            <td>{qty}</td>
            <td class=class>{side}</td>
        </tr>
    }
}
