//! Toasts: what has just fired, shown over the page.

use std::rc::Rc;
use std::time::Duration;

use leptos::prelude::*;

use super::button::button;
use super::chart::ChartGrid;
use crate::dom::{Html, html};
use crate::format;
use crate::store::Store;

/// How long a toast stays.
const STAY: Duration = Duration::from_secs(30);
/// The most toasts at once: as many as fit above each other.
const TOASTS_MAX: u32 = 4;

/// Toasts for the newest firings, and for failed alert commands.
#[component]
pub(crate) fn Toasts<'s>(store: &'s Store, grid: Rc<ChartGrid>) -> impl IntoView + use<> {
    let toasts =
        html(r#"<div class="toasts" role="log" aria-label="Alerts" aria-live="polite"></div>"#);
    let all = toasts.clone();
    store.alerts.on_fired(move |firings| {
        // Firings whose toasts would be pushed out at once are only counted.
        let more = firings.len().saturating_sub(TOASTS_MAX as usize);
        let shown = if more > 0 { more + 1 } else { 0 };
        for firing in &firings[shown..] {
            let (grid, symbol) = (Rc::clone(&grid), firing.symbol.clone());
            let show = button(&format::firing(firing), "Show its chart", move || {
                grid.show(&symbol);
            });
            add(&all, [show, html("<span></span>").say(&firing.note)]);
        }
        if shown > 0 {
            let words = format::more_firings(shown) + "; the page Alerts has them";
            add(&all, [html("<span></span>").say(&words)]);
        }
    });
    let all = toasts.clone();
    store.alerts.on_failed(move |reason| {
        add(
            &all,
            [html(r#"<span class="fault">Alerts: </span>"#).say(reason)],
        );
    });
    toasts
}

/// Adds a toast on top.
fn add(all: &Html, inside: impl IntoIterator<Item = Html>) {
    let toast = html(r#"<div class="toast"></div>"#).with(inside);
    let (gone, late) = (toast.node().clone(), toast.node().clone());
    toast.add(&button("×", "Close", move || gone.remove()));
    let all = all.node();
    // Fails only for nodes that cannot have children.
    let _ = all.prepend_with_node_1(toast.node());
    if all.child_element_count() > TOASTS_MAX {
        all.last_element_child()
            .into_iter()
            .for_each(|old| old.remove());
    }
    set_timeout(move || late.remove(), STAY);
}
