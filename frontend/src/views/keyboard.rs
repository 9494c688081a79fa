//! Keys that work wherever the focus is.

use std::rc::Rc;

use leptos::ev;
use leptos::html::Input;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, KeyboardEvent};

use crate::client::Link;
use crate::store::Store;
use crate::theme::ThemeChoice;

/// What the keys act on.
pub(crate) struct Actions {
    pub(crate) store: Rc<Store>,
    pub(crate) link: Link,
    pub(crate) theme: ThemeChoice,
    pub(crate) search: RwSignal<String>,
    pub(crate) search_field: NodeRef<Input>,
    pub(crate) help: RwSignal<bool>,
}

/// Listens as long as the page lives.
pub(crate) fn listen(actions: Actions) {
    let handle = window_event_listener(ev::keydown, move |event| actions.act(&event));
    // The page is the only owner, and it never ends before its window.
    std::mem::forget(handle);
}

impl Actions {
    fn act(&self, event: &KeyboardEvent) {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || self.help.get_untracked() {
            return;
        }
        let input = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        let in_tape = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .is_some_and(|target| target.closest(".tape").is_ok_and(|found| found.is_some()));
        let kind = input.as_ref().map(HtmlInputElement::type_);
        match (kind.as_deref(), event.key().as_str()) {
            // There they scroll.
            (None, "ArrowUp" | "ArrowDown") if in_tape => return,
            (Some("search"), "Escape") => {
                self.search.set(String::new());
                if let Some(input) = input {
                    let _ = input.blur();
                }
            }
            (Some("search"), "Enter") => self.step(0),
            (Some("search"), "ArrowUp") | (None, "ArrowUp") => self.step(-1),
            (Some("search"), "ArrowDown") | (None, "ArrowDown") => self.step(1),
            // Letters are text there, and arrows move the slider or the choice.
            (Some("search"), _) => return,
            (Some(_), "ArrowUp" | "ArrowDown") => return,
            (_, "/") => {
                if let Some(field) = self.search_field.get_untracked() {
                    let _ = field.focus();
                }
            }
            (_, "t") => {
                let now = self.link.state.with_untracked(|state| state.transport);
                self.link.use_transport(now.next());
            }
            (_, "d") => self.theme.toggle(),
            (_, "?") => self.help.set(true),
            (_, "Escape") => self.search.set(String::new()),
            _ => return,
        }
        event.prevent_default();
    }

    /// Selects the row so many below the selected one, among those shown.
    fn step(&self, by: isize) {
        let rows = document().query_selector_all("tr[data-symbol]");
        let Ok(rows) = rows else {
            return;
        };
        let symbols: Vec<_> = (0..rows.length())
            .filter_map(|index| rows.item(index)?.dyn_into::<web_sys::Element>().ok())
            .collect();
        let selected = self.store.selected.get_untracked();
        let symbol_of = |row: &web_sys::Element| row.get_attribute("data-symbol");
        let place = symbols.iter().position(|row| symbol_of(row) == selected);
        let place = place.map_or(0, |place| {
            place
                .saturating_add_signed(by)
                .min(symbols.len().saturating_sub(1))
        });
        if let Some(row) = symbols.get(place)
            && let Some(symbol) = symbol_of(row)
        {
            self.store.select(&symbol);
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            row.scroll_into_view_with_scroll_into_view_options(&options);
        }
    }
}
