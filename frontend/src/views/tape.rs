//! The last trades of the selected symbol.

use std::cell::RefCell;

use leptos::prelude::*;
use shared::Side;

use super::chart::recent;
use crate::dom::{Html, html};
use crate::format;
use crate::react::effect;
use crate::settings::Settings;
use crate::store::{Store, Trade};

/// Time, price, quantity and side, newest first.
#[component]
pub(crate) fn Tape<'s>(store: &'s Store, settings: Settings) -> impl IntoView + use<> {
    let trades = store.tape;
    let local = move || !settings.zone.is("utc");
    let time = move || if local() { "Time" } else { "Time (UTC)" }.to_owned();
    // Each column is as wide as the longest text that was ever in it, so that
    // nothing is cut off or moves.
    let longest = COLUMNS.map(|least| RwSignal::new(least));
    let column = |index: usize| {
        html(r#"<th scope="col"></th>"#).style("width", move || {
            Some(format!(
                "calc({}ch + 2 * var(--space))",
                longest[index].get()
            ))
        })
    };
    let head = html("<tr></tr>").with([
        column(0).text(time),
        column(1).say("Price"),
        column(2).say("Qty"),
        column(3).say("Side"),
    ]);
    let body = html("<tbody></tbody>");
    let lines = RefCell::new(Lines {
        longest,
        local: false,
        lines: Vec::new(),
    });
    let table = html("<table></table>").with([html("<thead></thead>").with([head]), body.clone()]);
    effect(move || {
        let local = local();
        trades.with(|trades| lines.borrow_mut().show(trades, local, &body));
    });
    let nothing = html(r#"<p class="empty">Waiting for the next trade</p>"#)
        .flag("hidden", move || trades.with(|trades| !trades.is_empty()));
    html(r#"<div class="tape" role="region" aria-label="Last trades" tabindex="0"></div>"#)
        .with([table, nothing])
}

/// The least characters of each column: time, price, quantity, side.
const COLUMNS: [usize; 4] = [10, 8, 8, 8];

/// The rows of the table.
struct Lines {
    longest: [RwSignal<usize>; COLUMNS.len()],
    local: bool,
    /// Each with the number of its trade in the log, newest first.
    lines: Vec<(u64, Html)>,
}

impl Lines {
    /// Adds rows for new trades on top, and removes those of trades that are no
    /// longer shown.
    fn show(&mut self, trades: &[Trade], local: bool, body: &Html) {
        if std::mem::replace(&mut self.local, local) != local {
            self.keep(|_| false);
        }
        self.keep(|seq| trades.iter().any(|trade| trade.seq == seq));
        let newest = self.lines.first().map(|line| line.0);
        let new = trades.iter().take_while(|trade| Some(trade.seq) != newest);
        let longest = self.longest;
        let new = new.map(|trade| (trade.seq, line(trade, local, longest)));
        let new: Vec<_> = new.collect();
        for (_, line) in new.iter().rev() {
            // Fails only for nodes that cannot have children.
            let _ = body.node().prepend_with_node_1(line.node());
        }
        self.lines.splice(..0, new);
    }

    fn keep(&mut self, wanted: impl Fn(u64) -> bool) {
        self.lines.retain(|(seq, line)| {
            let stays = wanted(*seq);
            if !stays {
                line.node().remove();
            }
            stays
        });
    }
}

fn line(trade: &Trade, local: bool, longest: [RwSignal<usize>; COLUMNS.len()]) -> Html {
    let (side, class) = match trade.side {
        Some(Side::Buy) => ("▲ buy", "up"),
        Some(Side::Sell) => ("▼ sell", "down"),
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
    html("<tr></tr>").with([
        html(r#"<td data-tape="time"></td>"#)
            .set("data-value", &trade.time.to_string())
            .say(&time),
        html(r#"<td data-tape="price"></td>"#)
            .set("data-value", &trade.price.to_string())
            .say(&price),
        html("<td></td>").say(&qty),
        html("<td></td>").set("class", class).say(&side),
    ])
}
