//! What a person is told when the page itself breaks: an error that nobody took
//! is never only in the console.

use leptos::prelude::{document, window, window_event_listener_untyped};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, ErrorEvent, PromiseRejectionEvent};

/// Tells of panics and of errors of the browser that nobody took, from here on.
pub fn tell() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        // After a panic nothing of the page can be relied on.
        say("This page has stopped", &panic.to_string());
    }));
    let thrown = window_event_listener_untyped("error", |event| {
        // Some warnings come the same way, without an error in them.
        let error = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::error);
        if let Some(error) = error.filter(|error| !error.is_null() && !error.is_undefined()) {
            say(TROUBLE, &words(&error));
        }
    });
    let rejected = window_event_listener_untyped("unhandledrejection", |event| {
        if let Some(event) = event.dyn_ref::<PromiseRejectionEvent>() {
            say(TROUBLE, &words(&event.reason()));
        }
    });
    // The page never ends before its window.
    std::mem::forget((thrown, rejected));
}

const TROUBLE: &str = "Something on this page went wrong";

fn words(error: &JsValue) -> String {
    let message = js_sys::Reflect::get(error, &"message".into()).ok();
    let message = message.and_then(|message| message.as_string());
    message.unwrap_or_else(|| format!("{error:?}"))
}

/// Shows a line over the page: what happened, and a way out. Made of nothing
/// but the browser's own, since anything else may be what broke.
fn say(what: &str, why: &str) {
    let show = || -> Result<(), JsValue> {
        let body = document().body().ok_or("no body")?;
        if body.query_selector(".broken")?.is_some() {
            // The first error is the cause of the others.
            return Ok(());
        }
        let make = |name: &str| document().create_element(name);
        let (line, text, again): (Element, Element, Element) =
            (make("div")?, make("span")?, make("button")?);
        line.set_class_name("broken");
        line.set_attribute("role", "alert")?;
        text.set_text_content(Some(&[what, ": ", why].concat()));
        again.set_text_content(Some("Load it again"));
        let reload = wasm_bindgen::closure::Closure::<dyn Fn()>::new(|| {
            // Fails only where there is nothing to load.
            let _ = window().location().reload();
        });
        again.add_event_listener_with_callback("click", reload.as_ref().unchecked_ref())?;
        reload.forget();
        line.append_child(&text)?;
        line.append_child(&again)?;
        body.append_child(&line)?;
        Ok(())
    };
    // Where even this fails there is the console.
    let _ = show();
}
