//! What the page shows when it fails itself: an unhandled error must not be
//! visible only in the console.

use leptos::prelude::{document, window, window_event_listener_untyped};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, ErrorEvent, PromiseRejectionEvent};

use crate::words;

/// From here on, shows panics and unhandled errors of the page.
pub fn tell() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        // After a panic no part of the page can be relied on.
        say(words::STOPPED, &panic.to_string());
    }));
    let thrown = window_event_listener_untyped("error", |event| {
        // Some warnings arrive as the same event, without an error.
        let event = event.dyn_ref::<ErrorEvent>();
        let own = event.filter(|event| is_own(&event.filename()));
        let error = own.map(ErrorEvent::error);
        if let Some(error) = error.filter(|error| !error.is_null() && !error.is_undefined()) {
            say(words::TROUBLE, &reason_of(&error));
        }
    });
    let rejected = window_event_listener_untyped("unhandledrejection", |event| {
        let reason = event.dyn_ref().map(PromiseRejectionEvent::reason);
        if let Some(thrown) = reason.filter(|thrown| is_own(&text(thrown, "stack"))) {
            say(words::TROUBLE, &reason_of(&thrown));
        }
    });
    // The listeners live as long as the page.
    std::mem::forget((thrown, rejected));
}

/// Whether an error comes from this page's own script. Extensions of the
/// browser run scripts here, too.
fn is_own(place: &str) -> bool {
    let origin = window().location().origin().unwrap_or_default();
    !origin.is_empty() && place.contains(&origin)
}

fn text(error: &JsValue, name: &str) -> String {
    let text = js_sys::Reflect::get(error, &name.into()).ok();
    text.and_then(|text| text.as_string()).unwrap_or_default()
}

fn reason_of(error: &JsValue) -> String {
    match text(error, "message") {
        message if message.is_empty() => format!("{error:?}"),
        message => message,
    }
}

/// Shows a line over the page: what happened, and a button to reload. It uses
/// only the browser's own functions, since anything else may be what failed.
fn say(what: &str, why: &str) {
    let show = || -> Result<(), JsValue> {
        let body = document().body().ok_or("no body")?;
        match body.query_selector(".broken")? {
            // A stop is worse than what was shown before.
            Some(said) if what == words::STOPPED => said.remove(),
            // The first error is probably the cause of the later ones.
            Some(_) => return Ok(()),
            None => {}
        }
        let make = |name: &str| document().create_element(name);
        let (line, text, again, close): (Element, Element, Element, Element) = (
            make("div")?,
            make("span")?,
            make("button")?,
            make("button")?,
        );
        line.set_class_name("broken");
        line.set_attribute("role", "alert")?;
        text.set_text_content(Some(&[what, ": ", why].concat()));
        again.set_text_content(Some(words::LOAD_AGAIN));
        let reload = wasm_bindgen::closure::Closure::<dyn Fn()>::new(|| {
            // Fails only where there is nothing to reload.
            let _ = window().location().reload();
        });
        again.add_event_listener_with_callback("click", reload.as_ref().unchecked_ref())?;
        reload.forget();
        line.append_child(&text)?;
        line.append_child(&again)?;
        close.set_text_content(Some(words::CLOSE));
        let closed = line.clone();
        let remove = wasm_bindgen::closure::Closure::<dyn Fn()>::new(move || closed.remove());
        close.add_event_listener_with_callback("click", remove.as_ref().unchecked_ref())?;
        remove.forget();
        line.append_child(&close)?;
        body.append_child(&line)?;
        Ok(())
    };
    // If even this fails, the console still has the error.
    let _ = show();
}
