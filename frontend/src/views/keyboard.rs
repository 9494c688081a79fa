//! Keyboard shortcuts, which work wherever the focus is.

use std::rc::Rc;

use leptos::prelude::*;
use leptos::{ev, html};
use shared::Interval;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement, KeyboardEvent};

use super::chart::{ChartGrid, KINDS};
use super::watchlist::Rows;
use crate::client::Link;
use crate::theme::Looks;

/// What the keys act on.
pub(crate) struct Actions {
    pub(crate) rows: Rc<Rows>,
    pub(crate) grid: Rc<ChartGrid>,
    pub(crate) link: Link,
    pub(crate) looks: Looks,
    pub(crate) search: RwSignal<String>,
    pub(crate) search_box: NodeRef<html::Input>,
    pub(crate) help: RwSignal<bool>,
    pub(crate) paused: RwSignal<bool>,
}

/// Listens for keys as long as the page lives.
pub(crate) fn listen(actions: Actions) {
    // The handle could remove the listener, which lives as long as the page.
    let _ = window_event_listener(ev::keydown, move |event| actions.act(&event));
}

impl Actions {
    fn act(&self, event: &KeyboardEvent) {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || self.help.get_untracked() {
            return;
        }
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        let is_in = |selector: &str| {
            let found = target.as_ref().map(|target| target.closest(selector));
            matches!(found, Some(Ok(Some(_))))
        };
        // In the tape keys scroll, and in a menu they move the focus.
        let (in_tape, in_menu) = (is_in(".tape"), is_in(".menu"));
        let key = event.key();
        let is_open = document().query_selector(":popover-open");
        if key == "Escape" && is_open.is_ok_and(|open| open.is_some()) {
            // Then the browser closes the popover.
            return;
        }
        let input = target
            .as_ref()
            .and_then(|target| target.dyn_ref::<HtmlInputElement>());
        let handled = match input.map(HtmlInputElement::type_).as_deref() {
            _ if in_menu => false,
            None if in_tape && key.starts_with("Arrow") => false,
            Some("search") => self.search_key(&key, input),
            // There the arrows move the slider or the choice.
            Some(_) if key.starts_with("Arrow") || key == "Home" || key == "End" => false,
            _ => self.page_key(&key),
        };
        if handled {
            event.prevent_default();
        }
    }

    /// Handles a key in the search input, where letters are text.
    fn search_key(&self, key: &str, input: Option<&HtmlInputElement>) -> bool {
        match key {
            "Escape" => {
                self.search.set(String::new());
                // Fails only for elements that cannot have the focus.
                let _ = input.map(|input| input.blur());
            }
            "Enter" => self.rows.step(0),
            "ArrowUp" => self.rows.step(-1),
            "ArrowDown" => self.rows.step(1),
            _ => return false,
        }
        true
    }

    fn page_key(&self, key: &str) -> bool {
        let settings = self.grid.settings();
        match key {
            "ArrowUp" => self.rows.step(-1),
            "ArrowDown" => self.rows.step(1),
            "/" => {
                // Fails only for elements that cannot have the focus.
                let _ = self.search_box.get_untracked().map(|field| field.focus());
            }
            "f" => self.rows.toggle_favourite(),
            "t" => {
                let now = self.link.state.with_untracked(|state| state.choice);
                settings.transport.set(now.next().key());
            }
            "n" => _ = self.grid.active_chart().add_alert(),
            "p" => self.paused.update(|paused| *paused = !*paused),
            "d" => self.looks.toggle_theme(),
            "?" => self.help.set(true),
            "Escape" => self.search.set(String::new()),
            _ => return self.chart_key(key),
        }
        true
    }

    /// Handles a key that chooses a kind of chart or an interval, or moves the
    /// view.
    fn chart_key(&self, key: &str) -> bool {
        if let Some(kind) = KINDS.iter().find(|kind| kind.shortcut == key) {
            self.grid.settings().kind.set(kind.key);
            return true;
        }
        let number = key.parse().ok();
        let place = number.and_then(|number: usize| number.checked_sub(1));
        match place.and_then(|place| Interval::ALL.get(place)) {
            Some(interval) => {
                self.grid.set_interval(*interval);
                true
            }
            None => self.grid.active_chart().key(key),
        }
    }
}
