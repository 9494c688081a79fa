//! Leptos' reactivity in few types: each type that a signal, an effect or a view
//! is made of is code that the browser has to load.

use leptos::prelude::*;

/// Does something now, and again whenever a signal that it reads has changed.
pub(crate) fn effect(act: impl Fn() + 'static) {
    fn run(act: Box<dyn Fn()>) {
        Effect::new(move |_| act());
    }
    run(Box::new(act));
}

/// A text that moves.
pub(crate) fn text(read: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(read)
}

/// A text that may be missing, as of an attribute.
pub(crate) fn maybe(
    read: impl Fn() -> Option<String> + Send + Sync + 'static,
) -> Signal<Option<String>> {
    Signal::derive(read)
}

/// Whether something is so.
pub(crate) fn flag(read: impl Fn() -> bool + Send + Sync + 'static) -> Signal<bool> {
    Signal::derive(read)
}
