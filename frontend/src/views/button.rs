//! Buttons and menus, all made the same way.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, MouseEvent};

use crate::react::maybe;

/// A button that does something; `pressed` tells whether what it stands for is
/// on.
pub(super) fn button(
    label: Signal<String>,
    title: &'static str,
    pressed: Option<Signal<bool>>,
    act: Box<dyn FnMut()>,
) -> AnyView {
    let mut act = act;
    let pressed = maybe(move || Some(pressed?.get().to_string()));
    view! {
        <button type="button" title=title aria-pressed=pressed on:click=move |_| act()>
            {label}
        </button>
    }
    .into_any()
}

/// A button whose label stays.
pub(super) fn named(
    label: &str,
    title: &'static str,
    pressed: Option<Signal<bool>>,
    act: Box<dyn FnMut()>,
) -> AnyView {
    button(Signal::stored(label.to_owned()), title, pressed, act)
}

/// A button that opens what is inside, below itself. Closed by Esc, or by a
/// click elsewhere.
pub(super) fn menu(id: &'static str, label: &'static str, inside: AnyView) -> AnyView {
    let place = move |event: MouseEvent| {
        let button = event
            .current_target()
            .and_then(|t| t.dyn_into::<HtmlElement>().ok());
        let menu = document().get_element_by_id(id);
        let menu = menu.and_then(|menu| menu.dyn_into::<HtmlElement>().ok());
        let width = window().inner_width().ok().and_then(|width| width.as_f64());
        if let (Some(button), Some(menu), Some(width)) = (button, menu, width) {
            let edge = button.get_bounding_client_rect();
            let style = menu.style();
            let px = |value: f64| (value as i32).to_string() + "px";
            // The properties' names and values are valid ones.
            if edge.left() > width / 2.0 {
                let _ = style.set_property("left", "auto");
                let _ = style.set_property("right", &px((width - edge.right()).max(0.0)));
            } else {
                let _ = style.set_property("right", "auto");
                let _ = style.set_property("left", &px(edge.left()));
            }
            let _ = style.set_property("top", &px(edge.bottom() + 4.0));
        }
    };
    view! {
        <button type="button" class="opens" popovertarget=id on:click=place>{label}</button>
        <div class="menu" id=id popover="auto" role="group" aria-label=label>{inside}</div>
    }
    .into_any()
}
