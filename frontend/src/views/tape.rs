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
    let time = html(r#"<th scope="col"></th>"#).text(time);
    let others = ["Price", "Qty", "Side"].map(|name| html(r#"<th scope="col"></th>"#).say(name));
    let head = html("<tr></tr>").with([time]).with(others);
    let body = html("<tbody></tbody>");
    let lines = RefCell::new(Lines::default());
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

/// The lines of the table.
#[derive(Default)]
struct Lines {
    local: bool,
    /// With the trades' numbers in the log, newest first.
    lines: Vec<(u64, Html)>,
}

impl Lines {
    /// Adds the lines of new trades on top, and takes away those that are no
    /// longer wanted.
    fn show(&mut self, trades: &[Trade], local: bool, body: &Html) {
        if std::mem::replace(&mut self.local, local) != local {
            self.keep(|_| false);
        }
        self.keep(|seq| trades.iter().any(|trade| trade.seq == seq));
        let newest = self.lines.first().map(|line| line.0);
        let new = trades.iter().take_while(|trade| Some(trade.seq) != newest);
        let new: Vec<_> = new.map(|trade| (trade.seq, line(trade, local))).collect();
        for (_, line) in new.iter().rev() {
            // Fails only for what cannot have children.
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

fn line(trade: &Trade, local: bool) -> Html {
    let (side, class) = match trade.side {
        Some(Side::Buy) => ("▲ buy", "up"),
        Some(Side::Sell) => ("▼ sell", "down"),
        None => (format::NOTHING, ""),
    };
    html("<tr></tr>").with([
        html(r#"<td data-tape="time"></td>"#)
            .set("data-value", &trade.time.to_string())
            .say(&recent(trade.time as f64, local)),
        html(r#"<td data-tape="price"></td>"#)
            .set("data-value", &trade.price.to_string())
            .say(&format::fixed(trade.price, trade.decimals)),
        html("<td></td>").say(&format::compact(trade.qty)),
        html("<td></td>").set("class", class).say(side),
    ])
}
