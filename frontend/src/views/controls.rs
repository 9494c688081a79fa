//! Buttons and menus.

use leptos::html;
use leptos::prelude::*;
use web_sys::HtmlElement;

/// The distance of a menu from its button, in CSS pixels.
const GAP_PX: f64 = 4.0;

/// A button.
#[component]
pub(super) fn Button(
    label: &'static str,
    #[prop(optional)] title: Option<&'static str>,
    /// Whether it is hidden.
    #[prop(optional, into)]
    hidden: Signal<bool>,
    /// Called at each click.
    #[prop(into)]
    act: UnsyncCallback<()>,
) -> impl IntoView {
    view! {
        <button type="button" title=title hidden=hidden on:click=move |_| act.run(())>
            {label}
        </button>
    }
}

/// A button that also shows whether something is on.
#[component]
pub(super) fn Toggle(
    label: &'static str,
    #[prop(into)] title: String,
    /// Whether it is on.
    #[prop(into)]
    is_on: Signal<bool>,
    /// Called at each click.
    #[prop(into)]
    act: UnsyncCallback<()>,
) -> impl IntoView {
    view! {
        <button
            type="button"
            title=title
            aria-pressed=move || is_on.get().to_string()
            on:click=move |_| act.run(())
        >
            {label}
        </button>
    }
}

/// A button, and the menu that it opens below itself. Esc or a click elsewhere
/// closes the menu.
#[component]
pub(super) fn Menu(
    id: &'static str,
    #[prop(into)] label: Signal<String>,
    children: Children,
) -> impl IntoView {
    let button = NodeRef::<html::Button>::new();
    let menu = NodeRef::<html::Div>::new();
    let place = move |_| {
        if let (Some(button), Some(menu)) = (button.get_untracked(), menu.get_untracked()) {
            place_below(&button, &menu);
        }
    };
    view! {
        <button type="button" class="opens" popovertarget=id node_ref=button on:click=place>
            {move || label.get()}
        </button>
        <div class="menu" popover="auto" role="group" id=id aria-label=move || label.get() node_ref=menu>
            {children()}
        </div>
    }
}

/// Places a menu below its button, aligned with the edge that is nearer to the
/// window's edge.
fn place_below(button: &HtmlElement, menu: &HtmlElement) {
    let width = window().inner_width().ok().and_then(|width| width.as_f64());
    let Some(width) = width else {
        return;
    };
    let edge = button.get_bounding_client_rect();
    let style = HtmlElement::style(menu);
    let px = |value: f64| format!("{}px", value as i32);
    let (left, right) = if edge.left() > width / 2.0 {
        ("auto".to_owned(), px((width - edge.right()).max(0.0)))
    } else {
        (px(edge.left()), "auto".to_owned())
    };
    // The names and values of the properties are valid.
    let _ = style.set_property("left", &left);
    let _ = style.set_property("right", &right);
    let _ = style.set_property("top", &px(edge.bottom() + GAP_PX));
}
