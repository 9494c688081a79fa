//! How this browser notifies people of alerts that fire.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::panel;
use crate::alarm::{self, Notifications};
use crate::dom::{Html, html};
use crate::settings::{ON, Setting, Settings};

/// The switches for sound and notifications.
pub(super) fn telling(settings: Settings) -> Html {
    let notifications = RwSignal::new(alarm::notifications());
    let sound = switch("A sound", settings.sound, |on| {
        if on {
            // A sample of the sound.
            alarm::play();
        }
    });
    let notify = switch("The system's notifications", settings.notify, move |on| {
        if on {
            spawn_local(async move {
                alarm::ask_for_notifications().await;
                notifications.set(alarm::notifications());
            });
        }
    });
    let why_not = move || {
        let why = match notifications.get() {
            Notifications::Missing => "This browser has no notifications.",
            Notifications::NotAllowed if settings.notify.is(ON) => {
                "The browser does not allow notifications for this page; its settings can."
            }
            Notifications::NotAllowed | Notifications::Allowed => "",
        };
        why.to_owned()
    };
    panel("How to be told").with([
        html(r#"<p class="muted">In this browser, while the page Markets is open and has the symbol; there it also shows over the page. Another program can be told by the server: start it with --webhook.</p>"#),
        sound,
        notify,
        html(r#"<p class="fault" role="alert"></p>"#).text(why_not),
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
