//! What calls a person who does not look: a sound, and the system's
//! notifications.

use js_sys::Reflect;
use leptos::task::spawn_local;
use shared::Firing;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlAudioElement, Notification, NotificationOptions};

use crate::format;
use crate::settings::{ON, Settings};

/// So many notifications come at once; of more, the last says how many.
const NOTIFICATIONS_MAX: usize = 3;

/// Calls, as far as that was set and the browser can and may.
pub(crate) fn raise(settings: Settings, firings: &[Firing]) {
    if settings.sound.is_untracked(ON) {
        // A browser plays nothing on a page that nobody has touched yet.
        let _ = play();
    }
    if settings.notify.is_untracked(ON) && notifications() == Notifications::Allowed {
        for firing in firings.iter().take(NOTIFICATIONS_MAX) {
            // Two pages of one browser tell it once.
            let tag = format!("tickwire-{}-{}", firing.id, firing.count);
            notify(&format::firing(firing), &firing.note, &tag);
        }
        if let Some(more) = firings
            .len()
            .checked_sub(NOTIFICATIONS_MAX)
            .filter(|n| *n > 0)
        {
            notify(&format::more_firings(more), "", "tickwire-more");
        }
    }
}

fn notify(title: &str, body: &str, tag: &str) {
    let options = NotificationOptions::new();
    options.set_body(body);
    options.set_tag(tag);
    // Fails where only a service worker may.
    let _ = Notification::new_with_options(title, &options);
}

/// Whether this page can use the system's notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notifications {
    /// The browser has none, as an iPhone's in a tab, or a view inside another
    /// program.
    Missing,
    /// It was asked, and may not; or was not asked yet.
    NotAllowed,
    /// It may.
    Allowed,
}

/// What the browser says of notifications.
pub(crate) fn notifications() -> Notifications {
    // To name what a browser does not have throws.
    let known = Reflect::get(&js_sys::global(), &"Notification".into());
    let Some(known) = known.ok().filter(JsValue::is_function) else {
        return Notifications::Missing;
    };
    let permission = Reflect::get(&known, &"permission".into()).ok();
    if permission
        .and_then(|permission| permission.as_string())
        .as_deref()
        == Some("granted")
    {
        Notifications::Allowed
    } else {
        Notifications::NotAllowed
    }
}

/// Asks the person, where the browser has notifications and did not ask yet.
pub(crate) async fn ask_for_notifications() {
    if notifications() == Notifications::NotAllowed
        && let Ok(asked) = Notification::request_permission()
    {
        // Rejected only by browsers that do not answer so.
        let _ = JsFuture::from(asked).await;
    }
}

/// Plays a short tone.
pub(crate) fn play() -> Option<()> {
    let audio = HtmlAudioElement::new_with_src("alert.wav").ok()?;
    let begun = audio.play().ok()?;
    spawn_local(async move {
        // It ends by itself; a refusal that nobody takes is an error of the
        // page.
        let _ = JsFuture::from(begun).await;
    });
    Some(())
}
