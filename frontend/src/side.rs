//! The pages beside the dashboard. They are a program of their own, so that
//! those who only use the dashboard do not load them.

use leptos::mount::mount_to_body;
use leptos::prelude::*;

use crate::alerts::AlertsPage;
use crate::guide::Guide;
use crate::lab::Lab;
use crate::locale;
use crate::settings::Settings;
use crate::theme::Looks;
use crate::views::bar;

/// Starts the page that the document names.
pub fn start() {
    let page = document()
        .body()
        .and_then(|body| body.get_attribute("data-page"));
    match page.as_deref() {
        Some("alerts") => mount_to_body(|| {
            let settings = Settings::kept();
            head("Alerts", settings);
            view! { <AlertsPage settings /> }
        }),
        Some("guide") => mount_to_body(|| {
            head("How it works", Settings::kept());
            view! { <Guide /> }
        }),
        _ => mount_to_body(|| {
            let looks = head("Lab", Settings::kept());
            view! { <Lab looks /> }
        }),
    }
}

/// Adds the bar at the top, and applies the person's settings for colours and
/// density.
fn head(name: &str, settings: Settings) -> Looks {
    locale::start();
    let looks = Looks::start(settings);
    if let Some(body) = document().body() {
        // Fails only for nodes that cannot have children.
        let _ = body.prepend_with_node_1(bar(name, settings, looks, None).node());
    }
    looks
}
