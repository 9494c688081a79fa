//! The programs that the server notifies of alerts, and whether they accept the
//! notifications.

use leptos::prelude::*;
use shared::WebhookStatus;

use super::{Panel, State};
use crate::settings::Settings;
use crate::views::chart::recent;
use crate::words;

/// One line for each webhook; hidden where there are none.
#[component]
pub(super) fn Webhooks(state: State, settings: Settings) -> impl IntoView {
    let lines = move || {
        let local = !settings.zone.is("utc");
        let all = state.webhooks.get().into_iter();
        all.map(|webhook| line(&webhook, local)).collect_view()
    };
    let is_empty = Signal::derive(move || state.webhooks.with(Vec::is_empty));
    view! {
        <Panel heading=words::WEBHOOKS hidden=is_empty>
            <div aria-live="polite">
                <ul class="webhooks">{move || lines()}</ul>
            </div>
        </Panel>
    }
}

fn line(webhook: &WebhookStatus, local: bool) -> impl IntoView + use<> {
    let since = webhook.failing_since;
    let since = since.map(|since| recent(since.micros() as f64, local));
    let class = since.is_some().then_some("fault");
    view! {
        <li class=class>
            <b>{webhook.receiver.clone()}</b>
            ": "
            {words::webhook(webhook, since)}
        </li>
    }
}
