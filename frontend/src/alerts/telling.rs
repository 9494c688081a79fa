//! How this browser tells of alerts that fire.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Notification, NotificationPermission};

use super::panel;
use crate::alarm;
use crate::dom::{Html, html};
use crate::settings::{ON, Setting, Settings};

/// Sound and notifications.
pub(super) fn telling(settings: Settings) -> Html {
    let refused = RwSignal::new(false);
    let sound = switch("A sound", settings.sound, |on| {
        if on {
            // So that one hears what it is.
            alarm::play();
        }
    });
    let notify = switch("The system's notifications", settings.notify, move |on| {
        if on {
            spawn_local(async move {
                if let Ok(asked) = Notification::request_permission() {
                    // Rejected only by browsers that do not answer so.
                    let _ = JsFuture::from(asked).await;
                }
                refused.set(Notification::permission() != NotificationPermission::Granted);
            });
        }
    });
    panel("How to be told").with([
        html(r#"<p class="muted">In this browser, while the page Markets is open and has the symbol; there it also shows over the page. Another program can be told by the server: start it with --webhook.</p>"#),
        sound,
        notify,
        html(r#"<p class="fault" role="alert">The browser does not allow notifications for this page; its settings can.</p>"#)
            .flag("hidden", move || !refused.get() || !settings.notify.is(ON)),
    ])
}

fn switch(label: &str, setting: Setting, act: impl Fn(bool) + 'static) -> Html {
    let tick = html(r#"<input type="checkbox">"#)
        .checked(move || setting.is(ON))
        .input("change", move |input| {
            setting.set(if input.checked() { ON } else { "" });
            act(input.checked());
        });
    html(r#"<label class="line"></label>"#)
        .with([tick])
        .say(label)
}
