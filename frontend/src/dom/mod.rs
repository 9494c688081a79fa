//! Elements of the page, all of one type.
//!
//! Leptos gives each element of a `view!` a type of its own, made of the types
//! of its attributes and children, and the compiler writes code for each of
//! them: that was a quarter of what the browser had to load. Here an element is
//! the HTML that it is, and what moves in it is bound to Leptos' signals by
//! functions that exist once.

mod leptos_view;

use leptos::prelude::document;
use leptos::tachys::renderer::Rndr;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, HtmlElement, HtmlInputElement};

use crate::react::effect;

/// An element with what is bound to it, which lives as long as the owner under
/// which it was bound. Cheap to clone: a clone is the same element.
#[derive(Clone)]
pub(crate) struct Html(HtmlElement);

/// The element that this markup describes: one, with whatever is in it.
pub(crate) fn html(markup: &'static str) -> Html {
    Html(Rndr::create_element_from_html(markup.into()).unchecked_into())
}

/// The first element of the document that matches.
pub(crate) fn existing(selector: &str) -> Option<Html> {
    let found = document().query_selector(selector).ok().flatten()?;
    Some(Html(found.dyn_into().ok()?))
}

impl Html {
    /// The browser's own handle.
    pub(crate) fn node(&self) -> &HtmlElement {
        &self.0
    }

    /// Sets an attribute, once.
    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        // Fails only for names that are none.
        let _ = self.0.set_attribute(name, value);
        self
    }

    /// Adds a text, once.
    pub(crate) fn say(self, text: &str) -> Self {
        // Fails only for what cannot have children.
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

    /// The text follows signals. There must be nothing else inside.
    pub(crate) fn text(self, read: impl Fn() -> String + 'static) -> Self {
        let element = self.0.clone();
        follow(
            move || Some(read()),
            move |text| element.set_text_content(text),
        );
        self
    }

    /// An attribute follows signals; `None` takes it away.
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

    /// An attribute without a value is there or not, following signals.
    pub(crate) fn flag(self, name: &'static str, read: impl Fn() -> bool + 'static) -> Self {
        self.attr(name, move || read().then(String::new))
    }

    /// A class is there or not, following signals.
    pub(crate) fn class(self, name: &'static str, read: impl Fn() -> bool + 'static) -> Self {
        let element = self.0.clone();
        effect(move || {
            let _ = element.class_list().toggle_with_force(name, read());
        });
        self
    }

    /// A property of its style follows signals; `None` takes it away. A policy
    /// that forbids `style` attributes does not forbid this.
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

    /// The content of an input follows signals.
    pub(crate) fn value(self, read: impl Fn() -> String + 'static) -> Self {
        let input: HtmlInputElement = self.0.clone().unchecked_into();
        effect(move || {
            let value = read();
            // Setting it moves the cursor of whoever is typing.
            if input.value() != value {
                input.set_value(&value);
            }
        });
        self
    }

    /// A box is ticked or not, following signals.
    pub(crate) fn checked(self, read: impl Fn() -> bool + 'static) -> Self {
        let input: HtmlInputElement = self.0.clone().unchecked_into();
        effect(move || input.set_checked(read()));
        self
    }

    /// What is inside follows signals, and is made anew as a whole.
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

    /// Does something at each event of this kind.
    pub(crate) fn on<E: JsCast>(self, name: &str, act: impl Fn(E) + 'static) -> Self {
        listen(
            &self.0,
            name,
            Box::new(move |event| act(event.unchecked_into())),
        );
        self
    }

    /// Does something at each click.
    pub(crate) fn click(self, act: impl Fn() + 'static) -> Self {
        self.on("click", move |_: Event| act())
    }

    /// Does something with what was put into an input: at each change of it
    /// for `input`, at the end for `change`.
    pub(crate) fn input(self, name: &str, act: impl Fn(&HtmlInputElement) + 'static) -> Self {
        let input: HtmlInputElement = self.0.clone().unchecked_into();
        self.on(name, move |_: Event| act(&input))
    }
}

fn listen(element: &HtmlElement, name: &str, act: Box<dyn Fn(Event)>) {
    // The browser lets go of it together with the element.
    let act = Closure::wrap(act).into_js_value();
    // Fails only for what is no function.
    let _ = element.add_event_listener_with_callback(name, act.unchecked_ref());
}

/// Brings a text that follows signals to the page whenever it is another one.
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
