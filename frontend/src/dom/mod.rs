//! Elements of the page, all of one type.
//!
//! Leptos gives each element of a `view!` a type of its own, made of the types
//! of its attributes and children, and the compiler emits code for each of
//! these types: that was a quarter of what the browser had to load. Here an
//! element is plain HTML, and its dynamic parts are bound to Leptos' signals by
//! functions that exist once.

mod leptos_view;

use leptos::prelude::document;
use leptos::tachys::renderer::Rndr;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, HtmlElement, HtmlInputElement};

use crate::react::effect;

/// An element with its bindings, which live as long as the owner under which
/// they were made. Cheap to clone: a clone is the same element.
#[derive(Clone)]
pub(crate) struct Html(HtmlElement);

/// The element that this markup describes: one element, with everything inside.
pub(crate) fn html(markup: &'static str) -> Html {
    Html(Rndr::create_element_from_html(markup.into()).unchecked_into())
}

/// The first element of the document that matches the selector.
pub(crate) fn existing(selector: &str) -> Option<Html> {
    let found = document().query_selector(selector).ok().flatten()?;
    Some(Html(found.dyn_into().ok()?))
}

impl Html {
    /// The browser's own element.
    pub(crate) fn node(&self) -> &HtmlElement {
        &self.0
    }

    /// Sets an attribute, once.
    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        // Fails only for invalid attribute names.
        let _ = self.0.set_attribute(name, value);
        self
    }

    /// Adds a text node, once.
    pub(crate) fn say(self, text: &str) -> Self {
        // Fails only for nodes that cannot have children.
        let _ = self.0.append_with_str_1(text);
        self
    }

    /// Adds elements inside, once.
    pub(crate) fn with(self, children: impl IntoIterator<Item = Self>) -> Self {
        for child in children {
            self.add(&child);
        }
        self
    }

    /// Adds an element inside.
    pub(crate) fn add(&self, child: &Self) {
        let _ = self.0.append_child(&child.0);
    }

    /// Binds the text to signals. The element must have no other content.
    pub(crate) fn text(self, read: impl Fn() -> String + 'static) -> Self {
        let element = self.0.clone();
        follow(
            move || Some(read()),
            move |text| element.set_text_content(text),
        );
        self
    }

    /// Binds an attribute to signals; `None` removes it.
    pub(crate) fn attr(
        self,
        name: &'static str,
        read: impl Fn() -> Option<String> + 'static,
    ) -> Self {
        let element = self.0.clone();
        follow(read, move |value| {
            let _ = match value {
                Some(value) => element.set_attribute(name, value),
                None => element.remove_attribute(name),
            };
        });
        self
    }

    /// Binds to signals whether an attribute without a value is there.
    pub(crate) fn flag(self, name: &'static str, read: impl Fn() -> bool + 'static) -> Self {
        self.attr(name, move || read().then(String::new))
    }

    /// Binds to signals whether the element has a class.
    pub(crate) fn class(self, name: &'static str, read: impl Fn() -> bool + 'static) -> Self {
        let element = self.0.clone();
        effect(move || {
            let _ = element.class_list().toggle_with_force(name, read());
        });
        self
    }

    /// Binds a style property to signals; `None` removes it. A policy that
    /// forbids `style` attributes does not forbid this.
    pub(crate) fn style(
        self,
        name: &'static str,
        read: impl Fn() -> Option<String> + 'static,
    ) -> Self {
        let style = self.0.style();
        follow(read, move |value| {
            let _ = match value {
                Some(value) => style.set_property(name, value),
                None => style.remove_property(name).map(drop),
            };
        });
        self
    }

    /// Binds the value of an input to signals.
    pub(crate) fn value(self, read: impl Fn() -> String + 'static) -> Self {
        let input: HtmlInputElement = self.0.clone().unchecked_into();
        effect(move || {
            let value = read();
            // Setting the same value again would move the cursor while someone
            // types.
            if input.value() != value {
                input.set_value(&value);
            }
        });
        self
    }

    /// Binds to signals whether a checkbox is checked.
    pub(crate) fn checked(self, read: impl Fn() -> bool + 'static) -> Self {
        let input: HtmlInputElement = self.0.clone().unchecked_into();
        effect(move || input.set_checked(read()));
        self
    }

    /// Binds the children to signals. All of them are replaced at each change.
    pub(crate) fn children(self, read: impl Fn() -> Vec<Self> + 'static) -> Self {
        let parent = self.clone();
        effect(move || {
            parent.0.set_text_content(None);
            for child in read() {
                parent.add(&child);
            }
        });
        self
    }

    /// Calls `act` at each event of this kind.
    pub(crate) fn on<E: JsCast>(self, name: &str, act: impl Fn(E) + 'static) -> Self {
        listen(
            &self.0,
            name,
            Box::new(move |event| act(event.unchecked_into())),
        );
        self
    }

    /// Calls `act` at each click.
    pub(crate) fn click(self, act: impl Fn() + 'static) -> Self {
        self.on("click", move |_: Event| act())
    }

    /// Calls `act` with an input element when its value changes: at each change
    /// for `input`, once at the end for `change`.
    pub(crate) fn input(self, name: &str, act: impl Fn(&HtmlInputElement) + 'static) -> Self {
        let input: HtmlInputElement = self.0.clone().unchecked_into();
        self.on(name, move |_: Event| act(&input))
    }
}

fn listen(element: &HtmlElement, name: &str, act: Box<dyn Fn(Event)>) {
    // The browser frees the closure together with the element.
    let act = Closure::wrap(act).into_js_value();
    // Fails only for what is not a function.
    let _ = element.add_event_listener_with_callback(name, act.unchecked_ref());
}

/// Writes a text that depends on signals, whenever it differs from the last one
/// written.
fn follow(read: impl Fn() -> Option<String> + 'static, write: impl Fn(Option<&str>) + 'static) {
    type Read = Box<dyn Fn() -> Option<String>>;
    type Write = Box<dyn Fn(Option<&str>)>;
    fn run(read: Read, write: Write) {
        let written = std::cell::RefCell::new(None);
        effect(move || {
            let text = read();
            let mut written = written.borrow_mut();
            if *written != text {
                write(text.as_deref());
                *written = text;
            }
        });
    }
    run(Box::new(read), Box::new(write));
}
