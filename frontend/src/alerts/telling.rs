//! How this browser notifies people of alerts that fire.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Panel;
use crate::alarm::{self, Notifications};
use crate::settings::{ON, Setting, Settings};
use crate::words;

/// The switches for sound and notifications.
#[component]
pub(super) fn Telling(settings: Settings) -> impl IntoView {
    let notifications = RwSignal::new(alarm::notifications());
    let sound = |is_on: bool| {
        if is_on {
            // A sample of the sound.
            alarm::play();
        }
    };
    let notify = move |is_on: bool| {
        if is_on {
            spawn_local(async move {
                alarm::ask_for_notifications().await;
                notifications.set(alarm::notifications());
            });
        }
    };
    let why_not = move || match notifications.get() {
        Notifications::Missing => words::NO_NOTIFICATIONS,
        Notifications::NotAllowed if settings.notify.is(ON) => words::NOTIFICATIONS_NOT_ALLOWED,
        Notifications::NotAllowed | Notifications::Allowed => "",
    };
    view! {
        <Panel heading=words::HOW_TO_BE_TOLD>
            <p class="muted">{words::TOLD_EXPLAINED}</p>
            <Switch label=words::SOUND setting=settings.sound act=sound />
            <Switch label=words::NOTIFICATIONS setting=settings.notify act=notify />
            <p class="fault" role="alert">
                {move || why_not()}
            </p>
        </Panel>
    }
}

#[component]
fn Switch(
    label: &'static str,
    setting: Setting,
    /// Called when it was switched.
    act: impl Fn(bool) + 'static,
) -> impl IntoView {
    view! {
        <label class="line">
            <input
                type="checkbox"
                prop:checked=move || setting.is(ON)
                on:change:target=move |event| {
                    let is_on = event.target().checked();
                    setting.set(if is_on { ON } else { "" });
                    act(is_on);
                }
            />
            {label}
        </label>
    }
}
