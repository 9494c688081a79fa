//! The divider between watchlist and chart, dragged or moved by keys.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent, PointerEvent};

/// What the divider may give to the watchlist, in per cent of the width.
const RANGE: (f64, f64) = (20.0, 80.0);

/// What the style sheet gives it at first.
const DEFAULT: f64 = 56.0;

/// A divider that sets `--split` on the page.
#[component]
pub(crate) fn Splitter() -> impl IntoView {
    let split = RwSignal::new(None::<f64>);
    Effect::new(move |_| {
        if let (Some(split), Some(body)) = (split.get(), document().body()) {
            // The property's name and value are valid ones.
            let _ = body
                .style()
                .set_property("--split", &format!("{split:.2}%"));
        }
    });
    let set = move |share: f64| split.set(Some(share.clamp(RANGE.0, RANGE.1)));
    let grab = |event: PointerEvent| {
        if let Some(target) = target_of(&event) {
            // Without capture the drag ends at the divider's edge.
            let _ = target.set_pointer_capture(event.pointer_id());
        }
    };
    let drag = move |event: PointerEvent| {
        let held = target_of(&event).is_some_and(|t| t.has_pointer_capture(event.pointer_id()));
        let width = window().inner_width().ok().and_then(|width| width.as_f64());
        if let (true, Some(width)) = (held, width) {
            set(100.0 * f64::from(event.client_x()) / width);
        }
    };
    let step = move |event: KeyboardEvent| {
        let now = split.get_untracked().unwrap_or(DEFAULT);
        match event.key().as_str() {
            "ArrowLeft" => set(now - 2.0),
            "ArrowRight" => set(now + 2.0),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    view! {
        <div
            class="splitter"
            role="separator"
            aria-label="Width of the watchlist"
            aria-orientation="vertical"
            aria-valuemin=RANGE.0
            aria-valuemax=RANGE.1
            aria-valuenow=move || split.get().unwrap_or(DEFAULT).round()
            tabindex="0"
            on:pointerdown=grab
            on:pointermove=drag
            on:keydown=step
        ></div>
    }
}

fn target_of(event: &PointerEvent) -> Option<HtmlElement> {
    event.current_target()?.dyn_into().ok()
}
