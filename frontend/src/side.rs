//! The pages beside the dashboard. They are a program of their own, so that
//! those who only use the dashboard do not load them.

use leptos::mount::{mount_to, mount_to_body};
use leptos::prelude::*;

use crate::alerts::AlertsPage;
use crate::guide;
use crate::lab::Lab;
use crate::locale;
use crate::settings::Settings;
use crate::theme::Looks;
use crate::views::SideHeader;
use crate::words;

/// Starts the page that the document names.
pub fn start() {
    locale::start();
    let page = document()
        .body()
        .and_then(|body| body.get_attribute("data-page"));
    match page.as_deref() {
        Some("alerts") => mount_to_body(|| {
            let (settings, looks) = appearance();
            view! {
                <SideHeader current=words::ALERTS settings looks />
                <AlertsPage settings />
            }
        }),
        Some("guide") => start_guide(),
        _ => mount_to_body(|| {
            let (settings, looks) = appearance();
            view! {
                <SideHeader current=words::LAB settings looks />
                <Lab looks />
            }
        }),
    }
}

/// The guide's text is in its document, which has a place for the bar.
fn start_guide() {
    let Some(bar) = guide::existing("#bar") else {
        return;
    };
    let mounted = mount_to(bar, || {
        let (settings, looks) = appearance();
        view! { <SideHeader current=words::GUIDE settings looks /> }
    });
    // The bar lives as long as the page.
    mounted.forget();
    guide::start();
}

/// The person's settings, applied to the page.
fn appearance() -> (Settings, Looks) {
    let settings = Settings::kept();
    (settings, Looks::start(settings))
}
