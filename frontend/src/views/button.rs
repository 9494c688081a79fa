//! Buttons and menus.

use leptos::prelude::*;

use crate::dom::{Html, html};

/// A button that calls `act`.
pub(super) fn button(label: &str, title: &str, act: impl Fn() + 'static) -> Html {
    html(r#"<button type="button"></button>"#)
        .say(label)
        .set("title", title)
        .click(act)
}

/// A button that also shows whether something is on.
pub(super) fn toggle(
    label: &str,
    title: &str,
    is_on: impl Fn() -> bool + 'static,
    act: impl Fn() + 'static,
) -> Html {
    button(label, title, act).attr("aria-pressed", move || Some(is_on().to_string()))
}

/// A button, and the menu that it opens below itself. Esc or a click elsewhere
/// closes the menu.
pub(super) fn menu(id: &str, label: &str, inside: impl IntoIterator<Item = Html>) -> [Html; 2] {
    let opens = html(r#"<button type="button" class="opens"></button>"#)
        .say(label)
        .set("popovertarget", id);
    let menu = html(r#"<div class="menu" popover="auto" role="group"></div>"#)
        .set("id", id)
        .set("aria-label", label)
        .with(inside);
    let (button, opened) = (opens.node().clone(), menu.node().clone());
    let place = move || {
        let width = window().inner_width().ok().and_then(|width| width.as_f64());
        let Some(width) = width else {
            return;
        };
        let edge = button.get_bounding_client_rect();
        let style = opened.style();
        let px = |value: f64| (value as i32).to_string() + "px";
        // The names and values of the properties are valid.
        if edge.left() > width / 2.0 {
            let _ = style.set_property("left", "auto");
            let _ = style.set_property("right", &px((width - edge.right()).max(0.0)));
        } else {
            let _ = style.set_property("right", "auto");
            let _ = style.set_property("left", &px(edge.left()));
        }
        let _ = style.set_property("top", &px(edge.bottom() + 4.0));
    };
    [opens.click(place), menu]
}
