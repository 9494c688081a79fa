//! Draws a person's attention to alerts: a sound, and the system's
//! notifications.

use js_sys::Reflect;
use leptos::task::spawn_local;
use shared::Firing;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{HtmlAudioElement, Notification, NotificationOptions};

use crate::settings::{ON, Settings};
use crate::words;

/// At most this many notifications at once, and then one that says how many
/// more alerts fired.
const NOTIFICATIONS_MAX: usize = 3;

/// Plays the sound and shows notifications, as far as the settings ask for them
/// and the browser allows them.
pub(crate) fn raise(settings: Settings, firings: &[Firing]) {
    if settings.sound.is_untracked(ON) {
        // A browser plays no sound on a page that nobody has interacted with.
        let _ = play();
    }
    if settings.notify.is_untracked(ON) && notifications() == Notifications::Allowed {
        for firing in firings.iter().take(NOTIFICATIONS_MAX) {
            // The tag lets two pages of one browser show it only once.
            let tag = format!("tickwire-{}-{}", firing.id, firing.count);
            notify(&words::firing(firing), &firing.note, &tag);
        }
        if let Some(more) = firings
            .len()
            .checked_sub(NOTIFICATIONS_MAX)
            .filter(|n| *n > 0)
        {
            notify(&words::more_firings(more), "", "tickwire-more");
        }
    }
}

fn notify(title: &str, body: &str, tag: &str) {
    let options = NotificationOptions::new();
    options.set_body(body);
    options.set_tag(tag);
    // Fails where only a service worker may show notifications.
    let _ = Notification::new_with_options(title, &options);
}

/// Whether this page can use the system's notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notifications {
    /// The browser has none, as on an iPhone in a tab, or in a view embedded in
    /// another program.
    Missing,
    /// Permission was denied, or has not been asked for yet.
    NotAllowed,
    /// Permission was granted.
    Allowed,
}

/// Whether the browser has notifications, and whether it allows them.
pub(crate) fn notifications() -> Notifications {
    // Naming a global that the browser does not have would throw.
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

/// Asks the person for permission, where the browser has notifications and does
/// not allow them yet.
pub(crate) async fn ask_for_notifications() {
    if notifications() == Notifications::NotAllowed
        && let Ok(asked) = Notification::request_permission()
    {
        // Fails only in browsers that report the answer in another way.
        let _ = JsFuture::from(asked).await;
    }
}

/// Plays a short tone.
pub(crate) fn play() -> Option<()> {
    let audio = HtmlAudioElement::new_with_src("alert.wav").ok()?;
    let begun = audio.play().ok()?;
    spawn_local(async move {
        // It ends by itself. A rejection that nobody handles would be reported
        // as an error of the page.
        let _ = JsFuture::from(begun).await;
    });
    Some(())
}
