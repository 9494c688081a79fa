//! Leptos' reactivity with few types: the browser has to load code for each
//! type of a signal, an effect or a view.

use leptos::prelude::*;

/// Runs `act` now, and again whenever a signal that it reads changes.
pub(crate) fn effect(act: impl Fn() + 'static) {
    fn run(act: Box<dyn Fn()>) {
        Effect::new(move |_| act());
    }
    run(Box::new(act));
}
