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
