//! The last trades of the selected symbol.

use leptos::prelude::*;
use shared::Side;

use super::chart::recent;
use crate::format;
use crate::settings::Settings;
use crate::store::{Store, TAPE_LENGTH, Trade};
use crate::words;

/// The least characters of each column: time, price, quantity, side.
const COLUMNS: [usize; 4] = [10, 8, 8, 8];

/// Time, price, quantity and side, newest first. The rows are places, through
/// which trades move.
#[component]
pub(crate) fn Tape<'s>(store: &'s Store, settings: Settings) -> impl IntoView + use<> {
    let trades = store.tape;
    let is_local = move || !settings.zone.is("utc");
    let lines = Memo::new(move |_| {
        let local = is_local();
        trades.with(|trades| {
            let lines = trades.iter().map(|trade| Line::of(trade, local));
            lines.collect::<Vec<_>>()
        })
    });
    // The characters of the longest text that was ever in each column, so that
    // nothing is cut off or moves.
    let longest = Memo::new(move |before: Option<&[usize; COLUMNS.len()]>| {
        let before = *before.unwrap_or(&COLUMNS);
        lines.with(|lines| lines.iter().fold(before, Line::longest))
    });
    let width = move |column: usize| {
        move || {
            format!(
                "calc({}ch + 2 * var(--space))",
                longest.with(|chars| chars[column])
            )
        }
    };
    let rows = (0..TAPE_LENGTH)
        .map(|place| view! { <Row lines place /> })
        .collect_view();
    view! {
        <div class="tape" role="region" aria-label=words::LAST_TRADES tabindex="0">
            <table>
                <thead>
                    <tr>
                        <th scope="col" style:width=width(0)>
                            {move || if is_local() { words::TIME } else { words::TIME_UTC }}
                        </th>
                        <th scope="col" style:width=width(1)>{words::PRICE}</th>
                        <th scope="col" style:width=width(2)>{words::QTY}</th>
                        <th scope="col" style:width=width(3)>{words::SIDE}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            <p class="empty" hidden=move || trades.with(|trades| !trades.is_empty())>
                {words::NO_TRADE_YET}
            </p>
        </div>
    }
}

/// A trade as it is written.
#[derive(Clone, PartialEq)]
struct Line {
    /// Time, price, quantity, side.
    texts: [String; COLUMNS.len()],
    /// The plain time and price.
    time: String,
    price: String,
    class: &'static str,
}

impl Line {
    fn of(trade: &Trade, local: bool) -> Self {
        let (side, class) = match trade.side {
            Some(Side::Buy) => (words::BUY, "up"),
            Some(Side::Sell) => (words::SELL, "down"),
            None => (format::NOTHING, ""),
        };
        Self {
            texts: [
                recent(trade.time.micros() as f64, local),
                format::fixed(trade.price, trade.decimals),
                format::compact(trade.qty),
                side.to_owned(),
            ],
            time: trade.time.to_string(),
            price: trade.price.to_string(),
            class,
        }
    }

    /// The characters of the longest text in each column, with this line.
    fn longest(mut before: [usize; COLUMNS.len()], line: &Self) -> [usize; COLUMNS.len()] {
        for (chars, text) in before.iter_mut().zip(&line.texts) {
            *chars = text.chars().count().max(*chars);
        }
        before
    }
}

/// The line at this place; hidden while there is none.
#[component]
fn Row(lines: Memo<Vec<Line>>, place: usize) -> impl IntoView {
    let of = move |read: fn(&Line) -> String| {
        lines.with(|lines| lines.get(place).map(read).unwrap_or_default())
    };
    view! {
        <tr hidden=move || lines.with(|lines| lines.len() <= place)>
            <td data-tape="time" data-value=move || of(|line| line.time.clone())>
                {move || of(|line| line.texts[0].clone())}
            </td>
            <td data-tape="price" data-value=move || of(|line| line.price.clone())>
                {move || of(|line| line.texts[1].clone())}
            </td>
            <td>{move || of(|line| line.texts[2].clone())}</td>
            <td class=move || of(|line| line.class.to_owned())>
                {move || of(|line| line.texts[3].clone())}
            </td>
        </tr>
    }
}
