//! The divider between watchlist and chart, dragged or moved by keys.

use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::settings::Settings;
use crate::words;

/// The least and the most width that the divider gives to the watchlist, in per
/// cent.
const RANGE: (i32, i32) = (20, 80);
/// How far a key moves it, in per cent.
const STEP: i32 = 2;

/// A divider that sets `--split` on the page.
#[component]
pub(crate) fn Splitter(settings: Settings) -> impl IntoView {
    let setting = settings.split;
    let share = move |text: String| text.parse().unwrap_or(50).clamp(RANGE.0, RANGE.1);
    Effect::new(move || {
        let split = format!("{}%", share(setting.get()));
        if let Some(body) = document().body() {
            // The property's name and value are valid.
            let _ = body.style().set_property("--split", &split);
        }
    });
    let set = move |share: i32| setting.set(&share.clamp(RANGE.0, RANGE.1).to_string());
    let grab = |event: PointerEvent| {
        if let Some(target) = target_of(&event) {
            // Without pointer capture the drag would end at the divider's edge.
            let _ = target.set_pointer_capture(event.pointer_id());
        }
    };
    let drag = move |event: PointerEvent| {
        let held = target_of(&event).is_some_and(|t| t.has_pointer_capture(event.pointer_id()));
        let width = window().inner_width().ok().and_then(|width| width.as_f64());
        if let (true, Some(width)) = (held, width) {
            set((100.0 * f64::from(event.client_x()) / width).round() as i32);
        }
    };
    let step = move |event: KeyboardEvent| {
        let now = share(setting.get_untracked());
        match event.key().as_str() {
            "ArrowLeft" => set(now - STEP),
            "ArrowRight" => set(now + STEP),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    view! {
        <div
            class="splitter"
            role="separator"
            aria-label=words::SPLITTER
            aria-orientation="vertical"
            aria-valuemin=RANGE.0.to_string()
            aria-valuemax=RANGE.1.to_string()
            aria-valuenow=move || share(setting.get()).to_string()
            tabindex="0"
            on:pointerdown=grab
            on:pointermove=drag
            on:keydown=step
        ></div>
    }
}

fn target_of(event: &PointerEvent) -> Option<Element> {
    event.current_target()?.dyn_into().ok()
}
